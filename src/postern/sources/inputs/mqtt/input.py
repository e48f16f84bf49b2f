"""A contact whose state somebody publishes over MQTT: a sensor by radio, a controller, a panel.

What the broker has kept ("retained") is the present state. It is no news: nothing that somebody
does once, such as pressing a button, counts by it.
"""

import json
import ssl
from collections.abc import Iterator
from threading import Event
from time import monotonic
from uuid import uuid4

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from postern.core.errors import Code, PosternError
from postern.core.ports import Clock
from postern.core.signal import Signal
from postern.secret import read_password
from postern.sources.inputs.listening import Debounce, Hear, Listening
from postern.sources.inputs.mqtt.config import Config

#: Seconds for the broker to be reached, and to let us in.
CONNECT_S, WELCOME_S = 2.0, 5.0
#: Seconds between signs of life; one and a half times as long without any, and it counts as gone.
KEEP_ALIVE_S = 5
#: Seconds for which the network is waited on, before it is looked at what is due.
TICK_S = 0.05
#: Bytes of a message; more is none of a contact's.
MOST = 4096


class MqttInput:
    """One topic of a broker, over a connection of its own.

    Args:
        config: Which one.
        name: What it is called.
        clock: The two clocks.
    """

    def __init__(self, config: Config, name: str, clock: Clock) -> None:
        self._config = config
        self._listening = Listening(
            name, self._listen, lambda: Debounce(config.debounce_s, config.inverted), clock
        )

    def signals(self) -> Iterator[Signal | None]:
        """See `postern.core.ports.Input.signals`."""
        return self._listening.signals()

    def close(self) -> None:
        """See `postern.core.ports.Input.close`."""
        self._listening.close()

    def _listen(self, hear: Hear, stop: Event) -> None:
        client, heard = self._client(), _Heard(self._config)
        client.on_connect, client.on_message = heard.on_connect, heard.on_message
        client.on_disconnect, client.on_subscribe = heard.on_disconnect, heard.on_subscribe
        try:
            self._connect(client)
            until_s, told = monotonic() + WELCOME_S, False
            while not stop.is_set():
                alive = client.loop(TICK_S) == MQTTErrorCode.MQTT_ERR_SUCCESS
                self._check(heard, alive, in_time=heard.welcome or monotonic() < until_s)
                if heard.welcome and not told:
                    hear(None, False)
                    told = True
                for level, live in heard.take():
                    hear(level, live)
        finally:
            client.disconnect()

    def _client(self) -> Client:
        config = self._config
        client = Client(CallbackAPIVersion.VERSION2, f"postern-{uuid4().hex[:16]}")
        client.connect_timeout = CONNECT_S
        if config.user is not None and config.password_file is not None:
            client.username_pw_set(config.user, read_password(config.password_file))
        if config.tls:
            client.tls_set_context(ssl.create_default_context(cafile=config.ca))
        return client

    def _connect(self, client: Client) -> None:
        config = self._config
        pinned = config.endpoint.pin(timeout_s=CONNECT_S)
        # With a certificate the broker proves its name, wherever that leads.
        host = pinned.host if config.tls else str(pinned.number)
        try:
            client.connect(host, pinned.port, KEEP_ALIVE_S)
        except (OSError, ValueError) as error:
            how = "proves not who it is" if isinstance(error, ssl.SSLError) else "is not reached"
            raise self._fault(how, "Check its address and whether it runs.") from None

    def _check(self, heard: "_Heard", alive: bool, *, in_time: bool) -> None:
        if heard.refusal:
            raise self._fault(heard.refusal, "See to user, password_file and its own rules.")
        if heard.nonsense:
            raise self._fault(
                f"has a message in {self._config.topic} that is neither on nor off",
                "See to on, off and field.",
            )
        if not alive:
            raise self._fault("has gone", "It is tried again.")
        if not in_time:
            raise self._fault("does not answer", "Is it an MQTT broker?")

    def _fault(self, how: str, hint: str) -> PosternError:
        return PosternError(Code.UNAVAILABLE, f"The broker at {self._config.endpoint} {how}.", hint)


class _Heard:
    """What a broker has said on one connection; it belongs to the thread that reads.

    Attributes:
        welcome: Whether it has let us listen.
        refusal: What it refuses us; empty where nothing.
        nonsense: Whether a message was no state.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._new: list[tuple[bool, bool]] = []
        self._last: tuple[bool, bool] | None = None
        self.welcome = False
        self.refusal = ""
        self.nonsense = False

    def take(self) -> list[tuple[bool, bool]]:
        """The states that came, and whether each was news; at least the last, over and over."""
        new, self._new = self._new, []
        if new:
            self._last = new[-1]
        return new or ([] if self._last is None else [self._last])

    def on_connect(
        self,
        client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self.refusal = "does not let us in"
        else:
            client.subscribe(self._config.topic, qos=1)

    def on_subscribe(
        self,
        _client: Client,
        _userdata: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self.welcome = True
        if any(reason.is_failure for reason in reasons):
            self.refusal = f"does not let us listen to {self._config.topic}"

    def on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        _flags: DisconnectFlags,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self.welcome = False

    def on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        level = self._level(bytes(message.payload))
        if level is None:
            # An empty retained message takes back what was retained.
            self.nonsense = self.nonsense or bool(message.payload)
        else:
            self._new.append((level, not message.retain))

    def _level(self, payload: bytes) -> bool | None:
        said = _said(payload, self._config.field) if len(payload) <= MOST else None
        return {self._config.on: True, self._config.off: False}.get(said or "")


def _said(payload: bytes, field: str | None) -> str | None:
    """What a message says of the state; None where nothing."""
    try:
        if field is None:
            return payload.decode()
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or field not in found:
        return None
    value = found[field]
    return value if isinstance(value, str) else json.dumps(value)
