"""Who signs in, and keys for programs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from postern.core.api_key import MOST_VALID, ApiKey
from postern.core.errors import Code, PosternError
from postern.core.ids import KeyId, UserId
from postern.core.role import Right, Role
from postern.core.user import User
from tests.people import DAY, NOW

MARIA = User(UserId("user-1"), "maria", Role.VIEWER, NOW)
KEY = ApiKey(KeyId("key-1"), "payroll", frozenset({Right.READ}), NOW, NOW + DAY, "user:maria")


@pytest.mark.parametrize("name", ["m", "maria", "gate-2", "m.k_9", "a" * 32])
def test_names_that_are_good_for_a_user_and_a_key(name: str) -> None:
    """Short words that are the same however they are typed."""
    assert f"user:{name}" == replace(MARIA, name=name).by
    assert name == replace(KEY, name=name).name


@pytest.mark.parametrize(
    "name", ["", "Maria", "2nd", "a" * 33, "a b", "a\n", "a:b", "mária", "../a", "<b>", "-a", "a/b"]
)
def test_names_that_are_not(name: str) -> None:
    """What could be taken for another, or for markup, a path or a line of its own."""
    for build in (lambda: replace(MARIA, name=name), lambda: replace(KEY, name=name)):
        with pytest.raises(PosternError) as refused:
            build()
        assert Code.INVALID is refused.value.code


def test_ids_are_told_apart() -> None:
    """A user is no key."""
    with pytest.raises(PosternError):
        replace(MARIA, id=UserId("key-1"))
    with pytest.raises(PosternError):
        replace(KEY, id=KeyId("user-1"))


@pytest.mark.parametrize("rights", [set(), {Right.ADMIT}, {Right.READ, Right.ADMIT}])
def test_attack_key_with_rights_that_no_key_may_have(rights: set[Right]) -> None:
    """One that made users would outlive whoever gave it out."""
    with pytest.raises(PosternError) as refused:
        replace(KEY, rights=frozenset(rights))
    assert Code.INVALID is refused.value.code


@pytest.mark.parametrize(
    "valid", [timedelta(0), timedelta(days=-1), MOST_VALID + timedelta(seconds=1)]
)
def test_a_key_ends_and_not_too_late(valid: timedelta) -> None:
    """Nobody remembers what lasts for ever."""
    with pytest.raises(PosternError):
        replace(KEY, expires=NOW + valid)
    assert NOW + MOST_VALID == replace(KEY, expires=NOW + MOST_VALID).expires


def test_a_key_counts_from_its_making_to_its_end() -> None:
    """Not a moment later, and not before."""
    at = [NOW - timedelta(seconds=1), NOW, NOW + DAY - timedelta(seconds=1), NOW + DAY]

    assert [False, True, True, False] == [KEY.holds(now) for now in at]
