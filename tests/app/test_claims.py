"""What passes claim: whose they are, and why they are refused."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copyfile, copytree
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postern.core.consent import Consent, StorageMode
from postern.core.decision import Reason
from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import ConsentId, PersonId
from postern.engine.ports import Claim
from postern.frame import Template
from postern.store.store import STORE_FILE
from postern.vault.passes import PREFIX, Pass, Sort, encode
from tests.app.pass_office import EMBEDDER, ENDS, MODES, OUTDATED, Office, face, open_office
from tests.people import (
    ALICE,
    BARRIER,
    CAROL,
    DAY,
    DOOR,
    FACE,
    NOW,
    PASS,
    PIN,
    consent,
    moment,
    permit,
)


def also(person: PersonId, mode: StorageMode, **given: Any) -> Consent:
    """Another consent of somebody's."""
    return replace(consent(person, **given), id=ConsentId(f"{person}-{mode}"), mode=mode)


both = pytest.mark.parametrize("person", [ALICE, CAROL])


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path / "office") as opened:
        yield opened


@both
def test_valid_pass_claims_its_owner_and_opens_their_reference(
    office: Office, person: PersonId
) -> None:
    """From the pass itself, or from the site with the token's share: the same vector, turned."""
    claim = office.shown(office.issue(person).text)

    assert isinstance(claim, Claim)
    assert person == claim.holder
    known = {one.id: one for one in office.store.credentials.of(person)}
    assert Factor.PASS is known[claim.credential].factor
    assert MODES[person] is known[claim.reference.credential].mode
    opened = np.asarray(claim.reference.template.values, np.float32)
    mine = np.asarray(office.vault.rotate(Template(face(person), EMBEDDER, 3)).values, np.float32)
    assert 0.99 < float(opened @ mine)


def test_reference_of_a_claim_can_be_overwritten(office: Office) -> None:
    """The array is the claim's own; the next claim has another."""
    text = office.issue(ALICE).text
    first, second = office.shown(text), office.shown(text)
    assert isinstance(first, Claim)
    assert isinstance(second, Claim)
    first.wipe()

    assert not first.reference.template.values.any()
    assert second.reference.template.values.any()


@both
def test_revoked_pass_is_refused_at_once_and_for_good(office: Office, person: PersonId) -> None:
    """Also where only its key is gone, and where only its record says so."""
    issued = office.issue(person)
    office.vault.destroy(issued.face.id, person)
    assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(issued.text)
    assert office.passes.revoke(issued.credential.id, NOW)
    assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(issued.text)

    other = office.issue(person)
    office.store.credentials.enable(other.credential.id, enabled=False)
    assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(other.text)


@both
def test_next_pass_ends_the_one_before(office: Office, person: PersonId) -> None:
    """A person has one that counts."""
    old, new = office.issue(person), office.issue(person)

    assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(old.text)
    assert isinstance(office.shown(new.text), Claim)


def test_expired_pass_is_refused(office: Office) -> None:
    """To the second; also where the site forgot it meanwhile."""
    text = office.issue(ALICE, until=NOW + 2 * DAY).text

    assert isinstance(office.shown(text, days=1.9999), Claim)
    assert Reason.CREDENTIAL_EXPIRED is office.shown(text, days=2.0)
    office.passes.expire(NOW + 2 * DAY)
    assert Reason.CREDENTIAL_EXPIRED is office.shown(text, days=2.0)
    assert [] == list(office.passes.all())


def test_pass_whose_end_was_brought_forward_is_refused(office: Office) -> None:
    """The site's record counts, too, whatever the pass says."""
    issued = office.issue(ALICE)
    shortened = Pass(
        Sort.REFERENCE, office.vault.site, bytes.fromhex(issued.credential.id[5:]), NOW,
        ENDS + DAY, b"content",
    )  # fmt: skip

    assert Reason.CREDENTIAL_EXPIRED is office.shown(
        encode(shortened, office.passes.seed), days=300.5
    )


def test_pass_from_the_future_is_not_active_yet(office: Office) -> None:
    """By a day, or by a minute."""
    text = office.issue(ALICE).text

    assert Reason.CREDENTIAL_NOT_ACTIVE is office.shown(text, days=-1.0)
    assert Reason.CREDENTIAL_NOT_ACTIVE is office.shown(text, days=-0.001)


def test_pass_of_another_site_is_foreign(office: Office, tmp_path: Path) -> None:
    """Of the same people, with the same signing key even."""
    with open_office(tmp_path / "other") as other:
        text = other.issue(ALICE).text
        assert isinstance(other.shown(text), Claim)

    assert Reason.FOREIGN_PASS is office.shown(text)


def test_attack_pass_signed_with_another_key_is_invalid(office: Office, tmp_path: Path) -> None:
    """Whoever copied the site's name but not its signing key."""
    issued = office.issue(ALICE)
    forged = Pass(
        Sort.REFERENCE, office.vault.site, bytes.fromhex(issued.credential.id[5:]), NOW, ENDS,
        b"anything",
    )  # fmt: skip

    assert Reason.INVALID_PASS is office.shown(encode(forged, bytes(32)))


def test_attack_content_of_one_pass_under_the_handle_of_another(office: Office) -> None:
    """Even signed by the site: a reference opens for the pass that it was sealed for only."""
    office.store.consents.add(also(CAROL, StorageMode.PASS))
    alice, carol = office.issue(ALICE), office.issue(CAROL, mode=StorageMode.PASS)
    handle = bytes.fromhex(alice.credential.id[5:])
    content = _content(office, carol.text)
    mixed = Pass(Sort.REFERENCE, office.vault.site, handle, NOW, ENDS, content)

    assert Reason.INVALID_PASS is office.shown(encode(mixed, office.passes.seed))


def test_attack_token_with_another_share_is_invalid(office: Office) -> None:
    """Even signed by the site: the share is the key."""
    carol = office.issue(CAROL)
    handle = bytes.fromhex(carol.credential.id[5:])
    forged = Pass(Sort.SHARE, office.vault.site, handle, NOW, ENDS, bytes(32))

    assert Reason.INVALID_PASS is office.shown(encode(forged, office.passes.seed))


@pytest.mark.parametrize(("person", "sort"), [(ALICE, Sort.SHARE), (CAROL, Sort.REFERENCE)])
def test_pass_of_the_wrong_sort_is_invalid(office: Office, person: PersonId, sort: Sort) -> None:
    """The person agreed to both ways of keeping; the handle is of the one that was issued."""
    both_ways = {StorageMode.PASS, StorageMode.SHARED} - {MODES[person]}
    office.store.consents.add(also(person, both_ways.pop()))
    handle = bytes.fromhex(office.issue(person).credential.id[5:])
    forged = Pass(sort, office.vault.site, handle, NOW, ENDS, bytes(32))

    assert Reason.INVALID_PASS is office.shown(encode(forged, office.passes.seed))


def test_pass_opens_nothing_after_its_consent_was_taken_back(office: Office) -> None:
    """Its reference went with the consent, and so did its key; the reason is the consent, also once
    the pass itself is switched off."""
    issued = office.issue(ALICE)
    office.store.consents.withdraw(consent(ALICE).id, NOW, office.vault.destroy)
    assert Reason.NO_CONSENT is office.shown(issued.text)
    office.store.credentials.enable(issued.credential.id, enabled=False)

    assert Reason.NO_CONSENT is office.shown(issued.text)


def test_pass_opens_nothing_after_its_consent_ran_out(office: Office) -> None:
    """Nobody had to do anything, and the pass itself counts on."""
    text = office.issue(ALICE, until=consent(ALICE).expires + DAY).text
    ends_days = (consent(ALICE).expires - NOW) / DAY

    assert isinstance(office.shown(text, days=ends_days - 0.01), Claim)
    assert Reason.NO_CONSENT is office.shown(text, days=ends_days + 0.01)


def test_consent_to_another_way_of_keeping_opens_no_pass(office: Office) -> None:
    """Alice agreed to a roster, too: that is no consent to her pass."""
    text = office.issue(ALICE).text
    office.store.consents.add(also(ALICE, StorageMode.ROSTER))
    office.store.consents.withdraw(consent(ALICE).id, NOW, lambda *_: None)

    assert Reason.NO_CONSENT is office.shown(text)


def test_consent_for_another_place_opens_nothing_here(tmp_path: Path) -> None:
    """The permit names both; the consent only one."""
    with open_office(tmp_path) as office:
        text = office.issue(ALICE).text
        here = also(ALICE, StorageMode.PASS, places=frozenset({BARRIER.id}))
        office.store.consents.add(here)
        office.store.consents.withdraw(consent(ALICE).id, NOW, lambda *_: None)

        assert isinstance(office.shown(text, at=BARRIER), Claim)
        assert Reason.NO_CONSENT is office.shown(text, at=DOOR)


def test_reference_of_another_model_needs_new_looks(office: Office) -> None:
    """It is not compared, silently or otherwise."""
    assert Reason.NEEDS_NEW_LOOKS is office.shown(office.issue(ALICE, model=OUTDATED).text)
    assert Reason.NEEDS_NEW_LOOKS is office.shown(office.issue(CAROL, model=OUTDATED).text)


def test_reference_that_cannot_be_compared_is_overwritten_at_once(office: Office) -> None:
    """Nobody else ever sees the array."""
    text, claims = office.issue(ALICE, model=OUTDATED).text, office.claims
    watched: Any = _Watched(office.vault)
    object.__setattr__(claims, "vault", watched)
    claims.claim(DOOR, text.encode(), moment())

    (opened,) = watched.opened
    assert not opened.values.any()


def test_pass_of_somebody_without_a_permit_here_opens_nothing(office: Office) -> None:
    """Nor where the permit asks for no face."""
    issued = office.issue(ALICE)
    text = issued.text
    staff = office.store.permits.all()[0]
    office.store.permits.remove(staff.id)
    assert Reason.UNAUTHORIZED is office.shown(text)
    office.store.credentials.enable(issued.credential.id, enabled=False)
    assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(text)
    office.store.credentials.enable(issued.credential.id, enabled=True)
    office.store.permits.add(permit(CAROL, name="carol", factors=(PASS, FACE), liveness=False))
    assert Reason.UNAUTHORIZED is office.shown(text)
    office.store.permits.add(permit(ALICE, name="alice", factors=(PASS, PIN), liveness=False))

    assert Reason.UNAUTHORIZED is office.shown(text)


def test_pass_of_somebody_who_was_erased_counts_no_more(office: Office) -> None:
    """Nobody knows its handle."""
    text = office.issue(ALICE).text
    office.store.people.remove(ALICE, office.vault.erase)

    assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(text)


def test_clock_that_cannot_be_relied_on_decides_on_no_pass(office: Office) -> None:
    """Whether it has expired cannot be told; a damaged one is damaged all the same."""
    text = office.issue(ALICE).text
    office.trusted = False

    assert Reason.CLOCK_UNTRUSTED is office.shown(text)
    assert Reason.CLOCK_UNTRUSTED is office.shown(text, days=400)
    assert Reason.INVALID_PASS is office.shown(text[:-3])


@pytest.mark.parametrize("text", [b"", b"https://example.org", b"WIFI:S:guests;;", b"\xff\x00"])
def test_what_is_no_pass_is_nobodys_business(office: Office, text: bytes) -> None:
    """A poster in the picture."""
    assert office.shown(text) is None


@pytest.fixture
def text(office: Office) -> str:
    return office.issue(ALICE).text


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_text_raises_and_no_altered_pass_claims(
    office: Office, text: str, data: st.DataObject
) -> None:
    """Cut, doubled, re-encoded, or with any character changed: invalid or foreign, or no pass."""
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8"))
    altered = data.draw(
        st.sampled_from(
            (text[:at], text + text[at:], text[:at] + other + text[at + 1 :], text.lower(),
             text + "\n", PREFIX + text[at:])
        )
    )  # fmt: skip

    expected = {Reason.INVALID_PASS, Reason.FOREIGN_PASS, None}
    assert altered == text or office.shown(altered) in expected


def test_keys_that_cannot_be_read_now_are_no_refusal(office: Office) -> None:
    """The pass is as good as before: the look fails, and the next one succeeds."""
    text = office.issue(ALICE).text
    claims = office.claims
    blocked: Any = _Blocked(office.vault)
    object.__setattr__(claims, "vault", blocked)
    with pytest.raises(PosternError, match="later"):
        claims.claim(DOOR, text.encode(), moment())

    assert isinstance(office.shown(text), Claim)


class _Watched:
    """A vault that remembers what it gave."""

    def __init__(self, vault: Any) -> None:
        self._vault = vault
        self.opened: list[Template] = []

    def open(self, *given: Any) -> Template:
        self.opened.append(self._vault.open(*given))
        return self.opened[-1]


class _Blocked:
    """A vault whose keys are locked."""

    def __init__(self, vault: Any) -> None:
        self._vault = vault

    def open(self, *_: object) -> None:
        raise PosternError(Code.UNAVAILABLE, "Come back later.")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vault, name)


def _content(office: Office, text: str) -> bytes:
    read = office.passes.reader().read(text.encode(), NOW)
    assert isinstance(read, Pass)
    return read.content


@both
def test_renewed_pass_counts_and_the_one_before_counts_no_more(
    office: Office, person: PersonId
) -> None:
    """Also for a token, whose reference at the site is sealed for the new share."""
    old = office.issue(person)
    read = office.passes.reader().read(old.text.encode(), NOW)
    assert isinstance(read, Pass)
    new = office.passes.renew(read, ENDS + DAY, NOW + DAY)

    assert isinstance(office.shown(new.text, days=1), Claim)
    assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(old.text, days=1)
    assert isinstance(office.shown(new.text, days=300.5), Claim)


@both
def test_attack_store_from_before_a_renewal_brings_no_pass_back(
    tmp_path: Path, person: PersonId
) -> None:
    """The key of the one that was renewed is gone, whatever the records say; the new one they do
    not know."""
    folder, copy = tmp_path / "office", tmp_path / "copy"
    with open_office(folder) as office:
        old = office.issue(person)
    copytree(folder, copy)
    with open_office(folder) as office:
        read = office.passes.reader().read(old.text.encode(), NOW)
        assert isinstance(read, Pass)
        new = office.passes.renew(read, ENDS, NOW + DAY)
    for file in copy.glob(f"{STORE_FILE}*"):
        copyfile(file, folder / file.name)

    with open_office(folder) as office:
        assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(old.text, days=1)
        assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(new.text, days=1)


def test_pass_that_says_otherwise_than_its_record_counts_no_more(office: Office) -> None:
    """As one that was renewed under the same handle; signed by the site all the same."""
    issued = office.issue(ALICE)
    read = office.passes.reader().read(issued.text.encode(), NOW)
    assert isinstance(read, Pass)
    earlier = encode(replace(read, issued=NOW - DAY), office.passes.seed)

    assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(earlier)


def test_renewed_pass_moves_on_to_the_present_epoch(office: Office) -> None:
    """Its former key goes, and with the last one the secret of its epoch; the face is the same."""
    old = office.issue(ALICE)
    first = office.vault.epoch()[0]
    office.vault.begin_epoch()
    assert isinstance(office.shown(old.text), Claim)
    read = office.passes.reader().read(old.text.encode(), NOW)
    assert isinstance(read, Pass)
    before, new = office.shown(old.text), office.passes.renew(read, ENDS, NOW + DAY)
    after = office.shown(new.text, days=1)

    assert first not in office.vault.retire()
    assert isinstance(before, Claim)
    assert isinstance(after, Claim)
    was, now = (np.asarray(one.reference.template.values, np.float32) for one in (before, after))
    assert np.allclose(was, now, atol=1e-4)
    assert Reason.CREDENTIAL_NOT_ENABLED is office.shown(old.text, days=1)


@pytest.mark.parametrize("how", ["revoked", "renewed", "withdrawn", "over"])
def test_pass_that_counts_no_more_is_not_renewed(office: Office, how: str) -> None:
    """Nothing about it changes; new looks are asked for."""
    old = office.issue(ALICE)
    read = office.passes.reader().read(old.text.encode(), NOW)
    assert isinstance(read, Pass)
    if how == "revoked":
        office.passes.revoke(old.credential.id, NOW)
    elif how == "renewed":
        office.passes.renew(read, ENDS, NOW + DAY)
    elif how == "withdrawn":
        office.store.consents.withdraw(consent(ALICE).id, NOW, office.vault.destroy)
    kept, events = office.store.credentials.of(ALICE), len(office.journal.kept)
    until = NOW if how == "over" else ENDS
    with pytest.raises(PosternError) as refused:
        office.passes.renew(read, until, NOW + 2 * DAY)

    assert refused.value.code is (Code.INVALID if how == "over" else Code.CONFLICT)
    assert (kept, events) == (office.store.credentials.of(ALICE), len(office.journal.kept))
