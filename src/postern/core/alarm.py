"""What can be wrong with a door or barrier itself, whoever passes."""

from enum import StrEnum


class Alarm(StrEnum):
    """Every alarm there is. An auditor can read them all."""

    FORCED = "forced"
    HELD_OPEN = "held_open"
    NOT_CLOSED = "not_closed"
    TAIL_GATING = "tail_gating"
    RELAY_UNCONFIRMED = "relay_unconfirmed"
    FIRE = "fire"


#: What each alarm says, for an operator and for the record.
ALARMED: dict[Alarm, str] = {
    Alarm.FORCED: "it was opened, and nobody had been let through or asked to leave",
    Alarm.HELD_OPEN: "it stands open",
    Alarm.NOT_CLOSED: "it does not close, or something is in the way",
    Alarm.TAIL_GATING: "more went through than were let through",
    Alarm.RELAY_UNCONFIRMED: "it was told to open and did not",
    Alarm.FIRE: "the fire alarm is on",
}
