"""What is derived from the secrets: one key for each purpose, the same for ever."""

from dataclasses import replace

from postern.core.ids import CredentialId
from postern.vault.keys import (
    Binding,
    Epoch,
    derive_backup_key,
    derive_epoch_kek,
    derive_epoch_name,
    derive_kek,
    derive_mark_key,
    derive_rotation_secret,
    derive_sealing_key,
    derive_seed,
    derive_shared_kek,
    derive_site,
    derive_stream_key,
)
from tests.people import ALICE, BOB
from tests.vault.samples import FACE_1, MODEL, OTHER_MODEL, SECRET

SHARE = bytes(range(100, 132))
BINDING = Binding(b"s" * 16, ALICE, FACE_1)


def test_derived_keys_differ_by_purpose_epoch_and_model() -> None:
    """No two purposes share a key, and a new epoch or model changes them."""
    keys = {
        derive_epoch_kek(SECRET),
        derive_mark_key(SECRET),
        derive_backup_key(SECRET),
        derive_sealing_key(SECRET),
        derive_stream_key(SECRET, b"one"),
        derive_stream_key(SECRET, b"other"),
        derive_kek(SECRET, 1),
        derive_kek(SECRET, 2),
        derive_rotation_secret(SECRET, 1, MODEL),
        derive_rotation_secret(SECRET, 2, MODEL),
        derive_rotation_secret(SECRET, 1, OTHER_MODEL),
        derive_seed(SECRET, b"postern log 1"),
        derive_seed(SECRET, b"postern pass 1"),
    }
    names = {
        derive_site(SECRET),
        derive_epoch_name(Epoch(1, SECRET)),
        derive_epoch_name(Epoch(2, SECRET)),
        derive_epoch_name(Epoch(1, bytes(32))),
    }

    assert 13 == len(keys)
    assert 4 == len(names)


def test_shared_keys_differ_by_share_epoch_and_whom_they_are_for() -> None:
    """One share opens one reference of one site in one epoch, and only beside the site's pepper."""
    keys = {
        derive_shared_kek(SHARE, Epoch(1, SECRET), BINDING),
        derive_shared_kek(bytes(32), Epoch(1, SECRET), BINDING),
        derive_shared_kek(SHARE, Epoch(2, SECRET), BINDING),
        derive_shared_kek(SHARE, Epoch(1, bytes(32)), BINDING),
        derive_shared_kek(SHARE, Epoch(1, SECRET), replace(BINDING, person=BOB)),
        derive_shared_kek(SHARE, Epoch(1, SECRET), replace(BINDING, site=b"t" * 16)),
        derive_shared_kek(
            SHARE, Epoch(1, SECRET), replace(BINDING, credential=CredentialId("face-2"))
        ),
    }

    assert 7 == len(keys)


def test_secrets_of_epochs_are_not_shown() -> None:
    """Not even where an epoch ends up in a message."""
    assert SECRET.hex() not in repr(Epoch(1, SECRET))
    assert repr(SECRET) not in repr(Epoch(1, SECRET))


def test_derived_keys_are_golden() -> None:
    """References of an installed site depend on these bytes."""
    assert (
        "ad4dfb36ed559daca6b751d3e30360c5b216a3240fcfea0a7938c1d66ab67d12"
        == derive_kek(SECRET, 1).hex()
    )
    assert (
        "3caadd26f26ba2536326f34b447bd75cd13bcbb3f97606ff2ae93b2b4af0cb07"
        == derive_rotation_secret(SECRET, 1, MODEL).hex()
    )
    assert (
        "8372363dcd7eae46dce9930f456ee193b87b0cac4b1809821e1c230ec4b9f20c"
        == derive_epoch_kek(SECRET).hex()
    )
    assert (
        "755fad2c6ed4f0ddd8923eb8d36b084b893ce1576ff3cca306408bd639eda111"
        == derive_mark_key(SECRET).hex()
    )
    assert (
        "c1fdab4471994dac7de3856a0a5cbf8ef22511e85824c281e94f84a836b36de2"
        == derive_stream_key(derive_sealing_key(SECRET), b"header").hex()
    )
    assert (
        "b852d2872e22598e0de3787ef7d56659aa0ccc568f2a20cfc22f904ebf8e5f9d"
        == derive_shared_kek(SHARE, Epoch(1, SECRET), BINDING).hex()
    )
    assert (
        "c289bcdbd2416a7ae5d1cb7da4c562f6ef3651053cf4c0ba61b1e349266270e0"
        == derive_seed(SECRET, b"postern log 1").hex()
    )
