"""The three modes: who can open a reference, and the reason where it stays shut."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from postern.core.consent import StorageMode
from postern.core.errors import Code, PosternError
from postern.core.ids import CredentialId
from postern.vault.bank_host import TRIES, SimulatedBankHost
from postern.vault.keyring import KeyName, open_keyring
from postern.vault.seal import Sealed, read_header
from postern.vault.share import KeyShare
from postern.vault.vault import KEY_FILE, KEYRING_FILE, Vault, open_vault
from tests.people import ALICE, BOB
from tests.vault.samples import FACE_1, template, values

SHARE = bytes(range(32))
CARD, PIN = "4000 0000 0000 0002", "2580"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    opened = open_vault(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def shared(vault: Vault) -> Sealed:
    return vault.seal(FACE_1, ALICE, template(), mode=StorageMode.SHARED, share=SHARE)


def test_every_mode_gives_back_the_template(vault: Vault, shared: Sealed) -> None:
    """The mode decides who can open it, not what is inside."""
    roster = vault.seal(CredentialId("r"), ALICE, template())
    carried = vault.seal(CredentialId("p"), ALICE, template(), mode=StorageMode.PASS)

    assert StorageMode.ROSTER is read_header(roster.blob).mode
    assert StorageMode.PASS is read_header(carried.blob).mode
    assert StorageMode.SHARED is read_header(shared.blob).mode
    opened = [vault.open(roster), vault.open(carried), vault.open(shared, SHARE)]
    for one in opened:
        assert np.array_equal(values(opened[0]), values(one))


def test_shared_needs_its_share(vault: Vault, shared: Sealed) -> None:
    """Without it the reason says so; the site alone can do nothing."""
    with pytest.raises(PosternError, match="key share") as refused:
        vault.open(shared)

    assert Code.UNAUTHORIZED is refused.value.code


@pytest.mark.parametrize("share", [bytes(32), SHARE[::-1]])
def test_a_wrong_share_is_refused(vault: Vault, shared: Sealed, share: bytes) -> None:
    """Somebody else's card."""
    with pytest.raises(PosternError, match="does not belong") as refused:
        vault.open(shared, share)

    assert Code.INVALID is refused.value.code


@pytest.mark.parametrize("share", [b"", SHARE[:31], SHARE + b"\0"])
def test_a_share_of_another_size_is_refused(vault: Vault, shared: Sealed, share: bytes) -> None:
    """It is no share at all; nor is anything sealed with it."""
    with pytest.raises(PosternError, match="32 bytes"):
        vault.open(shared, share)
    with pytest.raises(PosternError, match="32 bytes"):
        vault.seal(FACE_1, BOB, template(), mode=StorageMode.SHARED, share=share)
    assert {(ALICE, FACE_1)} == vault.keyed()


def test_sealing_shared_without_a_share_leaves_nothing(vault: Vault) -> None:
    """No key is made for what cannot be sealed."""
    with pytest.raises(PosternError, match="key share"):
        vault.seal(FACE_1, ALICE, template(), mode=StorageMode.SHARED)

    assert frozenset() == vault.keyed()


@pytest.mark.parametrize("mode", [StorageMode.PASS, StorageMode.ROSTER])
def test_a_share_for_another_mode_is_refused(vault: Vault, mode: StorageMode) -> None:
    """Whoever takes a roster for shared is told, and not left in the belief."""
    with pytest.raises(PosternError, match="needs none"):
        vault.seal(FACE_1, ALICE, template(), mode=mode, share=SHARE)
    assert frozenset() == vault.keyed()
    sealed = vault.seal(FACE_1, ALICE, template(), mode=mode)
    with pytest.raises(PosternError, match="needs none"):
        vault.open(sealed, SHARE)


def test_one_share_opens_one_reference(vault: Vault, shared: Sealed) -> None:
    """The same card at another reference, with that one's key row copied over, opens nothing."""
    other = vault.seal(FACE_1, BOB, template(2), mode=StorageMode.SHARED, share=SHARE)

    assert 3 == vault.open(other, SHARE).looks
    with pytest.raises(PosternError):
        vault.open(replace(other, person=ALICE), SHARE)
    with pytest.raises(PosternError):
        vault.open(replace(shared, person=BOB), SHARE)


def test_relabelled_mode_is_refused(vault: Vault, shared: Sealed) -> None:
    """A shared reference called a roster does not open without its share."""
    as_roster = replace(shared, blob=shared.blob[:5] + b"\3" + shared.blob[6:])

    assert StorageMode.ROSTER is read_header(as_roster.blob).mode
    with pytest.raises(PosternError):
        vault.open(as_roster)


def test_attack_everything_of_the_site_stolen_but_the_shares(tmp_path: Path) -> None:
    """Store, keys.db and site.key in one hand open 0 of 20 without the cards."""
    host = SimulatedBankHost()
    vault = open_vault(tmp_path)
    kept: list[tuple[str, Sealed]] = []
    for i in range(20):
        host.issue(f"card-{i}", PIN)
        name = CredentialId(f"face-{i}")
        share = host.check(f"card-{i}", PIN).agree(name)
        sealed = vault.seal(name, ALICE, template(i), mode=StorageMode.SHARED, share=share)
        kept.append((f"card-{i}", sealed))
    vault.close()

    thief = open_vault(tmp_path, references=20)
    guesses = [None, bytes(32), os.urandom(32), (tmp_path / KEY_FILE).read_bytes()]
    opened = [_opens(thief, sealed, guess) for _, sealed in kept for guess in guesses]
    assert 0 == sum(opened)
    # The same thief with the cards' PINs opens all: what was missing is the share.
    assert 20 == sum(
        _opens(thief, sealed, host.check(card, PIN).release(sealed.credential))
        for card, sealed in kept
    )
    thief.close()


def test_the_share_is_worth_nothing_without_the_site(tmp_path: Path, shared: Sealed) -> None:
    """Who has the card and the sealed bytes, but not the site's key, opens nothing."""
    (tmp_path / "thief").mkdir()
    thief = open_vault(tmp_path / "thief")
    stolen = open_keyring(tmp_path / KEYRING_FILE)
    key = stolen.find(KeyName(ALICE, FACE_1, 1))
    stolen.close()
    assert key is not None
    own = open_keyring(tmp_path / "thief" / KEYRING_FILE)
    own.keep(KeyName(ALICE, FACE_1, 1), key.key, b"m" * 32)
    own.close()

    with pytest.raises(PosternError):
        thief.open(shared, SHARE)
    thief.close()


def test_the_host_releases_a_share_after_its_own_check() -> None:
    """The same share each time, for that card and that face alone."""
    host = SimulatedBankHost()
    host.issue(CARD, PIN)
    host.issue("other", PIN)
    share = host.check(CARD, PIN).agree(FACE_1)
    port: KeyShare = host.check(CARD, PIN)

    assert 32 == len(share)
    assert share == port.release(FACE_1) == host.check(CARD, PIN).agree(FACE_1)
    for asked in (host.check(CARD, PIN), host.check("other", PIN)):
        with pytest.raises(PosternError) as missing:
            asked.release(CredentialId("face-2") if asked.card == CARD else FACE_1)
        assert Code.NOT_FOUND is missing.value.code


def test_the_host_counts_wrong_pins() -> None:
    """After three in a row the right one is refused too; one right in between begins anew."""
    host = SimulatedBankHost()
    host.issue(CARD, PIN)
    assert [False] * TRIES == [_lets_in(host, CARD, "0000") for _ in range(TRIES)]
    with pytest.raises(PosternError) as blocked:
        host.check(CARD, PIN)
    assert Code.UNAUTHORIZED is blocked.value.code

    host.issue(CARD, PIN)
    for pin, expected in (("0000", False), ("1111", False), (PIN, True), ("0000", False)):
        assert expected is _lets_in(host, CARD, pin)
    assert _lets_in(host, CARD, PIN)
    assert not _lets_in(host, "no such card", PIN)


def test_the_host_can_be_away() -> None:
    """Then it is worth trying again, and nothing is released to a card that was checked before."""
    host = SimulatedBankHost()
    host.issue(CARD, PIN)
    checked = host.check(CARD, PIN)
    checked.agree(FACE_1)
    host.online = False

    for call in (lambda: host.check(CARD, PIN), lambda: checked.release(FACE_1)):
        with pytest.raises(PosternError) as away:
            call()
        assert away.value.retry_helps


def _opens(vault: Vault, sealed: Sealed, share: bytes | None) -> bool:
    try:
        vault.open(sealed, share)
    except PosternError:
        return False
    return True


def _lets_in(host: SimulatedBankHost, card: str, pin: str) -> bool:
    try:
        host.check(card, pin)
    except PosternError:
        return False
    return True
