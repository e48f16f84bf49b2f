"""What a contact, loop, button or fire panel says."""

from dataclasses import dataclass
from enum import StrEnum

from postern.core.moment import Moment


class Means(StrEnum):
    """What an input that is active means."""

    DOOR_CONTACT = "door_contact"  # The door or gate is open.
    LOOP = "loop"  # A vehicle stands on the loop.
    BEAM = "beam"  # Something is in the light beam.
    REQUEST_TO_EXIT = "request_to_exit"  # Somebody presses the button.
    FIRE = "fire"  # The fire panel has raised an alarm.


@dataclass(frozen=True, slots=True)
class Signal:
    """A state of an input.

    Attributes:
        active: Whether what the input means is so now.
        at: When that was seen.
        live: Whether it was seen to become so. What was found when the input was reached, or what
            a broker had kept, may have been so for hours: nothing that somebody does once, such as
            pressing a button, counts by it.
    """

    active: bool
    at: Moment
    live: bool
