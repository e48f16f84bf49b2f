"""What those who work with the site may do: closed tables, so that an auditor can read them whole.

A role is given to whoever signs in, a right is asked for by whatever they do. A key of a program
has rights and no role.
"""

from collections.abc import Mapping
from enum import StrEnum


class Right(StrEnum):
    """Something that is allowed, or not."""

    #: The lanes as they are: pictures with nobody to be recognised in them, attempts, health.
    WATCH = "watch"
    #: An access point, once, by hand.
    OPEN = "open"
    #: Lockdown, free flow and evacuation.
    ORDER = "order"
    #: Who is registered: people, vehicles, consents, credentials, permits.
    READ = "read"
    #: To take in people, consents, vehicles and credentials.
    ENROL = "enrol"
    #: To withdraw consents, and to forget people and vehicles.
    ERASE = "erase"
    #: To add, change and remove permits.
    PERMIT = "permit"
    #: Events and their proofs; a person's own only with a reason, which that person is told.
    READ_LOG = "read_log"
    #: Events as a file.
    EXPORT = "export"
    #: Cameras, actuators, retention, backups, webhooks.
    SET_UP = "set_up"
    #: Users and keys.
    ADMIT = "admit"


class Role(StrEnum):
    """What somebody who signs in is there for."""

    VIEWER = "viewer"
    GUARD = "guard"
    ENROLLER = "enroller"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: frozenset({Right.WATCH}),
    Role.GUARD: frozenset({Right.WATCH, Right.OPEN, Right.ORDER}),
    Role.ENROLLER: frozenset({Right.WATCH, Right.READ, Right.ENROL, Right.ERASE}),
    Role.ADMINISTRATOR: frozenset(Right),
    # Reads what happened and who may pass, and never sees a face: no picture, no enrolment.
    Role.AUDITOR: frozenset({Right.READ, Right.READ_LOG, Right.EXPORT}),
}

#: What nobody does by an unlocked screen that somebody left: whoever does it has proven once more,
#: a few minutes ago at most, that it is they.
STEP_UP = frozenset(
    {Right.OPEN, Right.ENROL, Right.ERASE, Right.PERMIT, Right.EXPORT, Right.SET_UP, Right.ADMIT}
)

#: What no program may do: keys that made keys would outlive whoever gave them out.
NOT_BY_KEY = frozenset({Right.ADMIT})
