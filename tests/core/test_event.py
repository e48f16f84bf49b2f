"""What the ledger keeps, and what it must never hold."""

from dataclasses import fields
from typing import get_args

from postern.core.event import Event

KINDS = get_args(Event)
#: Words that no field of an event is made of: what was seen, how well it fitted, and who one is.
FORBIDDEN = {
    *("image", "picture", "crop", "vector", "embedding", "template", "score", "bound", "p"),
    *("plate", "name", "age", "gender", "nationality", "emotion"),
}


def test_events_are_a_closed_set():
    """An auditor can read them all."""
    kinds = {
        *("Decided", "Released", "Acted", "Interrupted", "Changed", "Rekeyed"),
        *("Alarmed", "Ordered", "Lifted"),
        *("Consented", "Withdrawn", "Erased", "Enrolled", "Revoked", "Viewed"),
    }

    assert kinds == {kind.__name__ for kind in KINDS}


def test_no_event_can_hold_a_picture_a_score_or_a_trait():
    """There is no field to put one into; chances are kept in coarse bands."""
    words = {word for kind in KINDS for field in fields(kind) for word in field.name.split("_")}

    assert set() == words & FORBIDDEN


def test_every_event_has_a_time_and_explains_itself():
    """When, first; and one sentence for the auditor."""
    assert all("at" == fields(kind)[0].name for kind in KINDS)
    assert all(kind.__doc__ and not kind.__doc__.startswith(kind.__name__) for kind in KINDS)
