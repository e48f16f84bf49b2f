"""What a relay can do, seen by whatever ends its pulses."""

from typing import Protocol


class Relay(Protocol):
    """A relay that stays as it is until it is switched.

    Every call takes a third of a second or so at most: somebody waits at the gate. Used by one
    thread at a time.
    """

    def switch(self, on: bool) -> None:
        """Switches it.

        Raises:
            PosternError: `unavailable` where that failed, or nobody can tell whether it did.
        """
        ...

    def is_on(self) -> bool:
        """Whether it is on, as the device says when it is asked.

        Raises:
            PosternError: `unavailable` where it cannot be asked now.
        """
        ...


class TimedRelay(Relay, Protocol):
    """A relay that can also be told to switch itself off."""

    def pulse(self, hold_s: float, within_s: float) -> None:
        """Switches it on for so many seconds, whatever becomes of this process, and reads back.

        Args:
            hold_s: For how long.
            within_s: Seconds that both may take together.

        Raises:
            PosternError: `unavailable` where that failed, or nobody can tell whether it did.
        """
        ...
