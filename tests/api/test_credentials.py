"""Credentials over the network."""

import json

import pytest

from postern.core.consent import StorageMode
from postern.core.role import Role
from tests.api.registry import Desk, faults
from tests.cli.enrolled import enrol


def face(desk: Desk) -> str:
    (one,) = desk.get("/credentials?holder=p-zoe")["items"]
    return str(one["id"])


def test_credential_is_switched_off_and_on(desk: Desk) -> None:
    """Each is recorded once; the references of an access point go and come with it."""
    path = f"/credentials/{face(desk)}"
    off = desk.changed("PATCH", path, json={"enabled": False}, role=Role.ENROLLER)

    assert (200, False) == (off.status_code, off.json()["enabled"])
    assert off.json() == desk.get(path)
    assert "credential switched off by user:enroller" == desk.events()[0]
    count = len(desk.events())
    desk.changed("PATCH", path, json={"enabled": False})
    assert count == len(desk.events())
    assert desk.changed("PATCH", path, json={"enabled": True}).json()["enabled"]
    assert "credential switched on by user:administrator" == desk.events()[0]


def test_reference_on_the_roster_is_ended_with_its_key(desk: Desk) -> None:
    """And nobody else's."""
    path = f"/credentials/{face(desk)}"
    answer = desk.changed("DELETE", path)

    assert 204 == answer.status_code
    assert {"p-ömer"} == {owner for owner, _ in desk.site.vault.keyed()}
    assert [] == desk.get("/credentials?holder=p-zoe")["items"]
    assert ["credential ended by user:administrator", "revoked"] == desk.events()[:2]
    assert 404 == desk.call("DELETE", path, headers={"If-Match": "*"}).status_code


@pytest.mark.parametrize("mode", [StorageMode.PASS, StorageMode.SHARED])
def test_pass_is_ended_with_what_it_carries_or_opens(desk: Desk, mode: StorageMode) -> None:
    """Its key is destroyed; it cannot be switched on again, and its reference not end alone."""
    enrol(desk.site.site.file.parent, "Ida", mode)
    held = {one["factor"]: one for one in desk.get("/credentials?holder=p-ida")["items"]}
    carried, shown = f"/credentials/{held['face']['id']}", f"/credentials/{held['pass']['id']}"
    alone = desk.changed("DELETE", carried)

    assert mode == held["face"]["mode"]
    assert (409, f"End {held['pass']['id']} instead.") == (alone.status_code, alone.json()["hint"])
    assert "p-ida" in {owner for owner, _ in desk.site.vault.keyed()}
    assert 204 == desk.changed("DELETE", shown).status_code
    assert "p-ida" not in {owner for owner, _ in desk.site.vault.keyed()}
    assert 404 == desk.call("GET", carried).status_code
    assert ["credential ended by user:administrator", "revoked"] == desk.events()[:2]
    assert not desk.get(shown)["enabled"]
    again = desk.changed("PATCH", shown, json={"enabled": True})
    assert (409, "Issue another: postern pass issue") == (again.status_code, again.json()["hint"])
    assert 204 == desk.changed("DELETE", shown).status_code
    assert 1 == desk.events().count("credential ended by user:administrator")


def test_plate_ends_with_its_vehicle_only(desk: Desk) -> None:
    """A vehicle without its plate would be none."""
    id_ = desk.call("POST", "/vehicles", json={"plate": "B 123 ABC"}).json()["id"]
    answer = desk.changed("DELETE", f"/credentials/plate-{id_}")

    assert (409, "Remove the vehicle.") == (answer.status_code, answer.json()["hint"])


def test_credentials_are_of_one_known_holder(desk: Desk) -> None:
    """There is no list of all, and nobody is found by what they are recognised by."""
    assert {"holder"} == faults(desk.call("GET", "/credentials?holder=p-nobody")).keys()
    assert {"holder"} == faults(desk.call("GET", "/credentials?holder=v-nobody")).keys()
    assert 422 == desk.call("GET", "/credentials").status_code
    assert 422 == desk.call("GET", "/credentials?holder=p-zoe&factor=face").status_code


def test_switch_is_true_or_false(desk: Desk) -> None:
    """And nothing else is changed by it."""
    path = f"/credentials/{face(desk)}"
    assert {"enabled"} == faults(desk.changed("PATCH", path, json={"enabled": "no"})).keys()
    assert 422 == desk.changed("PATCH", path, json={}).status_code
    assert 422 == desk.changed("PATCH", path, json={"enabled": True, "mode": "pass"}).status_code


def test_secrets_of_credentials_are_never_shown(desk: Desk) -> None:
    """Neither the sealed reference nor the model that made it."""
    kept = desk.site.store.credentials.of(desk.site.store.people.all()[1].id)[0]
    sealed = desk.site.store.credentials.reference(kept.id).blob
    shown = desk.call("GET", f"/credentials/{kept.id}").text

    assert {"id", "holder", "factor", "enabled", "valid_from", "valid_until", "mode"} == set(
        json.loads(shown)
    )
    assert sealed.hex() not in shown
    assert str(kept.model) not in shown
