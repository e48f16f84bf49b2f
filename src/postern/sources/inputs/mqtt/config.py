"""What an operator says about a contact whose state is published over MQTT."""

from dataclasses import dataclass

from postern.core.errors import invalid
from postern.mqtt.words import Broker
from postern.sources.inputs.listening import check_debounce

MAX_TOPIC = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(Broker):
    """Which topic of which broker, and what is said there.

    Attributes:
        topic: Where the state is published; without wildcards.
        on: What is said while the contact is closed.
        off: What is said while it is open.
        field: Where messages are JSON objects, the name of the one that has the state; else None.
        inverted: Whether the contact is closed while what it means is not so.
        debounce_s: For how long a state has to last before it counts, in seconds.
    """

    topic: str
    on: str = "on"
    off: str = "off"
    field: str | None = None
    inverted: bool = False
    debounce_s: float = 0.0

    def __post_init__(self) -> None:
        Broker.__post_init__(self)  # `super()` does not know classes with slots.
        check_debounce(self.debounce_s)
        if not (0 < len(self.topic) <= MAX_TOPIC and self.topic.isprintable()):
            raise invalid(f"A topic has 1 to {MAX_TOPIC} printable characters.")
        if set(self.topic) & set("+#"):
            raise invalid("An input goes by one topic, without wildcards.")
        if self.on == self.off:
            raise invalid("A contact that is closed and one that is open must not say the same.")
