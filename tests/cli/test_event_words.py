"""Events in words: every kind has a sentence, and nobody is named who is not known."""

from typing import get_args

import pytest

from postern.cli.event_words import sentence
from postern.core.event import Event
from tests.ledger.test_pseudonym import EVENTS


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__.lower())
def test_every_event_is_a_sentence(event: Event) -> None:
    """One line; ids are shown by the names that are given for them."""
    said = sentence(event, lambda id_: f"<{id_}>")
    assert said
    assert said.isprintable()


def test_every_kind_of_event_is_among_them() -> None:
    """A new kind has to be worded, too."""
    assert {type(event) for event in EVENTS} == set(get_args(Event))
