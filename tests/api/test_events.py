"""Events and proofs over the network."""

import json
from datetime import timedelta

import pytest

from postern.api.events import KINDS
from postern.app.proving import check
from postern.core.alarm import Alarm
from postern.core.decision import Reason
from postern.core.event import Acted, Alarmed, Decided, Viewed
from postern.core.ids import AccessPointId, AttemptId, PermitId, PersonId
from postern.core.role import Role
from tests.api.registry import WHY, Desk, faults
from tests.store.samples import ALL_KINDS

DOOR, ZOE = AccessPointId("door"), PersonId("p-zoe")


def attempts(desk: Desk) -> None:
    """Zoe was let in, and once too often."""
    now = desk.site.clock.now().utc
    for number, reason in enumerate((Reason.PERMITTED, Reason.STALE, Reason.PERMITTED)):
        at, attempt = now + timedelta(seconds=number), AttemptId(f"attempt-{number}")
        desk.site.records.append_all(
            (
                Decided(at, DOOR, attempt, reason, PermitId("permit-1"), (ZOE,), 3),
                Acted(at, DOOR, attempt, True, "opened for 1.0 s"),
            )
        )
    desk.site.records.append(Alarmed(now, AccessPointId("barrier"), Alarm.FORCED, over=False))


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({"kind": "alarmed"}, ["alarmed"]),
        ({"access_point": "door", "kind": "acted"}, ["acted"] * 3),
        ({"decision": "stale"}, ["decided"]),
        ({"attempt": "attempt-1"}, ["acted", "decided"]),
        ({"access_point": "barrier"}, ["alarmed"]),
        ({"access_point": "roof"}, []),
        ({"until": "1999-01-01T00:00:00Z"}, []),
        ({"since": "2999-01-01T00:00:00+01:00"}, []),
    ],
)
def test_events_are_found(desk: Desk, query: dict[str, str], kinds: list[str]) -> None:
    """By what they are, where, why and when."""
    attempts(desk)

    assert kinds == [one["kind"] for one in desk.walked("/events", **query)]


def test_events_come_newest_first_page_by_page(desk: Desk) -> None:
    """Each once, and each is shown by its number, too."""
    attempts(desk)
    found = desk.walked("/events", limit=2)

    assert 11 == len(found)
    assert [(e["at"], e["number"]) for e in found] == sorted(
        ((e["at"], e["number"]) for e in found), reverse=True
    )
    assert found[3] == desk.get(f"/events/{found[3]['number']}")
    assert 404 == desk.call("GET", "/events/99").status_code


def test_attack_learning_from_the_list_whom_an_event_is_about(desk: Desk) -> None:
    """Nobody's id and no permit's stands in it, however it is asked for."""
    attempts(desk)
    for query in ("", "?decision=permitted", "?attempt=attempt-0", "?limit=200"):
        text = desk.call("GET", f"/events{query}").text
        assert "p-zoe" not in text
        assert "permit-1" not in text
        assert "Zoe" not in text


def test_events_of_a_person_are_shown_for_a_reason_that_they_are_told(desk: Desk) -> None:
    """Who looked, and why, is recorded before anything is shown, and stands there at once."""
    attempts(desk)
    for reason in ({}, {"reason": "why"}, {"reason": " " * 20}):
        refused = desk.call("GET", "/events", params={"holder": ZOE, **reason})
        assert {"reason"} == faults(refused).keys()
    assert "viewed" not in desk.events()

    query = {"holder": ZOE, "reason": WHY}
    found = desk.get("/events", params=query, role=Role.AUDITOR)["items"]
    kinds = [one["kind"] for one in found]
    assert ["decided"] * 3 == [kind for kind in kinds if kind == "decided"]
    assert all("p-zoe" in str(one["said"]) for one in found)
    viewed = [one["said"] for one in found if one["kind"] == "viewed"]
    assert [{"by": "user:auditor", "person": "p-zoe", "why": WHY}] == viewed
    assert 2 == len([e for e in desk.get("/events", params=query)["items"]
                     if e["kind"] == "viewed"])  # fmt: skip


def test_events_of_a_vehicle_are_shown_for_a_reason(desk: Desk) -> None:
    """It has an owner, who is told."""
    id_ = desk.call("POST", "/vehicles", json={"plate": "B 123 ABC"}).json()["id"]
    found = desk.get("/events", params={"holder": id_, "reason": WHY})["items"]

    assert ["viewed", "changed", "enrolled"] == [one["kind"] for one in found]
    (kept,) = desk.site.records.list(limit=1, known=[id_])
    assert isinstance(kept.event, Viewed)
    assert (id_, WHY) == (kept.event.person, kept.event.why)


def test_looking_at_nobody_is_refused(desk: Desk) -> None:
    """By a name that nobody has, or with a reason for nothing."""
    for holder in ("p-nobody", "v-nobody", "Zoe", "*"):
        answer = desk.call("GET", "/events", params={"holder": holder, "reason": WHY})
        assert {"holder"} == faults(answer).keys()
    assert {"reason"} == faults(desk.call("GET", "/events", params={"reason": WHY})).keys()
    assert "viewed" not in desk.events()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "opened"), ("decision", "because"), ("since", "yesterday"), ("limit", "0"),
        ("until", "2026-01-01T00:00:00"), ("since", "2026-13-01T00:00:00Z"), ("limit", "201"),
        ("limit", "many"), ("attempt", "a" * 65), ("access_point", "a" * 65), ("face", "1"),
        ("cursor", "WyJhIiwxXQ"), ("cursor", "e30"), ("cursor", "\udcff"), ("cursor", ""),
        ("cursor", "W10"), ("cursor", "a" * 2001), ("holder", "a" * 65),
    ],
)  # fmt: skip
def test_question_that_is_none_is_refused(desk: Desk, name: str, value: str) -> None:
    """With the parameter that is wrong."""
    answer = desk.call("GET", "/events", params={name: value.encode(errors="surrogateescape")})

    assert {name} == faults(answer).keys()


def test_event_is_proved_by_a_file_that_anybody_can_check(desk: Desk) -> None:
    """With the log's key, which is shown; it says what the event says, under pseudonyms."""
    attempts(desk)
    number = desk.get("/events?kind=decided&decision=stale")["items"][0]["number"]
    answer = desk.call("GET", f"/events/{number}/proof", role=Role.AUDITOR)
    state = desk.get("/log")

    assert 'filename="event-' in answer.headers["Content-Disposition"]
    proved = check(answer.content, desk.site.records.log.verifier)
    assert number == proved.index
    assert proved.text is not None
    assert "stale" in proved.text
    assert "p-zoe" not in proved.text
    assert state["key"] == desk.site.records.log.verifier.vkey
    assert proved.opened.checkpoint.root.hex() == state["root"]
    assert (11, [], []) == (state["size"], state["witnesses"], state["unsigned"])
    assert {"size": 11, "root": state["root"]} == state["remembered"]
    assert 404 == desk.call("GET", "/events/11/proof").status_code


@pytest.mark.parametrize("number", ["-1", "x", str(2**63), "9" * 40, "1.5"])
def test_number_that_is_none_is_of_no_event(desk: Desk, number: str) -> None:
    """However large."""
    for path in (f"/events/{number}", f"/events/{number}/proof"):
        assert desk.call("GET", path).status_code in (404, 422)


def test_event_says_what_the_logs_own_text_says(desk: Desk) -> None:
    """Of every kind there is, field by field."""
    desk.site.records.append_all(ALL_KINDS)
    desk.site.records.settle()
    found = desk.walked("/events", limit=200)

    assert {*KINDS} == {one["kind"] for one in found}
    for one in found:
        text = desk.site.store.events.text(one["number"])
        assert text is not None
        kept = json.loads(text)
        assert {"v", "kind", "at"} | one["said"].keys() == kept.keys()
        assert one["said"] == {name: kept[name] for name in one["said"]}
