"""Events as text: one event has one text, and every other text is refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.event import Changed, Event
from postern.core.evidence import BANDS
from postern.event_text import decode, encode, kind
from tests.people import NOW
from tests.store.samples import ALL_KINDS, granted


def test_every_kind_of_event_reads_back_to_itself() -> None:
    """None is missing from the samples, and each comes back as it was."""
    assert set(get_args(Event)) == {type(event) for event in ALL_KINDS}
    assert list(ALL_KINDS) == [decode(encode(event)) for event in ALL_KINDS]
    assert len(get_args(Event)) == len({kind(event) for event in ALL_KINDS})


def test_event_text_is_golden() -> None:
    """The ledger will hash this text; it must not change under an installed site."""
    assert encode(granted()) == (
        '{"access_point":"door","at":"2026-03-04T12:00:00.000000Z","attempt":"attempt","band":5,'
        '"holders":["p-alice"],"kind":"decided","passback":false,"permit":"alice",'
        '"reason":"permitted","v":1}'
    )


def test_event_text_is_in_utc() -> None:
    """The same instant in another zone is the same text."""
    bucharest = NOW.astimezone(timezone(timedelta(hours=2)))

    assert encode(granted()) == encode(replace(granted(), at=bucharest))


@pytest.mark.parametrize(
    "event",
    [
        replace(granted(), at=datetime(2026, 3, 4, 12, 0)),  # noqa: DTZ001 - the case itself
        replace(granted(), band=1.5),  # type: ignore[arg-type]
        replace(granted(), band=True),
        replace(granted(), band=-1),
        replace(granted(), band=10),
        replace(granted(), band=5096),
        replace(granted(), passback=1),  # type: ignore[arg-type]
        replace(granted(), permit=7),  # type: ignore[arg-type]
        replace(granted(), holders="p-alice"),  # type: ignore[arg-type]
        replace(granted(), holders=(7,)),  # type: ignore[arg-type]
        Changed(NOW, "what", "\ud800", "by"),
        Changed(NOW, "what", None, "by"),  # type: ignore[arg-type]
    ],
)
def test_event_that_does_not_read_back_is_refused(event: Event) -> None:
    """Before it is kept, not after."""
    with pytest.raises(PosternError) as refused:
        encode(event)

    assert Code.INVALID is refused.value.code


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace(',"v":1', ""),
        lambda t: t.replace('"v":1', '"v":2'),
        lambda t: t.replace('"v":1', '"v":true'),
        lambda t: t.replace('"v":1', '"age":41,"v":1'),
        lambda t: t.replace('"band":5', '"band":5.0'),
        lambda t: t.replace('"band":5', '"band":5,"band":5'),
        lambda t: t.replace('"band":5', '"band":-1'),
        lambda t: t.replace('"band":5', '"band":5096'),
        lambda t: t.replace('"decided"', '"guessed"'),
        lambda t: t.replace('"permitted"', '"because"'),
        lambda t: t.replace(".000000Z", "Z"),
        lambda t: t.replace(".000000Z", ".000000+00:00"),
        lambda t: t.replace("door", "\\u0064oor"),
        lambda t: t.replace(":", ": "),
        lambda t: t + "\n",
        lambda t: t[:-1],
        lambda t: "[" * 100_000,
    ],
)
def test_text_that_is_not_canonical_is_refused(change) -> None:
    """One event has one text; every other is damage, with one error."""
    with pytest.raises(PosternError):
        decode(change(encode(granted())))


@settings(max_examples=50)
@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_hostile_text_raises_only_our_error(text: str) -> None:
    """Whatever text comes, the answer is a refusal in one sentence."""
    with pytest.raises(PosternError):
        decode(text)


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(Reason),
    st.integers(0, len(BANDS)),
)
def test_every_event_reads_back_to_itself(
    at: datetime, name: str, reason: Reason, band: int
) -> None:
    """For any time, name, reason and band, text and event determine one another."""
    for event in (
        replace(granted(name), at=at, reason=reason, band=band),
        Changed(at, name, name, name),
    ):
        assert event == decode(encode(event))
