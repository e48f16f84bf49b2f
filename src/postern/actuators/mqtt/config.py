"""What an operator says about a relay behind a broker."""

from dataclasses import dataclass

from postern.core.errors import invalid
from postern.mqtt.words import Broker, check_topic

#: Characters of what is sent to a relay; a Zigbee2MQTT command has fifty.
MAX_PAYLOAD = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(Broker):
    """A relay and its broker.

    Attributes:
        topic: Where the relay takes its commands.
        on: What opens.
        off: What ends that; None where the device ends it and takes no such command.
        timed_by_device: Whether `on` has the device end the pulse by itself.
        state_topic: Where the relay says how it is, if it does.
        state_on: What it says there while it is on.
    """

    topic: str
    on: str = "ON"
    off: str | None = None
    timed_by_device: bool = False
    state_topic: str | None = None
    state_on: str = "ON"

    def __post_init__(self) -> None:
        Broker.__post_init__(self)  # `super()` does not know classes with slots.
        check_topic(self.topic)
        if self.state_topic is not None:
            check_topic(self.state_topic)
        for payload in (self.on, self.off, self.state_on):
            if payload is not None and not 0 < len(payload) <= MAX_PAYLOAD:
                raise invalid(f"What is sent to a relay has 1 to {MAX_PAYLOAD} characters.")
        if self.off is None and not self.timed_by_device:
            raise invalid(
                "Nothing would end a pulse of this relay.",
                'Add off = "OFF", or timed_by_device = true where "on" makes the device end it.',
            )
