"""Users, passkeys, sessions, keys and codes in the store."""

from dataclasses import replace
from datetime import timedelta

import pytest

from postern.core.api_key import ApiKey
from postern.core.errors import Code, PosternError
from postern.core.ids import KeyId, UserId
from postern.core.role import Right, Role
from postern.core.user import User
from postern.store.passkeys import Passkey, passkey_id
from postern.store.sessions import Session
from postern.store.setup_codes import SetupCode
from postern.store.store import Store
from postern.store.users import Proofs
from tests.people import DAY, NOW

MARIA = User(UserId("user-1"), "maria", Role.ADMINISTRATOR, NOW)
GUS = User(UserId("user-2"), "gus", Role.GUARD, NOW)
NOBODY = UserId("user-0")
PHONE = Passkey(passkey_id(b"phone"), MARIA.id, b"phone", b"key", 3, "My phone", NOW)
PAYROLL = ApiKey(
    KeyId("key-1"), "payroll", frozenset({Right.READ, Right.ENROL}), NOW, NOW + DAY, "user:maria"
)


@pytest.fixture
def users(store: Store) -> Store:
    store.users.add(MARIA)
    store.users.add(GUS)
    return store


def test_users_are_read_back_as_they_were_added(users: Store) -> None:
    """With nothing to sign in by."""
    assert (GUS, MARIA) == users.users.all()
    assert MARIA == users.users.named("maria") == users.users.find(MARIA.id)
    assert Proofs() == users.users.proofs(MARIA.id)
    assert users.users.known("nobody") is None
    assert {MARIA.id, GUS.id} <= set(users.ids())


def test_name_that_is_taken_is_refused(users: Store) -> None:
    """The first one stays as it was."""
    with pytest.raises(PosternError) as taken:
        users.users.add(replace(GUS, id=UserId("user-3"), name="maria"))

    assert Code.CONFLICT is taken.value.code
    assert (GUS, MARIA) == users.users.all()


def test_what_is_unknown_is_not_found(users: Store) -> None:
    """Whatever is asked of it."""
    kept = users.users
    for ask in (
        lambda: kept.named("nobody"),
        lambda: kept.find(NOBODY),
        lambda: kept.proofs(NOBODY),
        lambda: kept.become(replace(MARIA, id=NOBODY)),
        lambda: kept.set_password(NOBODY, "x"),
        lambda: users.passkeys.remove(MARIA.id, PHONE.id),
        lambda: users.api_keys.named("payroll"),
    ):
        with pytest.raises(PosternError) as unknown:
            ask()
        assert Code.NOT_FOUND is unknown.value.code


def test_each_thing_that_changes_leaves_the_others(users: Store) -> None:
    """And other users."""
    users.users.become(replace(MARIA, role=Role.AUDITOR, enabled=False))
    users.users.set_password(MARIA.id, "$argon2id$")
    users.users.set_totp(MARIA.id, b"sealed", 7)

    assert replace(MARIA, role=Role.AUDITOR, enabled=False) == users.users.named("maria")
    assert Proofs("$argon2id$", b"sealed", 7) == users.users.proofs(MARIA.id)
    assert (GUS, Proofs()) == (users.users.named("gus"), users.users.proofs(GUS.id))
    assert "sealed" not in repr(users.users.proofs(MARIA.id))


def test_a_step_of_time_is_used_once(users: Store) -> None:
    """Nor is one before it used any more."""
    assert users.users.use_step(MARIA.id, 10)
    assert not users.users.use_step(MARIA.id, 10)
    assert not users.users.use_step(MARIA.id, 9)
    assert users.users.use_step(MARIA.id, 11)


def test_nobody_is_enabled_once_all_are_disabled(users: Store) -> None:
    """As after a restore."""
    users.users.disable_all()

    assert {False} == {user.enabled for user in users.users.all()}


def test_a_passkey_is_its_owners_alone(users: Store) -> None:
    """Another user cannot take it away."""
    users.passkeys.add(PHONE)
    with pytest.raises(PosternError):
        users.passkeys.remove(GUS.id, PHONE.id)
    assert (PHONE,) == users.passkeys.of(MARIA.id)
    assert () == users.passkeys.of(GUS.id)
    users.passkeys.remove(MARIA.id, PHONE.id)

    assert users.passkeys.known(PHONE.id) is None


def test_a_use_of_a_passkey_counts_once(users: Store) -> None:
    """Of two that happen at once, the second is told apart."""
    users.passkeys.add(PHONE)

    assert users.passkeys.use(PHONE, 4, NOW + DAY)
    assert not users.passkeys.use(PHONE, 4, NOW + DAY)
    assert replace(PHONE, sign_count=4, used=NOW + DAY) == users.passkeys.known(PHONE.id)
    users.passkeys.remove_all(MARIA.id)
    assert () == users.passkeys.of(MARIA.id)


def test_sessions_end_one_by_one_and_all_at_once(users: Store) -> None:
    """Another user's stay."""
    mine, other, theirs = (
        Session(token, user, NOW, NOW, NOW, NOW + DAY)
        for token, user in (("a", MARIA.id), ("b", MARIA.id), ("c", GUS.id))
    )
    for session in (mine, other, theirs):
        users.sessions.add(session)
    users.sessions.see("a", NOW + timedelta(minutes=5))
    assert replace(mine, seen=NOW + timedelta(minutes=5)) == users.sessions.known("a")
    assert users.sessions.end("a")
    assert not users.sessions.end("a")
    users.sessions.end_all(MARIA.id)

    assert [None, None, theirs] == [users.sessions.known(token) for token in "abc"]


def test_sessions_that_ran_out_are_forgotten(users: Store) -> None:
    """At their end, or where nobody was there; the others stay."""
    hour = timedelta(hours=1)
    users.sessions.add(Session("over", MARIA.id, NOW - DAY, NOW, NOW, NOW))
    users.sessions.add(Session("idle", MARIA.id, NOW, NOW - hour, NOW, NOW + DAY))
    users.sessions.add(Session("live", MARIA.id, NOW, NOW, NOW, NOW + DAY))
    users.sessions.forget(NOW, NOW - hour / 2)

    kept = [users.sessions.known(token) is not None for token in ("over", "idle", "live")]
    assert [False, False, True] == kept


def test_keys_are_found_by_their_secret_and_revoked(users: Store) -> None:
    """With the rights that they were given."""
    users.api_keys.add(PAYROLL, "ab" * 32)
    assert PAYROLL == users.api_keys.with_secret("ab" * 32) == users.api_keys.named("payroll")
    assert users.api_keys.with_secret("cd" * 32) is None
    users.api_keys.use(PAYROLL.id, NOW.date())
    assert (replace(PAYROLL, used=NOW.date()),) == users.api_keys.all()
    users.api_keys.remove(PAYROLL.id)

    assert () == users.api_keys.all()
    assert users.api_keys.with_secret("ab" * 32) is None


def test_a_name_of_a_key_is_taken_once(users: Store) -> None:
    """The log tells keys apart by it."""
    users.api_keys.add(PAYROLL, "ab" * 32)
    with pytest.raises(PosternError) as taken:
        users.api_keys.add(replace(PAYROLL, id=KeyId("key-2")), "cd" * 32)

    assert Code.CONFLICT is taken.value.code
    assert (PAYROLL,) == users.api_keys.all()


def test_a_code_takes_the_place_of_the_former_and_is_used_once(users: Store) -> None:
    """One for the first administrator, and one for each user."""
    for user in (None, MARIA.id):
        codes, name = users.setup_codes, str(user)
        codes.replace(f"old {name}", SetupCode(user, NOW))
        codes.replace(f"new {name}", SetupCode(user, NOW + DAY))
    for user in (None, MARIA.id):
        assert users.setup_codes.known(f"old {user}") is None
        assert SetupCode(user, NOW + DAY) == users.setup_codes.known(f"new {user}")
    assert users.setup_codes.use("new None")
    assert not users.setup_codes.use("new None")
    users.setup_codes.drop(MARIA.id)

    assert users.setup_codes.known(f"new {MARIA.id}") is None


def test_tries_are_counted_by_name_until_they_are_cleared(store: Store) -> None:
    """Each for itself."""
    tries = store.sign_in_tries
    assert (0, None) == tries.of("a")
    tries.note("a", 1, NOW)
    tries.note("a", 2, NOW + DAY)
    tries.note("b", 1, NOW)
    assert (2, NOW + DAY) == tries.of("a")
    tries.clear("a")

    assert (0, None) == tries.of("a")
    assert (1, NOW) == tries.of("b")


def test_tries_of_names_that_nobody_has_are_bounded(store: Store) -> None:
    """The oldest go first, and those of users never do."""
    tries = store.sign_in_tries
    for number in range(10):
        tries.note(f"n{number}", 6, NOW + timedelta(seconds=number))
    tries.trim(3, keep=["n0", "n4"])

    kept = [f"n{number}" for number in range(10) if tries.of(f"n{number}")[0]]
    assert ["n0", "n4", "n7", "n8", "n9"] == kept
