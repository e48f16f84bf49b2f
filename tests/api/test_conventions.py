"""Pages, versions and keys, as every noun has them."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postern.api.idempotency import REMEMBERED
from postern.api.paging import read
from postern.core.role import Role
from postern.web.problem import FieldsError
from tests.api.registry import ROLE, Desk, faults

VAN = {"plate": "B 123 ABC", "label": "van"}
ZOE = "/people/p-zoe"


def written(key: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode("latin-1")))
def test_hostile_cursor_raises_only_our_error(cursor: str) -> None:
    """Whatever it is: a key of the right shape, or a refusal that names the field."""
    try:
        key = read(cursor, str, int)
    except FieldsError:
        return
    assert key is not None
    assert [str, int] == [type(part) for part in key]


@pytest.mark.parametrize(
    "key", [[], ["a"], [1, "a"], ["a", True], ["a", 1.0], ["a", 2**63], ["\ud800", 1], {"a": 1}, 7]
)
def test_cursor_of_another_shape_is_refused(key: object) -> None:
    """Also one that SQLite has no number or no text for."""
    with pytest.raises(FieldsError):
        read(written(key), str, int)
    assert ("a", 1) == read(written(["a", 1]), str, int)


def test_cursor_of_one_list_is_none_of_another(desk: Desk) -> None:
    """It leads nowhere; and one that was made up grants nothing that the list does not."""
    cursor = desk.get("/people?limit=1")["next"]

    assert {"cursor"} == faults(desk.call("GET", f"/events?cursor={cursor}")).keys()
    assert {"cursor"} == faults(desk.call("GET", f"/vehicles?cursor={cursor}")).keys()
    made_up = written(["", ""])
    assert 2 == len(desk.get(f"/people?cursor={made_up}")["items"])
    assert 403 == desk.call("GET", f"/people?cursor={cursor}", role=Role.GUARD).status_code


def test_list_goes_on_where_it_was_though_things_come_and_go(desk: Desk) -> None:
    """Nothing is shown twice or left out because something before it has changed."""
    plates = [f"B{number}00XY" for number in range(6)]
    for plate in plates[1:]:
        desk.call("POST", "/vehicles", json={"plate": plate})
    first = desk.get("/vehicles?limit=2")
    desk.call("POST", "/vehicles", json={"plate": plates[0]})
    desk.changed("DELETE", f"/vehicles/{first['items'][1]['id']}")
    rest = desk.walked("/vehicles", limit=2, cursor=first["next"])

    assert plates[3:] == [one["plate"] for one in rest]


def test_link_keeps_what_was_asked_for(desk: Desk) -> None:
    """The next page is of the same list."""
    answer = desk.call("GET", "/people", params={"name": "e", "limit": 1})

    assert answer.links["next"]["url"].startswith("/api/v1/people?limit=1&name=e&cursor=")
    assert "next" not in desk.call("GET", "/people?limit=2").links


def test_version_is_the_hash_of_what_is_shown(desk: Desk) -> None:
    """Byte for byte, so that it is the same wherever it is asked for and whoever asks."""
    answers = [desk.call("GET", ZOE, role=role) for role in (Role.AUDITOR, Role.ENROLLER)]

    for answer in answers:
        assert f'"{sha256(answer.content).hexdigest()}"' == answer.headers["ETag"]
    assert 1 == len({answer.headers["ETag"] for answer in answers})


@pytest.mark.parametrize(
    ("header", "status"),
    [("{}", 304), ("W/{}", 304), ('"a", {}', 304), ("*", 304), ('"a"', 200), ("", 200)],
)
def test_what_has_not_changed_is_not_sent_again(desk: Desk, header: str, status: int) -> None:
    """Where the caller has it."""
    tag = desk.version(ZOE)["If-Match"]
    answer = desk.call("GET", ZOE, headers={"If-None-Match": header.format(tag)})

    assert (status, tag) == (answer.status_code, answer.headers["ETag"])
    assert (answer.content == b"") is (status == 304)


@pytest.mark.parametrize(
    ("header", "status"),
    [("{}", 200), ('"a", {}', 200), ("*", 200), ("W/{}", 412), ('"a"', 412), ("", 412)],
)
def test_only_what_was_seen_is_changed(desk: Desk, header: str, status: int) -> None:
    """A weak version is none to change something by."""
    value = header.format(desk.version(ZOE)["If-Match"])
    answer = desk.call("PATCH", ZOE, json={"name": "Zoe B."}, headers={"If-Match": value})

    assert status == answer.status_code
    assert ("Zoe B." == desk.get(ZOE)["name"]) is (status == 200)


def test_attack_two_change_the_same_at_once(desk: Desk) -> None:
    """Both have read it: one change is made, the other refused, and nothing is lost unseen."""
    made = desk.call("POST", "/permits", json={"people": ["p-zoe"], "access_points": ["door"]})
    path = made.headers["Location"].removeprefix("/api/v1")
    version = {"If-Match": made.headers["ETag"]}

    def change(one_in: int) -> httpx.Response:
        terms = {"people": ["p-zoe"], "access_points": ["door"], "one_in": one_in}
        return desk.call("PUT", path, json=terms, headers=version)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(change, range(2000, 2008)))
    won = [one for one in answers if one.status_code == 200]
    assert [412] * 7 == [one.status_code for one in answers if one not in won]
    assert won[0].json() == desk.get(path)
    assert 1 == len([event for event in desk.events() if event.startswith("permit changed")])


def post(desk: Desk, key: str, body: Any = VAN, role: Role = Role.ADMINISTRATOR) -> httpx.Response:
    return desk.call("POST", "/vehicles", json=body, headers={"Idempotency-Key": key}, role=role)


def test_call_that_is_repeated_is_done_once(desk: Desk) -> None:
    """The answer is the same; another call with its key is refused, and nobody else's key is."""
    first, again = post(desk, "k-1"), post(desk, "k-1")

    assert (201, first.content) == (again.status_code, again.content)
    assert first.headers["Location"] == again.headers["Location"]
    assert 1 == len(desk.get("/vehicles")["items"])
    assert 1 == desk.events().count("vehicle added by user:administrator")
    other = post(desk, "k-1", {"plate": "B 7 XYZ"})
    assert (422, "urn:postern:problem:key-reused") == (other.status_code, other.json()["type"])
    elsewhere = desk.call("POST", f"{ZOE}/withdrawal", json={}, headers={"Idempotency-Key": "k-1"})
    assert 422 == elsewhere.status_code
    assert 201 == post(desk, "k-1", {"plate": "B 7 XYZ"}, Role.ENROLLER).status_code


def test_call_that_failed_may_be_made_again(desk: Desk) -> None:
    """Its key stands for nothing: nothing came of it."""
    first = post(desk, "k-1")
    assert 409 == post(desk, "k-2").status_code
    desk.changed("DELETE", first.headers["Location"].removeprefix("/api/v1"))

    assert 201 == post(desk, "k-2").status_code


def test_what_a_call_made_and_is_gone_is_not_made_anew(desk: Desk) -> None:
    """A late repetition does not bring back what somebody has forgotten since."""
    first = post(desk, "k-1")
    desk.changed("DELETE", first.headers["Location"].removeprefix("/api/v1"))
    again = post(desk, "k-1")

    assert (410, "urn:postern:problem:gone") == (again.status_code, again.json()["type"])
    assert [] == desk.get("/vehicles")["items"]


def test_attack_one_call_sent_many_times_at_once(desk: Desk) -> None:
    """It is done once, and whoever sent it is told the same each time."""
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: post(desk, "k-1"), range(12)))

    assert {201} == {one.status_code for one in answers}
    assert 1 == len({one.content for one in answers})
    assert 1 == len(desk.get("/vehicles")["items"])


def test_of_a_repeated_call_nothing_is_kept_but_an_id(desk: Desk) -> None:
    """Neither what was sent nor what was answered; and it is forgotten after a day."""
    post(desk, "k-1")
    store, now = desk.site.store, desk.site.clock.now().utc
    (kept,) = (store.replies.find("user:administrator", "k-1", now - REMEMBERED),)

    assert kept is not None
    assert desk.get("/vehicles")["items"][0]["id"] == kept.subject
    assert store.replies.find("user:administrator", "k-1", now + timedelta(seconds=9)) is None


@pytest.mark.parametrize("key", ["", "a" * 65, "a b", "ä", "\x7f"])
def test_key_that_is_none_is_refused(desk: Desk, key: str) -> None:
    """With what is wrong; nothing is done."""
    headers = {b"Idempotency-Key": key.encode("latin-1"), ROLE.encode(): b"administrator"}
    answer = desk.client.post("/api/v1/vehicles", json=VAN, headers=headers)

    assert 422 == answer.status_code
    assert [] == desk.get("/vehicles")["items"]


def test_store_that_is_busy_is_nobodys_fault(desk: Desk) -> None:
    """Another program is writing: later, and not as a fault of a field."""
    with desk.site.store.together():
        answer = post(desk, "k-1")

    assert (503, "5") == (answer.status_code, answer.headers["Retry-After"])
    assert 201 == post(desk, "k-1").status_code
