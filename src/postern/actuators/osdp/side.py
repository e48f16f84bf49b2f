"""The two sides of OSDP, each as a context of libosdp on one line.

libosdp's C binding is taken as it is: the Python classes around it keep every message for ever in
queues that nobody reads, and run threads of their own. A context belongs to the thread that made
it. Its callbacks hold no way back to it, so that it is torn down as soon as it is let go.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import osdp_sys
from osdp import Capability, Command, CompletionStatus, LibFlag, LogLevel

from postern.actuators.osdp.line import Line

#: A message as libosdp takes it.
Message = Mapping[str, Any]
#: What a panel may tell a reader to do, which a reader without lamps and sounder takes and ignores:
#: many panels call a reader broken that refuses it. New keys and addresses are refused: both stand
#: in `site.toml`, and would be forgotten here.
_TAKEN = frozenset({Command.LED, Command.Buzzer, Command.Text, Command.Status})
_CAPABILITIES = (
    (Capability.CardDataFormat, 1, 0),
    (Capability.LEDControl, 1, 1),
    (Capability.AudibleControl, 1, 1),
    (Capability.CheckCharacter, 1, 0),
    (Capability.CommunicationSecurity, 1, 0),
    (Capability.Readers, 0, 1),
)


class Side(Protocol):
    """One side of a secure channel."""

    def refresh(self) -> bool:
        """Does what is due, at least every 50 ms; whether the secure channel stands."""
        ...

    def send(self, message: Message) -> bool:
        """Hands over one message; whether it was taken."""
        ...

    def answer(self) -> bool | None:
        """Whether the other side took the last message; None while that is open."""
        ...


class PanelSide:
    """A control panel that looks after one peripheral device."""

    def __init__(self, line: Line, address: int, key: bytes) -> None:
        osdp_sys.set_loglevel(LogLevel.Emergency)
        self._answers: deque[bool] = deque(maxlen=1)
        self._context = osdp_sys.ControlPanel([_info(line, address, key)])
        self._context.set_event_callback(_nothing)
        self._context.set_command_completion_callback(_noting(self._answers))

    def refresh(self) -> bool:
        """See `Side`."""
        self._context.refresh()
        return bool(self._context.sc_status() & 1)

    def send(self, message: Message) -> bool:
        """See `Side`."""
        self._answers.clear()
        return bool(self._context.submit_command(0, dict(message)))

    def answer(self) -> bool | None:
        """See `Side`."""
        return self._answers[0] if self._answers else None


class ReaderSide:
    """A peripheral device: a reader that a panel asks for cards.

    libosdp calls a card sent once it is on the line. The panel has it when it goes on to speak.
    """

    def __init__(self, line: Line, address: int, key: bytes) -> None:
        osdp_sys.set_loglevel(LogLevel.Emergency)
        self._line = line
        self._sent_at: int | None = None  # What had come by then.
        self._answers: deque[bool] = deque(maxlen=1)
        capabilities = [
            {"function_code": function, "compliance_level": level, "num_items": items}
            for function, level, items in _CAPABILITIES
        ]
        self._context = osdp_sys.PeripheralDevice(
            _info(line, address, key), capabilities=capabilities
        )
        self._context.set_command_callback(_obeying)
        self._context.set_event_completion_callback(_noting(self._answers))

    def refresh(self) -> bool:
        """See `Side`."""
        self._context.refresh()
        if self._answers and self._sent_at is None:
            self._sent_at = self._line.heard
        return bool(self._context.is_sc_active())

    def send(self, message: Message) -> bool:
        """See `Side`."""
        self._answers.clear()
        self._sent_at = None
        return bool(self._context.submit_event(dict(message)))

    def answer(self) -> bool | None:
        """See `Side`."""
        if not self._answers or self._sent_at is None:
            return None
        if not self._answers[0]:
            return False
        return True if self._line.heard > self._sent_at else None


def _info(line: Line, address: int, key: bytes) -> dict[str, Any]:
    return {
        "name": f"PD-{address}",
        "address": address,
        # Nothing is said without the secure channel, and no key is handed out on the line.
        "flags": LibFlag.EnforceSecure,
        "scbk": key,
        "channel": line,
        "version": 1,
        "model": 1,
        "vendor_code": 0,
        "serial_number": 1,
        "firmware_version": 1,
    }


def _nothing(_device: int, _event: Message) -> int:
    """Takes a device's news; cards that are read elsewhere are nobody's business here."""
    return 0


def _obeying(command: Message) -> tuple[int, None]:
    return (0 if command.get("command") in _TAKEN else -1), None


def _noting(answers: deque[bool]) -> Callable[..., None]:
    def note(*told: Any) -> None:  # noqa: ANN401 - libosdp gives other things on either side
        answers.append(told[-1] == CompletionStatus.Ok)

    return note
