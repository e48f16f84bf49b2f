"""Passwords: which may be chosen, and how they are kept."""

from threading import Thread

import pytest
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from postern.app.signin.password import Cost, Hasher, check_password
from postern.core.errors import Code, PosternError

NAMES = ("maria", "North gate")
CHEAP = Cost(memory_kib=8, passes=1)


def refusal(password: str, *, beside_codes: bool = False) -> str:
    """Why a password is refused, which is never told with the password; empty where it is not."""
    try:
        check_password(password, NAMES, beside_codes=beside_codes)
    except PosternError as error:
        if error.code is Code.INVALID and not (password and password in str(error)):
            return error.message
        raise
    return ""


@pytest.mark.parametrize(
    "password",
    [
        "fifteen letters", "x1!" * 5 + "yz", "grüße aus dem moor", "木" * 11 + "abcde",
        "a b, " * 25 + "cde",
    ],
)  # fmt: skip
def test_long_passwords_are_good_whatever_is_in_them(password: str) -> None:
    """No kinds of characters are asked for."""
    assert "" == refusal(password)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("fourteen chars", "15 to 128"),
        ("", "15 to 128"),
        ("ab cd" * 26, "15 to 128"),
        ("passwordpassword", "everybody"),
        ("PasswordPassword2026!", "everybody"),
        ("correcthorsebatterystaple", "everybody"),
        ("aaaaaaaaaaaaaaaaaaaa", "different"),
        ("121212121212121212", "different"),
        ("mariamariamaria1", "your name"),
        ("Maria Maria Maria", "your name"),
        ("NORTH GATE 123456", "your name"),
    ],
)
def test_passwords_that_are_refused(password: str, why: str) -> None:
    """With the reason, and without the password."""
    assert why.casefold() in refusal(password).casefold()


def test_beside_codes_eight_characters_do() -> None:
    """Seven do not."""
    assert "" == refusal("eight ch", beside_codes=True)
    assert "8 to 128" in refusal("seven c", beside_codes=True)


def test_what_is_kept_says_how_it_was_made() -> None:
    """Argon2id with 64 MiB, three passes and one lane, and a salt of its own each time."""
    hasher = Hasher()
    one, other = hasher.hashed("seven purple herons"), hasher.hashed("seven purple herons")

    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert one != other
    assert hasher.matches("seven purple herons", one)
    assert not hasher.matches("seven purple heron", one)


def test_the_same_characters_are_the_same_password() -> None:
    """On whichever keyboard, composed or not."""
    hasher = Hasher(CHEAP)

    assert hasher.matches("gru\u0308ße aus dem moor", hasher.hashed("gr\u00fcße aus dem moor"))


@pytest.mark.parametrize("kept", ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$x", "$argon2i$"])
def test_what_is_damaged_is_nobodys_password(kept: str) -> None:
    """Whatever is typed."""
    assert not Hasher(CHEAP).matches("seven purple herons", kept)


def test_attack_hash_that_stands_for_nobodys_is_opened_by_nothing() -> None:
    """Not even by what it is a hash of; and it is as good as any, so that it costs as much."""

    class Known(Hasher):
        def _nobodys(self) -> str:
            return self.hashed_before

        hashed_before = Hasher(CHEAP).hashed("x")

    assert not Known(CHEAP).matches("x", None)
    assert Known(CHEAP).matches("x", Known.hashed_before)
    with pytest.raises(InvalidKey):
        Argon2id.verify_phc_encoded(b"x", Hasher(CHEAP)._nobodys())


def test_attack_password_of_a_megabyte_costs_what_others_cost() -> None:
    """Whatever lies beyond the longest is not looked at; nor can it be chosen."""
    hasher = Hasher(CHEAP)
    assert not hasher.matches("a" * 1_000_000, hasher.hashed("a" * 128))
    assert "15 to 128" in refusal("ab cd" * 200_000)


def test_attack_flood_of_passwords_is_refused_at_once() -> None:
    """Two are computed, some wait, and all further ones hear so without waiting."""
    hasher = Hasher(CHEAP, at_once=1, waiting=1, patience_s=0.05)
    heard: list[str] = []

    def busy() -> None:
        try:
            hasher.matches("x", None)
        except PosternError as error:
            heard.append(error.code)

    with hasher._taking_turns():
        threads = [Thread(target=busy) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [Code.UNAVAILABLE] * 5 == heard
    assert not hasher.matches("x", None)
