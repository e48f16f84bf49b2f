"""Permits over the network."""

from typing import Any

import pytest

from tests.api.registry import Desk, faults
from tests.cli.terminal import postern

DOOR: dict[str, Any] = {"people": ["p-zoe"], "access_points": ["door"]}


def van(desk: Desk) -> str:
    return str(desk.call("POST", "/vehicles", json={"plate": "B 123 ABC"}).json()["id"])


def test_permit_asks_for_what_the_command_asks_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same factors and bounds, for people, vehicles and both."""
    monkeypatch.chdir(desk.site.site.file.parent)
    id_ = van(desk)
    for options, terms in (
        (("--person", "p-zoe", "--at", "door"), DOOR),
        (("--vehicle", "B123ABC", "--at", "barrier"),
         {"vehicles": [id_], "access_points": ["barrier"]}),
        (("--person", "p-zoe", "--vehicle", "B123ABC", "--at", "barrier", "--one-in", "5000",
          "--liveness", "--schedule", "office"),
         {"people": ["p-zoe"], "vehicles": [id_], "access_points": ["barrier"], "one_in": 5000,
          "liveness": True, "schedule": "office"}),
    ):  # fmt: skip
        before = {one["id"] for one in desk.walked("/permits")}
        assert 0 == postern("permit", "add", *options).code
        made = desk.call("POST", "/permits", json=terms)
        typed, sent = (
            {k: v for k, v in one.items() if k not in ("id", "valid_from")}
            for one in desk.walked("/permits") if one["id"] not in before
        )  # fmt: skip

        assert 201 == made.status_code
        assert typed == sent


def test_permit_is_made_changed_and_taken_away(desk: Desk) -> None:
    """Each is recorded; a change is of the whole, and keeps when it began."""
    made = desk.call("POST", "/permits", json=DOOR)
    permit, path = made.json()["permit"], made.headers["Location"].removeprefix("/api/v1")

    assert made.json() == desk.get(path)
    assert ["p-zoe"] == permit["people"]
    assert [{"factor": "face", "max_false_accept": 0.001}] == permit["factors"]
    terms = {
        **DOOR, "people": ["p-zoe", "p-ömer"], "schedule": "office",
        "valid_until": "2099-01-01T00:00:00+02:00",
    }  # fmt: skip
    changed = desk.changed("PUT", path, json=terms)
    assert 200 == changed.status_code
    kept = desk.get(path)["permit"]
    assert changed.json()["permit"] == kept
    assert ("office", permit["valid_from"], "2098-12-31T22:00:00Z") == (
        kept["schedule"]["name"], kept["valid_from"], kept["valid_until"],
    )  # fmt: skip
    assert 204 == desk.changed("DELETE", path).status_code
    assert [
        f"permit {what} by user:administrator" for what in ("removed", "changed", "added")
    ] == desk.events()[:3]
    assert [] == desk.get("/permits")["items"]


def test_permit_says_what_keeps_it_from_opening(desk: Desk) -> None:
    """What the command warns of."""
    terms = {"people": ["p-zoe"], "access_points": ["barrier", "door"], "liveness": True}
    made = desk.call("POST", "/permits", json=terms).json()

    assert [
        "Zoe has not agreed to be recognised at barrier: it will not open for them.",
        f"{made['permit']['id']} asks for a face, and no camera at barrier sees any.",
        f"{made['permit']['id']} asks for a live person, which nothing here can establish.",
    ] == made["warnings"]
    assert [] == desk.call("POST", "/permits", json=DOOR).json()["warnings"]


def test_permits_are_listed_by_holder_and_by_access_point(desk: Desk) -> None:
    """Page by page; of somebody unknown there are none."""
    id_ = van(desk)
    for _ in range(4):
        desk.call("POST", "/permits", json=DOOR)
        desk.call("POST", "/permits", json={"vehicles": [id_], "access_points": ["barrier"]})

    assert 8 == len({one["id"] for one in desk.walked("/permits", limit=3)})
    assert [["p-zoe"]] * 4 == [o["people"] for o in desk.walked("/permits", holder="p-zoe")]
    assert [[id_]] * 4 == [
        o["vehicles"] for o in desk.walked("/permits", access_point="barrier", limit=1)
    ]
    assert [] == desk.walked("/permits", holder=id_, access_point="door")
    assert [] == desk.walked("/permits", holder="p-nobody")


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({**DOOR, "people": ["p-nobody"]}, "people"),
        ({**DOOR, "people": "p-zoe"}, "people"),
        ({**DOOR, "people": [7]}, "people"),
        ({**DOOR, "people": ["p-zoe"] * 2001}, "people"),
        ({**DOOR, "vehicles": ["v-none"]}, "vehicles"),
        ({**DOOR, "access_points": ["roof"]}, "access_points"),
        ({**DOOR, "access_points": []}, "access_points"),
        ({"people": ["p-zoe"]}, "data"),
        ({**DOOR, "schedule": "never"}, "schedule"),
        ({**DOOR, "schedule": ""}, "schedule"),
        ({**DOOR, "one_in": 1}, "one_in"),
        ({**DOOR, "one_in": 1.5}, "one_in"),
        ({**DOOR, "one_in": 10**10}, "one_in"),
        ({**DOOR, "liveness": "yes"}, "liveness"),
        ({**DOOR, "valid_from": "tomorrow"}, "valid_from"),
        ({**DOOR, "valid_from": "2026-01-01T00:00:00"}, "valid_from"),
        ({**DOOR, "valid_until": "0001-01-01T00:00:00+14:00"}, "valid_until"),
        ({**DOOR, "valid_until": "2001-01-01T00:00:00Z"}, "valid_until"),
        ({**DOOR, "factors": ["pass"]}, "data"),
    ],
)
def test_permit_that_is_none_is_refused(desk: Desk, terms: object, field: str) -> None:
    """With the field, what is wrong and, where it is ours to say, what is allowed."""
    answer = desk.call("POST", "/permits", json=terms)

    (found,) = faults(answer)
    assert field == found.split("[")[0]
    assert [] == desk.get("/permits")["items"]
    assert not [event for event in desk.events() if "permit" in event]


def test_permit_for_nobody_is_refused(desk: Desk) -> None:
    """It names people, vehicles, or both."""
    answer = desk.call("POST", "/permits", json={"access_points": ["door"]})

    assert (422, "A permit names people, vehicles, or both.") == (
        answer.status_code, answer.json()["detail"],
    )  # fmt: skip
