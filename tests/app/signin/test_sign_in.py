"""Signing in by a password and a code, and what becomes of sessions."""

from base64 import b32decode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from postern.app.signin.sessions import FRESH, IDLE, LONGEST
from postern.core.errors import Code, PosternError
from postern.core.role import RIGHTS, Role
from postern.core.user import User
from postern.web.problem import RefusedError
from postern.web.sign_in import CodeWanted, Opened
from tests.app.signin.front_desk import GUSS, HERE, MARIAS, NOBODYS, FrontDesk


@pytest.fixture
def maria(front: FrontDesk) -> User:
    return front.reception.office.users.named("maria")


@pytest.fixture
def coded(front: FrontDesk, maria: User) -> User:
    """Maria, who has codes."""
    front.give_codes(maria)
    front.notebook.events.clear()
    return maria


def kind(call: Callable[[], object]) -> str:
    """The problem that a call ends with; empty where it does not."""
    try:
        call()
    except RefusedError as error:
        return error.kind
    except PosternError as error:
        return error.code.value
    return ""


def halfway(front: FrontDesk) -> str:
    """The ticket of Maria, whose password was right."""
    wanted = front.reception.sign_in.by_password("maria", MARIAS, HERE)
    assert isinstance(wanted, CodeWanted)
    return wanted.ticket


def test_password_opens_a_session_with_the_rights_of_the_role(front: FrontDesk) -> None:
    """Which is an event, and one under a token that nobody else is given."""
    opened, other = front.enter("gus", GUSS), front.enter("gus", GUSS)
    caller = front.reception.callers.by_session(opened.token)

    assert caller is not None
    assert ("user:gus", RIGHTS[Role.GUARD], True) == (caller.by, caller.rights, caller.fresh)
    assert opened.token != other.token
    assert 43 == len(opened.token)
    assert ("signed in", opened.user.id, "user:gus") == front.told()[0]
    assert opened.token not in repr(opened)


@pytest.mark.parametrize(
    ("name", "password"), [("maria", NOBODYS), ("maria", ""), ("nobody", MARIAS), ("Maria", MARIAS)]
)
def test_attack_answers_do_not_tell_who_there_is(
    front: FrontDesk, name: str, password: str
) -> None:
    """The same words and the same work, whatever is wrong."""
    with pytest.raises(RefusedError) as refused:
        front.reception.sign_in.by_password(name, password, HERE)

    assert (401, "wrong") == (refused.value.status, refused.value.kind)
    assert "The name, the password or the code is wrong." == refused.value.message
    assert [password] == front.hasher.compared
    assert ["$argon2id$v=19$m=8,t=1,p=1"] == front.hasher.costs
    assert [] == front.told()


def test_attack_neither_what_is_off_nor_what_has_no_password_is_told_apart(
    front: FrontDesk,
) -> None:
    """Somebody who was shut out, and somebody who has not set a password yet."""
    users = front.reception.office.users
    users.add("new", Role.VIEWER, "user:maria")
    users.disable("gus", "user:maria")
    for name, password in (("gus", GUSS), ("gus", NOBODYS), ("new", ""), ("new", NOBODYS)):
        front.hasher.compared.clear()
        assert "wrong" == kind(lambda n=name, p=password: front.enter(n, p))  # type: ignore[misc]
        assert [password] == front.hasher.compared
    assert ["$argon2id$v=19$m=8,t=1,p=1"] * 4 == front.hasher.costs


def test_attack_work_in_the_store_is_the_same_for_whatever_name(front: FrontDesk) -> None:
    """As many writes; each waits for the disk, which can be measured from far away."""
    written, sign_in = [], front.reception.sign_in.by_password
    for name in ("maria", "nobody"):
        for _ in range(6):
            before = front.desk.store.version()
            kind(lambda n=name: sign_in(n, NOBODYS, ""))  # type: ignore[misc]
            written.append(front.desk.store.version() - before)

    assert written[:6] == written[6:]
    assert 2 == len(front.notebook.events)


def test_where_there_are_codes_the_password_is_half_of_it(front: FrontDesk, coded: User) -> None:
    """There is no session before the code."""
    ticket = halfway(front)
    assert [] == front.told()
    opened = front.reception.sign_in.by_code(ticket, front.code(coded), HERE)

    assert front.reception.callers.by_session(opened.token)
    assert [("signed in", coded.id, "user:maria")] == front.told()


def test_attack_code_that_was_seen_is_used_again(front: FrontDesk, coded: User) -> None:
    """Nor does one count that came before it; the next one does."""
    former, code = front.code(coded, -1), front.code(coded)
    front.reception.sign_in.by_code(halfway(front), code, HERE)

    for replayed in (code, former):
        ticket = halfway(front)
        assert "wrong" == kind(
            lambda t=ticket, c=replayed: front.reception.sign_in.by_code(t, c, HERE)  # type: ignore[misc]
        )
    assert "" == kind(
        lambda: front.reception.sign_in.by_code(halfway(front), front.code(coded, 1), HERE)
    )


def test_attack_first_code_of_all_is_used_to_sign_in(front: FrontDesk, maria: User) -> None:
    """The one by which the app showed that it has them."""
    offered = front.reception.own.offer_codes(maria)
    front.secrets["maria"] = b32decode(offered.secret)
    code = front.code(maria)
    front.reception.own.take_codes(maria, offered.ticket, code)

    assert "wrong" == kind(lambda: front.reception.sign_in.by_code(halfway(front), code, HERE))


def test_attack_codes_are_guessed(front: FrontDesk, coded: User) -> None:
    """By somebody who has the password; knowing it takes nothing back of what was counted."""
    heard = []
    for _ in range(6):
        wanted = kind(lambda: heard.append(halfway(front)))
        if wanted:
            break
        heard[-1] = kind(
            lambda t=heard[-1]: front.reception.sign_in.by_code(t, "000000", "")  # type: ignore[misc]
        )

    assert ["wrong"] * 5 == heard
    assert "too-many-tries" == wanted
    assert ("sign-in blocked", coded.id, "sign-in") in front.told()


def test_attack_ticket_that_is_over(front: FrontDesk, coded: User) -> None:
    """Used, too old, made up, or given before the password was changed."""
    used, old, changed = halfway(front), halfway(front), halfway(front)
    by_code = front.reception.sign_in.by_code
    by_code(used, front.code(coded), HERE)
    assert "stale" == kind(lambda: by_code(used, front.code(coded, 1), HERE))
    assert "stale" == kind(lambda: by_code("made up", front.code(coded, 1), HERE))
    front.desk.store.users.set_password(coded.id, front.hasher.hashed(NOBODYS))
    assert "wrong" == kind(lambda: by_code(changed, front.code(coded, 1), HERE))
    front.clock.advance(300.0)
    assert "stale" == kind(lambda: by_code(old, front.code(coded, 1), HERE))


def test_attack_user_is_shut_out_between_password_and_code(front: FrontDesk, coded: User) -> None:
    """The password counts for nothing any more."""
    ticket, code = halfway(front), front.code(coded)
    front.desk.store.users.become(replace(coded, enabled=False))

    assert "wrong" == kind(lambda: front.reception.sign_in.by_code(ticket, code, HERE))


@pytest.mark.parametrize("how", ["reset", "disable"])
def test_attack_user_is_shut_out_while_the_password_is_computed(front: FrontDesk, how: str) -> None:
    """What was right at the beginning has to be so at the end."""
    users = front.reception.office.users
    shut_out = {"reset": users.reset, "disable": users.disable}[how]
    front.hasher.meanwhile = lambda: shut_out("gus", "user:maria")
    before = len(_tokens(front))

    assert "wrong" == kind(lambda: front.enter("gus", GUSS))
    assert before - 1 == len(_tokens(front))


@pytest.mark.parametrize(
    ("after", "stands"),
    [
        (timedelta(0), True),
        (IDLE - timedelta(seconds=1), True),
        (IDLE, False),
        (timedelta(seconds=-1), False),
    ],
)
def test_session_ends_where_nobody_is_there(
    front: FrontDesk, after: timedelta, stands: bool
) -> None:
    """And one from the future counts for nothing."""
    opened = front.enter()
    front.clock.advance(after.total_seconds())

    assert stands is (front.reception.callers.by_session(opened.token) is not None)


def test_attack_session_of_a_user_who_may_not_sign_in(front: FrontDesk) -> None:
    """However it came to be: that is seen at every call."""
    opened = front.enter()
    front.desk.store.users.disable_all()

    assert front.reception.callers.by_session(opened.token) is None


def test_session_ends_after_a_days_work(front: FrontDesk) -> None:
    """However busy somebody is."""
    opened, spent = front.enter(), timedelta(0)
    while spent < LONGEST:
        assert front.reception.callers.by_session(opened.token)
        front.clock.advance(1200.0)
        spent += timedelta(seconds=1200)

    assert front.reception.callers.by_session(opened.token) is None


def test_sessions_that_are_over_are_forgotten(front: FrontDesk) -> None:
    """At the next sign-in of anybody."""
    front.enter()
    front.clock.advance(LONGEST.total_seconds())
    opened = front.enter("gus", GUSS)

    assert front.reception.callers.by_session(opened.token)
    assert 1 == front.folder.joinpath("postern.db").exists()
    assert 1 == len(_tokens(front))


def test_proof_is_fresh_for_minutes(front: FrontDesk) -> None:
    """Then it is asked for again, and that is an event."""
    opened = front.enter()
    front.clock.advance(FRESH.total_seconds() - 1.0)
    assert _fresh(front, opened)
    front.clock.advance(1.0)
    assert not _fresh(front, opened)
    standing = front.reception.sessions.standing(opened.token)
    assert standing is not None
    renewed = front.reception.sign_in.prove(standing, MARIAS, None, HERE)

    assert _fresh(front, renewed)
    assert ("proved again who they are", opened.user.id, "user:maria") == front.told()[-1]


def test_attack_fixated_session_is_worth_nothing_after_the_proof(front: FrontDesk) -> None:
    """Whoever planted the former token in a browser is left behind, and it ends when it would."""
    opened = front.enter()
    front.clock.advance(600.0)
    standing = front.reception.sessions.standing(opened.token)
    assert standing is not None
    renewed = front.reception.sign_in.prove(standing, MARIAS, None, HERE)

    assert renewed.token != opened.token
    assert front.reception.callers.by_session(opened.token) is None
    kept = front.reception.sessions.standing(renewed.token)
    assert kept is not None
    assert standing.session.expires == kept.session.expires


def test_attack_proof_by_the_password_of_another(front: FrontDesk, coded: User) -> None:
    """Nor by a password alone where there are codes."""
    opened = front.enter("gus", GUSS)
    guard = front.reception.sessions.standing(opened.token)
    assert guard is not None
    prove = front.reception.sign_in.prove
    assert "wrong" == kind(lambda: prove(guard, MARIAS, None, HERE))
    admin = replace(guard, user=coded)
    assert "wrong" == kind(lambda: prove(admin, MARIAS, None, HERE))
    assert "wrong" == kind(lambda: prove(admin, NOBODYS, front.code(coded), HERE))

    assert "" == kind(lambda: prove(admin, MARIAS, front.code(coded, 1), HERE))


@pytest.mark.parametrize("how", ["disable", "role", "reset", "password", "codes removed"])
def test_attack_session_goes_on_after_it_should_have_ended(
    front: FrontDesk, coded: User, how: str
) -> None:
    """Every session of a user ends with what they were let in by."""
    front.add("boss", Role.ADMINISTRATOR, NOBODYS)
    opened = front.reception.sign_in.by_code(halfway(front), front.code(coded), HERE)
    others = front.enter("gus", GUSS)
    users, own = front.reception.office.users, front.reception.own
    new = "nine yellow herons"
    {
        "disable": lambda: users.disable("maria", "user:boss"),
        "role": lambda: users.give_role("maria", Role.AUDITOR, "user:boss"),
        "reset": lambda: users.reset("maria", "user:boss"),
        "password": lambda: own.change_password(coded, MARIAS, new, front.code(coded, 1), HERE),
        "codes removed": lambda: own.drop_codes(coded, MARIAS, new, front.code(coded, 1), HERE),
    }[how]()

    assert front.reception.callers.by_session(opened.token) is None
    assert front.reception.callers.by_session(others.token)


def test_users_change_their_own_password(front: FrontDesk, maria: User) -> None:
    """With the former one, to one that may be chosen; whoever does it stays signed in."""
    change, new = front.reception.own.change_password, "nine yellow herons"
    assert "wrong" == kind(lambda: change(maria, NOBODYS, new, None, HERE))
    assert "invalid" == kind(lambda: change(maria, MARIAS, "short", None, HERE))
    assert "invalid" == kind(lambda: change(maria, MARIAS, "maria at North gate", None, HERE))
    opened = change(maria, MARIAS, new, None, HERE)

    assert front.reception.callers.by_session(opened.token)
    assert ("password changed", maria.id, "user:maria") == front.told()[-1]
    assert "wrong" == kind(front.enter)
    assert "" == kind(lambda: front.enter("maria", new))


def test_attack_short_password_stays_when_codes_go(front: FrontDesk, coded: User) -> None:
    """Beside codes eight characters do; alone they do not."""
    own = front.reception.own
    own.change_password(coded, MARIAS, "my heron", front.code(coded), HERE)
    drop, code = own.drop_codes, front.code(coded, 1)
    assert "invalid" == kind(lambda: drop(coded, "my heron", "my heron", code, HERE))
    drop(coded, "my heron", MARIAS, code, HERE)

    assert not own.has_codes(coded)
    assert isinstance(front.enter(), Opened)


def test_attack_codes_that_were_offered_to_another(front: FrontDesk, maria: User) -> None:
    """A ticket is for one user, and counts once, with a code of the new ones."""
    gus, own = front.reception.office.users.named("gus"), front.reception.own
    offered = own.offer_codes(maria)
    front.secrets["maria"] = b32decode(offered.secret)
    code = front.code(maria)
    assert "stale" == kind(lambda: own.take_codes(gus, offered.ticket, code))
    assert "invalid" == kind(lambda: own.take_codes(maria, offered.ticket, "000000"))
    assert not own.has_codes(maria)
    own.take_codes(maria, offered.ticket, code)
    assert own.has_codes(maria)

    assert "stale" == kind(lambda: own.take_codes(maria, offered.ticket, code))
    assert ("codes added", maria.id, "user:maria") == front.told()[-1]


def test_attack_stolen_database_signs_nobody_in(front: FrontDesk, coded: User) -> None:
    """Nothing of what was ever typed or shown is in it, and what is in it opens nothing."""
    opened = front.reception.sign_in.by_code(halfway(front), front.code(coded), HERE)
    key, shown = front.reception.office.keys.add("payroll", {*RIGHTS[Role.VIEWER]}, 9, "user:maria")
    first = front.reception.office.codes.for_administrator("terminal:root")
    stolen = b"".join(path.read_bytes() for path in front.folder.iterdir())
    secrets = opened.token, shown, shown.rpartition("_")[2], MARIAS, GUSS, first
    letters = first.replace("-", "")

    assert key.id.encode() in stolen
    assert not [one for one in (*secrets, letters) if one.encode() in stolen]
    assert front.secrets["maria"] not in stolen
    for token in _tokens(front):
        assert front.reception.callers.by_session(token) is None
    for hidden in _secrets(front):
        assert front.reception.callers.by_key(hidden) is None
        assert front.reception.callers.by_key(f"{key.id.replace('key-', 'pk_')}_{hidden}") is None
    assert front.reception.callers.by_session(opened.token)
    assert front.reception.callers.by_key(shown)


def test_what_a_reader_of_the_log_learns_of_it(front: FrontDesk, coded: User) -> None:
    """No password, no code, no address, no token."""
    kind(lambda: front.enter("maria", NOBODYS))
    opened = front.reception.sign_in.by_code(halfway(front), front.code(coded), HERE)
    written = repr(front.notebook.events)

    for secret in (MARIAS, NOBODYS, HERE, opened.token, front.code(coded)):
        assert secret not in written


def test_full_store_signs_nobody_in(front: FrontDesk) -> None:
    """What is not recorded has not happened."""
    front.notebook.append = _refuses  # type: ignore[method-assign, assignment]

    before = _tokens(front)
    assert "unavailable" == kind(front.enter)
    assert before == _tokens(front)


def _refuses(_event: object) -> None:
    raise PosternError(Code.UNAVAILABLE, "The disk is full.")


def _fresh(front: FrontDesk, opened: Opened) -> bool:
    caller = front.reception.callers.by_session(opened.token)
    assert caller is not None
    return caller.fresh


def _tokens(front: FrontDesk) -> list[str]:
    return _column(front, "SELECT token FROM sessions WHERE user != '' ORDER BY created")


def _secrets(front: FrontDesk) -> list[str]:
    return _column(front, "SELECT secret FROM api_keys")


def _column(front: FrontDesk, query: str) -> list[str]:
    with front.desk.store._database.reading() as connection:
        return [row[0] for row in connection.exec_driver_sql(query)]
