"""Passkeys, by a device that is made in `tests/authenticator.py`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.app.signin.passkeys import MOST
from postern.app.signin.sessions import Standing
from postern.core.errors import Code, PosternError
from postern.core.user import User
from postern.web.problem import RefusedError
from tests.app.signin.front_desk import GUSS, HERE, NOBODYS, ORIGIN, FrontDesk, front_desk
from tests.authenticator import Authenticator, unwritten, written


@pytest.fixture
def maria(front: FrontDesk) -> User:
    return front.reception.office.users.named("maria")


@pytest.fixture
def phone(front: FrontDesk, maria: User) -> Authenticator:
    """Maria's, with a passkey of hers."""
    device = Authenticator(ORIGIN)
    add(front, maria, device)
    return device


def add(front: FrontDesk, user: User, device: Authenticator, form: str = "none") -> None:
    asked = front.reception.passkeys.ask_new(user)
    front.reception.passkeys.add(user, asked.ticket, device.make(asked.options, form), "Phone")


def enter(front: FrontDesk, device: Authenticator) -> str:
    """The token of a session that was opened by a passkey."""
    asked = front.reception.sign_in.ask_passkey(HERE)
    return front.reception.sign_in.by_passkey(
        asked.ticket, device.answer(asked.options), HERE
    ).token


def standing(front: FrontDesk, token: str) -> Standing:
    found = front.reception.sessions.standing(token)
    assert found is not None
    return found


def kind(call: Callable[[], object]) -> str:
    try:
        call()
    except RefusedError as error:
        return error.kind
    except PosternError as error:
        return error.code.value
    return ""


@pytest.mark.parametrize("form", ["none", "packed"])
@pytest.mark.parametrize("counts", [True, False])
def test_passkey_signs_its_owner_in(front: FrontDesk, maria: User, form: str, counts: bool) -> None:
    """Without a name and without a password, again and again."""
    device = Authenticator(ORIGIN, counts=counts)
    add(front, maria, device, form)
    for _ in range(2):
        caller = front.reception.callers.by_session(enter(front, device))
        assert caller is not None
        assert ("user:maria", True) == (caller.by, caller.fresh)

    assert ("passkey added", maria.id, "user:maria") == front.told()[0]
    assert ("signed in", maria.id, "user:maria") == front.told()[-1]
    (kept,) = front.reception.passkeys.of(maria)
    assert ("Phone", 2 * counts, front.desk.now()) == (kept.name, kept.sign_count, kept.used)


def test_device_is_asked_what_it_has_to_know(front: FrontDesk, maria: User) -> None:
    """A key that stays with it, opened by whoever holds it, for this site; not one that it has."""
    add(front, maria, Authenticator(ORIGIN))
    new = front.reception.passkeys.ask_new(maria).options
    again: Any = front.reception.sign_in.ask_passkey(HERE).options

    assert {"id": "door.example", "name": "North gate"} == new["rp"]
    selection: Any = new["authenticatorSelection"]
    assert ("required", "required") == (selection["residentKey"], selection["userVerification"])
    assert 1 == len(new["excludeCredentials"])  # type: ignore[arg-type]
    assert "none" == new["attestation"]
    assert ("door.example", "required") == (again["rpId"], again["userVerification"])
    assert not again.get("allowCredentials")
    assert 32 == len(unwritten(again["challenge"]))


def test_passkey_proves_again_that_it_is_its_owner(front: FrontDesk, phone: Authenticator) -> None:
    """Under a new token."""
    former = enter(front, phone)
    front.clock.advance(600.0)
    there = standing(front, former)
    asked = front.reception.passkeys.ask(HERE, there.user)
    renewed = front.reception.sign_in.prove_by_passkey(
        there, asked.ticket, phone.answer(asked.options)
    )

    assert standing(front, renewed.token).fresh
    assert front.reception.sessions.standing(former) is None


def test_attack_answer_of_a_passkey_is_used_again(front: FrontDesk, phone: Authenticator) -> None:
    """With its ticket, and with another one."""
    asked, other = (front.reception.sign_in.ask_passkey(HERE) for _ in range(2))
    answer = phone.answer(asked.options)
    front.reception.sign_in.by_passkey(asked.ticket, answer, HERE)

    for ticket, problem in ((asked.ticket, "stale"), (other.ticket, "passkey")):
        assert problem == kind(
            lambda t=ticket: front.reception.sign_in.by_passkey(t, answer, HERE)  # type: ignore[misc]
        )
    assert 1 == len([told for told in front.told() if told[0] == "signed in"])


def test_attack_page_of_somebody_else_asks(front: FrontDesk, phone: Authenticator) -> None:
    """The browser says whose page it is."""
    for origin in ("https://door.example.evil.example", "http://door.example", "https://evil.example",
                   "https://door.example:8443", ""):  # fmt: skip
        phone.origin = origin
        assert "passkey" == kind(lambda: enter(front, phone))
        maria = front.reception.office.users.named("maria")
        assert "passkey" == kind(lambda: add(front, maria, Authenticator(origin)))  # noqa: B023
    assert 1 == len(front.reception.passkeys.of(maria))


def test_attack_device_that_does_not_check_who_holds_it(
    front: FrontDesk, phone: Authenticator, maria: User
) -> None:
    """Whoever found it would be in."""
    phone.verifies = False

    assert "passkey" == kind(lambda: enter(front, phone))
    assert "passkey" == kind(lambda: add(front, maria, Authenticator(ORIGIN, verifies=False)))


def test_attack_copy_of_a_device(front: FrontDesk, phone: Authenticator) -> None:
    """It counts what the other one has counted already."""
    copy = Authenticator(ORIGIN)
    copy.held = dict(phone.held)
    enter(front, phone)

    assert "passkey" == kind(lambda: enter(front, copy))


def test_attack_passkey_for_another_site(front: FrontDesk, phone: Authenticator) -> None:
    """Of the same device, signed as well."""
    name, held = next(iter(phone.held.items()))
    phone.held[name] = replace(held, domain="evil.example")

    assert "passkey" == kind(lambda: enter(front, phone))


def test_attack_passkey_of_one_user_for_another(front: FrontDesk, phone: Authenticator) -> None:
    """Neither to prove that it is they, nor with a device that says so."""
    opened = front.enter("gus", GUSS)
    there = standing(front, opened.token)
    asked = front.reception.passkeys.ask(HERE, there.user)
    answer = phone.answer(asked.options)
    assert "passkey" == kind(
        lambda: front.reception.sign_in.prove_by_passkey(there, asked.ticket, answer)
    )
    name, held = next(iter(phone.held.items()))
    phone.held[name] = replace(held, user=there.user.id.encode())
    assert "passkey" == kind(lambda: enter(front, phone))


def test_attack_challenge_for_something_else(
    front: FrontDesk, phone: Authenticator, maria: User
) -> None:
    """One to sign in adds nothing and proves nothing, nor the other way round."""
    there = standing(front, enter(front, phone))
    passkeys, sign_in = front.reception.passkeys, front.reception.sign_in
    entry = sign_in.ask_passkey(HERE)
    assert "stale" == kind(
        lambda: sign_in.prove_by_passkey(there, entry.ticket, phone.answer(entry.options))
    )
    proof = passkeys.ask(HERE, maria)
    assert "stale" == kind(
        lambda: sign_in.by_passkey(proof.ticket, phone.answer(proof.options), HERE)
    )
    gus, new = front.reception.office.users.named("gus"), passkeys.ask_new(maria)
    assert "stale" == kind(
        lambda: passkeys.add(gus, new.ticket, Authenticator(ORIGIN).make(new.options), "Phone")
    )


def test_attack_ticket_is_kept_for_later(front: FrontDesk, phone: Authenticator) -> None:
    """It lasts five minutes."""
    asked = front.reception.sign_in.ask_passkey(HERE)
    front.clock.advance(300.0)

    assert "stale" == kind(
        lambda: front.reception.sign_in.by_passkey(asked.ticket, phone.answer(asked.options), HERE)
    )


def test_attack_flood_of_questions_pushes_out_nobodys(
    front: FrontDesk, phone: Authenticator
) -> None:
    """But the flooder's own."""
    asked = front.reception.sign_in.ask_passkey(HERE)
    for _ in range(500):
        front.reception.sign_in.ask_passkey("192.0.2.66")

    answer = phone.answer(asked.options)
    assert "" == kind(lambda: front.reception.sign_in.by_passkey(asked.ticket, answer, HERE))


@pytest.mark.parametrize("how", ["disabled", "reset", "removed"])
def test_attack_passkey_of_somebody_who_was_shut_out(
    front: FrontDesk, phone: Authenticator, maria: User, how: str
) -> None:
    """It opens nothing any more."""
    front.add("boss", maria.role, NOBODYS)
    passkeys = front.reception.passkeys
    {
        "disabled": lambda: front.reception.office.users.disable("maria", "user:boss"),
        "reset": lambda: front.reception.office.users.reset("maria", "user:boss"),
        "removed": lambda: passkeys.remove(maria, passkeys.of(maria)[0].id),
    }[how]()

    assert "passkey" == kind(lambda: enter(front, phone))


def test_passkey_works_while_somebody_guesses_at_the_password(
    front: FrontDesk, phone: Authenticator
) -> None:
    """Whoever wants to keep Maria out by failing in her name does not."""
    for _ in range(6):
        kind(lambda: front.reception.sign_in.by_password("maria", NOBODYS, "192.0.2.66"))

    assert "" == kind(lambda: enter(front, phone))


def test_attack_passkey_is_added_twice(front: FrontDesk, phone: Authenticator) -> None:
    """Another user cannot make it theirs."""
    gus, passkeys = front.reception.office.users.named("gus"), front.reception.passkeys
    asked = passkeys.ask_new(gus)
    copied = Authenticator(ORIGIN)
    answer = copied.make(asked.options)
    passkeys.add(gus, asked.ticket, answer, "Phone")
    again = passkeys.ask_new(gus)
    response: Any = answer["response"]
    client: Any = copied.make(again.options)["response"]

    replayed = {**answer, "response": {**response, "clientDataJSON": client["clientDataJSON"]}}
    assert Code.CONFLICT == kind(lambda: passkeys.add(gus, again.ticket, replayed, "Mine"))


def test_users_have_so_many_passkeys(front: FrontDesk, maria: User) -> None:
    """And each a name."""
    for _ in range(MOST):
        add(front, maria, Authenticator(ORIGIN))
    assert "conflict" == kind(lambda: front.reception.passkeys.ask_new(maria))
    gus = front.reception.office.users.named("gus")
    asked = front.reception.passkeys.ask_new(gus)
    answer = Authenticator(ORIGIN).make(asked.options)
    assert "invalid" == kind(lambda: front.reception.passkeys.add(gus, asked.ticket, answer, "x\n"))


@pytest.mark.parametrize("form", ["tpm", "android-key", "fido-u2f", "apple", "nonsense"])
def test_attack_form_that_nobody_asked_for(front: FrontDesk, maria: User, form: str) -> None:
    """What makers of devices vouch for is not even read."""
    assert "passkey" == kind(lambda: add(front, maria, Authenticator(ORIGIN), form))


@settings(max_examples=150)
@given(data=st.data())
def test_attack_answer_is_anything_at_all(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One problem, and never a fault of ours: parts are left out, replaced, cut and altered."""
    front, device = _shared(tmp_path_factory)
    maria, passkeys = front.reception.office.users.named("maria"), front.reception.passkeys
    making = data.draw(st.booleans())
    if making:
        asked = passkeys.ask_new(maria)
        answer = device.make(asked.options)
    else:
        asked = front.reception.sign_in.ask_passkey("")
        answer = device.answer(asked.options)
    spoiled = _spoiled(data, answer)
    if making:
        found = kind(lambda: passkeys.add(maria, asked.ticket, spoiled, "Phone"))
    else:
        found = kind(lambda: front.reception.sign_in.by_passkey(asked.ticket, spoiled, ""))

    assert found in ("passkey", "")
    # Nothing vouches for what a device makes; whoever alters their own has another one.
    assert found or making or spoiled == answer
    for kept in passkeys.of(maria)[1:]:
        passkeys.remove(maria, kept.id)


def _spoiled(data: st.DataObject, answer: dict[str, object]) -> dict[str, object]:
    response: Any = dict(answer["response"])  # type: ignore[call-overload]
    junk = st.one_of(
        st.none(), st.integers(), st.text(max_size=20), st.binary(max_size=40).map(written),
        st.builds(lambda v: written(cbor2.dumps(v)), st.dictionaries(st.text(), st.integers())),
        st.lists(st.integers(), max_size=2), st.dictionaries(st.text(), st.none(), max_size=2),
    )  # fmt: skip
    part = data.draw(st.sampled_from(["id", "rawId", "type", *response]))
    if part not in response:
        return {**answer, part: data.draw(junk)}
    if data.draw(st.booleans()):
        raw = bytearray(unwritten(response[part]))
        # A signature is not always as long, and what is drawn must not depend on that.
        raw[data.draw(st.integers(0, 4095)) % len(raw)] ^= data.draw(st.integers(1, 255))
        del raw[len(raw) - data.draw(st.integers(0, 40)) :]
        return {**answer, "response": {**response, part: written(bytes(raw))}}
    return {**answer, "response": {**response, part: data.draw(junk)}}


_kept: list[tuple[FrontDesk, Authenticator, object]] = []


def _shared(folders: pytest.TempPathFactory) -> tuple[FrontDesk, Authenticator]:
    """One reception for all examples."""
    if not _kept:
        opened = front_desk(folders.mktemp("passkeys") / "data")
        front, device = opened.__enter__(), Authenticator(ORIGIN)
        add(front, front.reception.office.users.named("maria"), device)
        _kept.append((front, device, opened))
    return _kept[0][:2]
