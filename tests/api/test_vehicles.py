"""Vehicles over the network."""

import pytest

from postern.core.role import Role
from tests.api.registry import Desk, faults


def test_vehicle_is_registered_shown_and_forgotten(desk: Desk) -> None:
    """With its plate as its credential; who did it is recorded each time."""
    answer = desk.call(
        "POST", "/vehicles", json={"plate": "b-123 abc", "label": "van"}, role=Role.ENROLLER
    )
    van = answer.json()

    assert (201, "B123ABC", "van") == (answer.status_code, van["plate"], van["label"])
    path = answer.headers["Location"].removeprefix("/api/v1")
    assert van == desk.get(path)
    assert answer.headers["ETag"] == desk.version(path)["If-Match"]
    (plate,) = desk.get("/credentials", params={"holder": van["id"]})["items"]
    assert ("plate", True, None) == (plate["factor"], plate["enabled"], plate["mode"])
    assert ["vehicle added by user:enroller", "enrolled"] == desk.events()[:2]
    assert 204 == desk.changed("DELETE", path).status_code
    assert 404 == desk.call("GET", path).status_code
    assert "vehicle removed by user:administrator" == desk.events()[0]


def test_vehicles_are_found_by_a_part_of_their_plate(desk: Desk) -> None:
    """However it is written; by plate, page by page."""
    for number in range(7):
        desk.call("POST", "/vehicles", json={"plate": f"B {number}00 XY"})

    plates = [f"B{number}00XY" for number in range(7)]
    assert plates == [one["plate"] for one in desk.walked("/vehicles", limit=3)]
    assert plates == [one["label"] for one in desk.walked("/vehicles", plate="00-x")]
    assert ["B300XY"] == [one["plate"] for one in desk.walked("/vehicles", plate="b3")]
    assert {"plate"} == faults(desk.call("GET", "/vehicles?plate=B*")).keys()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"plate": "B"}, "plate"),
        ({"plate": "B*23"}, "plate"),
        ({"plate": "BÄ123"}, "plate"),
        ({"plate": "B" * 33}, "plate"),
        ({"plate": None}, "plate"),
        ({"plate": "B123", "label": "a\tb"}, "label"),
        ({"plate": "B123", "label": "x" * 121}, "label"),
        ({"plate": "B123", "owner": "Zoe"}, "data"),
        ({"label": "van"}, "data"),
        ([], "data"),
    ],
)
def test_vehicle_that_is_none_is_refused(desk: Desk, body: object, field: str) -> None:
    """With what is wrong; nothing is kept of it."""
    answer = desk.call("POST", "/vehicles", json=body)

    assert {field} == faults(answer).keys()
    assert all(faults(answer).values())
    assert [] == desk.get("/vehicles")["items"]


def test_plate_is_registered_once(desk: Desk) -> None:
    """Whoever comes second is told."""
    assert 201 == desk.call("POST", "/vehicles", json={"plate": "B 123 ABC"}).status_code
    answer = desk.call("POST", "/vehicles", json={"plate": "b123abc"})

    assert (409, "urn:postern:problem:conflict") == (answer.status_code, answer.json()["type"])
