"""Users and keys on the command line, beyond what the script shows."""

import json
from pathlib import Path

import pytest

from postern.app.wire import desk, open_site, read_site, reception
from postern.web.problem import RefusedError
from postern.web.sign_in import Opened
from tests.app.signin.front_desk import MARIAS, NOBODYS, ORIGIN
from tests.cli.terminal import postern


def test_first_administrator_comes_in_by_the_code_of_the_terminal(folder: Path) -> None:
    """With everything as it is on a site: its keys, its log, and what a password costs there."""
    code = json.loads(postern("user", "code", "--json").out)["code"]
    with open_site(read_site(folder / "site.toml")) as installation:
        there = reception(desk(installation), ORIGIN)
        assert there.setup.needed()
        there.setup.use(code, "boss", MARIAS, "")
        opened = there.sign_in.by_password("boss", MARIAS, "")
        assert isinstance(opened, Opened)
        caller = there.callers.by_session(opened.token)
        kept = installation.store.users.proofs(opened.user.id).password

    assert caller is not None
    assert "user:boss" == caller.by
    assert kept is not None
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    told = postern("events").out
    assert "signed in: user:boss (user:boss)" in told
    assert "code for an administrator (terminal:" in told
    assert "boss" in postern("user", "list").out
    assert MARIAS not in told


def test_administrator_who_lost_everything_comes_back(folder: Path) -> None:
    """By a new code for the same name, on the machine itself; what was lost counts no more."""
    code = postern("user", "add", "boss", "--role", "administrator").out.strip()
    with open_site(read_site(folder / "site.toml")) as installation:
        there = reception(desk(installation), ORIGIN)
        former = there.setup.use(code, "", MARIAS, "")
        again = json.loads(postern("user", "reset", "boss", "--json").out)["code"]
        assert there.callers.by_session(former.token) is None
        with pytest.raises(RefusedError):
            there.sign_in.by_password("boss", MARIAS, "")
        opened = there.setup.use(again, "boss", NOBODYS, "")

        assert there.callers.by_session(opened.token)
    assert "user reset: user:boss (terminal:" in postern("events").out


def test_user_stays_where_the_change_cannot_be_recorded(folder: Path) -> None:
    """The log leaves no change out that was made."""
    postern("user", "add", "gus", "--role", "guard")
    key = next((folder / "data" / "ledger" / "pseudonyms").glob("*.key"))
    kept = key.read_bytes()
    key.unlink()
    for words in (("user", "disable", "gus"), ("user", "add", "eve", "--role", "guard"),
                  ("key", "add", "k", "--right", "read", "--days", "9")):  # fmt: skip
        assert 3 == postern(*words).code
    key.write_bytes(kept)

    (user,) = json.loads(postern("user", "list", "--json").out)
    assert ("gus", True, []) == (user["name"], user["enabled"], user["signs_in_by"])
    assert [] == json.loads(postern("key", "list", "--json").out)


def test_what_a_program_shows_is_seen_once(folder: Path) -> None:
    """Not in any file, nor in any other answer."""
    made = json.loads(postern("key", "add", "k", "--right", "read", "--days", "9", "--json").out)
    assert made["secret"].startswith("pk_")
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    assert made["secret"].encode() not in written
    listed = postern("key", "list", "--json").out + postern("key", "list").out
    assert made["secret"] not in listed + postern("events", "--json").out
    assert ["read"] == json.loads(postern("key", "list", "--json").out)[0]["rights"]
