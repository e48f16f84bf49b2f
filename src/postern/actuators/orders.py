"""What the service and the watchdog process tell each other: lines of JSON over two pipes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import import_module

from postern.actuators.relay import Relay

#: A relay's configuration, secrets included, as it goes through the pipe.
Settings = Mapping[str, str | int | float | bool | None]

#: The module of each kind whose pulses a watchdog ends; its `open_relay(settings)` makes the relay.
RELAYS: Mapping[str, str] = {"modbus": "postern.actuators.modbus.relay"}


@dataclass(frozen=True, slots=True)
class Hello:
    """The first line to a watchdog.

    Attributes:
        kind: Which kind of relay, a key of `RELAYS`.
        settings: Its configuration.
        parent: The process id of whoever gives the orders.
    """

    kind: str
    settings: Settings
    parent: int


@dataclass(frozen=True, slots=True)
class Order:
    """One pulse; every further line to a watchdog.

    Attributes:
        id: The command's.
        hold_s: For how long to hold it on.
        until_s: Counts only until then on the monotonic clock, which all processes share: nobody
            is at the gate any more for whom it opened late.
    """

    id: str
    hold_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order.

    Attributes:
        id: The order's.
        done: Whether the relay is on, as the device says.
        detail: One sentence.
    """

    id: str
    done: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Condition:
    """How the relay is, told whenever that changes, and at each try to switch it off in vain.

    Attributes:
        state: `ok` where it is off or on as it should be, else `red`.
        why: One sentence.
    """

    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Off:
    """The relay is known to be off."""


Message = Hello | Order | Answer | Condition | Off
_NAMES: Mapping[str, type[Message]] = {
    one.__name__: one for one in (Hello, Order, Answer, Condition, Off)
}


def encode(message: Message) -> bytes:
    """A message as one line."""
    return json.dumps({"is": type(message).__name__, **asdict(message)}).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message in a line that `encode` made; nobody else writes into the pipes."""
    fields = json.loads(line)
    return _NAMES[fields.pop("is")](**fields)


def open_relay(kind: str, settings: Settings) -> Relay:
    """The relay of that kind; it is not reached for yet."""
    relay: Relay = import_module(RELAYS[kind]).open_relay(settings)
    return relay
