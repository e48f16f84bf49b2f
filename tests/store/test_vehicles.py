"""Vehicles in the store."""

from dataclasses import replace

import pytest

from postern.core.errors import Code, PosternError
from postern.core.ids import VehicleId
from postern.store.store import Store
from tests.people import GARAGE, VAN


def test_vehicle_is_found_by_id_and_by_plate(site: Store) -> None:
    """However its plate is written."""
    assert GARAGE[0] == site.vehicles.find(VAN)
    assert GARAGE[0] == site.vehicles.with_plate("b van-101")
    assert {vehicle.plate for vehicle in GARAGE} == {v.plate for v in site.vehicles.all()}


def test_plate_is_registered_once(site: Store) -> None:
    """Two vehicles never share one."""
    with pytest.raises(PosternError, match="BVAN101") as refused:
        site.vehicles.add(replace(GARAGE[0], id=VehicleId("v-other")))

    assert Code.CONFLICT is refused.value.code
    assert 3 == len(site.vehicles.all())


def test_vehicle_id_is_taken_once(site: Store) -> None:
    """A taken id is a conflict."""
    with pytest.raises(PosternError) as refused:
        site.vehicles.add(replace(GARAGE[0], plate="B999XYZ"))

    assert Code.CONFLICT is refused.value.code


def test_removing_a_vehicle_forgets_its_credentials_and_permits(site: Store) -> None:
    """Nothing of it stays."""
    site.vehicles.remove(VAN)

    assert () == site.credentials.of(VAN)
    assert "van" not in [permit.id for permit in site.permits.all()]
    with pytest.raises(PosternError) as gone:
        site.vehicles.find(VAN)
    assert Code.NOT_FOUND is gone.value.code
    with pytest.raises(PosternError):
        site.vehicles.remove(VAN)
    with pytest.raises(PosternError):
        site.vehicles.with_plate("BVAN101")
