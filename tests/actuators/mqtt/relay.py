"""A relay behind a broker, as Tasmota is one: it switches when told, and says how it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Timer

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

COMMANDS, STATES = "cmnd/gate/POWER", "stat/gate/POWER"


class Relay:
    """One relay.

    Args:
        port: The broker's.
        says: Whether it says how it is.
        acts: Whether it does as it is told.
        times: Seconds after which it switches itself off, if it does.
        always: Whether it says so, too, where nothing has changed, as ESPHome does not.
    """

    def __init__(
        self,
        port: int,
        *,
        says: bool = True,
        acts: bool = True,
        times: float | None = None,
        always: bool = True,
    ) -> None:
        self._always = always
        self._says, self._acts, self._times = says, acts, times
        self._timers: list[Timer] = []
        self.driven, self.is_on = 0, False
        self.told: list[str] = []
        self.fault = ""  # How it says what it says: `garbage`, `late`, or not at all (`drop`).
        self._listening = Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(COMMANDS, 1)
        self._client.on_subscribe = lambda *_: self._listening.set()
        self._client.on_message = lambda _c, _d, message: self._take(message.payload.decode())
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._listening.wait(20.0)

    def _take(self, command: str) -> None:
        self.told.append(command)
        if not self._acts:
            return
        self._switch(command == "ON")
        if self.is_on and self._times is not None:
            timer = Timer(self._times, self._switch, (False,))
            self._timers.append(timer)
            timer.start()

    def _switch(self, on: bool) -> None:
        self.driven += on
        changes, self.is_on = on is not self.is_on, on
        if not (changes or self._always):
            return
        said = "\x00?" if self.fault == "garbage" else "ON" if on else "OFF"
        if self.fault == "late":
            timer = Timer(3.0, self._client.publish, (STATES, said, 1))
            self._timers.append(timer)
            timer.start()
        elif self._says and self.fault != "drop":
            self._client.publish(STATES, said, 1)

    def close(self) -> None:
        for timer in self._timers:
            timer.join()
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def relay(port: int, **how: object) -> Iterator[Relay]:
    """A relay that is there for the length of a test."""
    made = Relay(port, **how)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.close()
