"""What each role may do."""

import pytest

from postern.core.role import NOT_BY_KEY, RIGHTS, STEP_UP, Right, Role


def test_every_role_has_rights() -> None:
    """None is left out, and none has more than there are."""
    assert set(Role) == RIGHTS.keys()
    assert all(RIGHTS.values())


def test_auditor_sees_no_face_and_changes_nothing() -> None:
    """They read who may pass, what happened and its proofs."""
    assert {Right.READ, Right.READ_LOG, Right.EXPORT} == RIGHTS[Role.AUDITOR]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.GUARD])
def test_whoever_watches_learns_no_name(role: Role) -> None:
    """The register, the log and its export are for others."""
    assert not RIGHTS[role] & {Right.READ, Right.READ_LOG, Right.EXPORT, Right.ENROL}


def test_only_administrators_let_others_in() -> None:
    """Users and keys, permits and devices are theirs; so is everything else."""
    for right in (Right.ADMIT, Right.PERMIT, Right.SET_UP):
        assert {Role.ADMINISTRATOR} == {role for role in Role if right in RIGHTS[role]}
    assert set(Right) == RIGHTS[Role.ADMINISTRATOR]


def test_what_changes_or_takes_away_asks_once_more_who_it_is() -> None:
    """Looking does not; orders must not wait, and are recorded with who gave them."""
    assert set(Right) - {Right.WATCH, Right.READ, Right.READ_LOG, Right.ORDER} == STEP_UP


def test_no_key_makes_keys() -> None:
    """Whoever has lost their place has lost all of it."""
    assert Right.ADMIT in NOT_BY_KEY
