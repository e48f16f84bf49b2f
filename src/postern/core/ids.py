"""Names of things, one type per noun, so that one can never stand in for another."""

from typing import NewType

AccessPointId = NewType("AccessPointId", str)
AreaId = NewType("AreaId", str)
AttemptId = NewType("AttemptId", str)
CameraId = NewType("CameraId", str)
ConsentId = NewType("ConsentId", str)
CredentialId = NewType("CredentialId", str)
EventId = NewType("EventId", str)
KeyId = NewType("KeyId", str)
OrderId = NewType("OrderId", str)
PermitId = NewType("PermitId", str)
PersonId = NewType("PersonId", str)
UserId = NewType("UserId", str)
VehicleId = NewType("VehicleId", str)

#: Whoever may hold a credential. Person ids start with ``p-`` and vehicle ids with ``v-``, so the
#: two never collide where they share a mapping.
Holder = PersonId | VehicleId
