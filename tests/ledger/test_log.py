"""The log of a site: opening, appending, publishing, proving and expiring."""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from postern.core.errors import Code, PosternError
from postern.core.event import Changed, Erased, Event
from postern.core.ports import Ledger
from postern.event_text import encode
from postern.ledger.checkpoint import Checkpoint, open_checkpoint, sign
from postern.ledger.leaf import commit, decode
from postern.ledger.log import Log, open_log
from postern.ledger.note import MOST_SIGNATURES, KeyType, Signer
from postern.ledger.proof import verify
from postern.ledger.pseudonym import reveal
from postern.ledger.tree import EMPTY
from postern.ledger.verify import Verified, verify_log
from tests.clocks import SteppedClock
from tests.ledger.samples import rewrite_event
from tests.people import ALICE, ERIN

SEED, ORIGIN = bytes(range(32)), "postern.example/front"
HOUR_S = 3600.0
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
WITNESS = Signer("witness.example/w1", bytes(range(1, 33)), KeyType.WITNESS)


class Site:
    """A log with its clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SteppedClock()
        self.log = self.open()

    def open(self, seed: bytes = SEED, origin: str = ORIGIN) -> Log:
        return open_log(self.folder, seed, origin, self.clock)

    def event(self, number: int = 0) -> Event:
        return Changed(self.clock.now().utc, f"thing {number}", "p-1", "operator")

    def fill(self, count: int) -> None:
        """So many events in one go."""
        self.log.append_all([self.event(number) for number in range(count)])

    def hours(self, count: int) -> None:
        """An event an hour."""
        for number in range(count):
            self.log.append(self.event(number))
            self.clock.advance(HOUR_S)

    def segment(self) -> Path:
        """The journal's only file."""
        (path,) = self.folder.glob("journal/*.segment")
        return path

    def verify(self) -> Verified:
        return verify_log(
            self.folder, self.log.verifier.vkey, time.monotonic, lambda done, of: None
        )

    def refused(self, words: str, call: Callable[[], object] | None = None) -> None:
        """It is not opened, or the call fails, with that sentence."""
        with pytest.raises(PosternError, match=words) as caught:
            (call or self.open)()
        assert caught.value.code in (Code.INVALID, Code.UNAUTHORIZED, Code.NOT_FOUND)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "ledger")


def test_log_is_a_ledger_whose_ids_are_places_in_the_tree(site: Site) -> None:
    """The first event is number 0, and a batch takes the numbers that follow."""
    ledger: Ledger = site.log
    assert "0" == ledger.append(site.event())
    assert ["1", "2"] == site.log.append_all([site.event(), site.event()])
    assert [] == site.log.append_all([])
    assert [0, 1, 2] == [entry.index for entry in site.log.entries()]
    assert [2] == [entry.index for entry in site.log.entries(2)]


def test_new_log_verifies_before_anything_happened(site: Site) -> None:
    """It says that it is empty, and says so under its key."""
    assert Checkpoint(ORIGIN, 0, EMPTY) == site.verify().checkpoint
    assert 0 == site.log.size()


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_published_log_verifies(site: Site, size: int) -> None:
    """Others' means accept what was published, at any width of the last tile."""
    site.fill(size)
    assert 0 == site.verify().checkpoint.size
    published = site.log.publish().checkpoint
    assert size == published.size
    assert published == site.verify().checkpoint == site.log.checkpoint().checkpoint


def test_log_grows_step_by_step(site: Site) -> None:
    """Every checkpoint verifies, whoever published the one before."""
    for step in range(1, 12):
        site.fill(step * 9)
        site.log = site.open() if step % 3 else site.log
        assert site.log.publish().checkpoint == site.verify().checkpoint
    assert site.log.size() == site.verify().checkpoint.size == 594


def test_publishing_again_signs_nothing_new(site: Site) -> None:
    """Where nothing has come, the checkpoint stays as it is, witnesses' lines included."""
    site.fill(3)
    before = site.log.publish()
    after = (site.folder / "checkpoint").stat().st_mtime_ns
    assert before == site.log.publish() == site.open().publish()
    assert after == (site.folder / "checkpoint").stat().st_mtime_ns


def test_several_publish_and_append_at_the_same_time(site: Site) -> None:
    """Threads and other openings of the log get in one another's way without harm."""
    logs = [site.log, site.open()]

    def work(log: Log) -> None:
        for number in range(12):
            log.append(site.event(number))
            if number % 3 == 0:
                log.publish()

    threads = [Thread(target=work, args=(log,)) for log in logs * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 72 == site.log.publish().checkpoint.size == site.verify().checkpoint.size


def test_journal_names_nobody_and_the_keys_holder_can(site: Site) -> None:
    """Files hold pseudonyms; who knows an id finds its events."""
    event = Erased(site.clock.now().utc, ALICE)
    site.log.append(event)
    site.log.publish()
    content = b"".join(path.read_bytes() for path in site.folder.rglob("*") if path.is_file())
    assert ALICE.encode() not in content

    (entry,) = site.log.entries()
    names = site.log.pseudonyms.names(event.at, [ERIN, ALICE])
    assert event == reveal(entry.event, names)
    assert entry.text == encode(entry.event)


def test_proof_shows_that_an_event_is_in_the_log(site: Site) -> None:
    """With salt and text anybody can see what was recorded, with the log's key alone."""
    site.fill(300)
    for index in (0, 255, 299):
        proof = site.log.prove(index, b"travels along")
        entry = next(site.log.entries(index))
        opened = verify(proof, entry.leaf, site.log.verifier)
        assert 300 == opened.checkpoint.size
        assert commit(entry.salt, entry.text.encode()) == decode(entry.leaf).commitment
        assert b"travels along" == proof.extra


def test_proof_publishes_first_where_that_is_due(site: Site) -> None:
    """An event of a moment ago can be proven; one that never was cannot."""
    site.fill(2)
    site.log.publish()
    old = site.log.prove(1)
    site.fill(1)
    newest = next(site.log.entries(2)).leaf
    assert 3 == verify(site.log.prove(2), newest, site.log.verifier).checkpoint.size
    assert old != site.log.prove(1)
    site.refused("has no entry 3", lambda: site.log.prove(3))


def test_cosignatures_go_below_the_checkpoint_that_they_are_of(site: Site) -> None:
    """A witness's line is added, replaced by a newer one, and refused once the log went on."""
    site.fill(2)
    opened = site.log.publish()
    for time_s in (1000, 2000):
        line = WITNESS.sign(opened.note.text, time_s)
        assert site.log.add_cosignatures(opened.checkpoint, [line])
        data = (site.folder / "checkpoint").read_bytes()
        signed = open_checkpoint(data, site.log.verifier, (WITNESS.verifier,)).signed
        assert [None, time_s] == [one.time_s for one in signed]
    assert 2 == len(site.log.publish().note.signatures)
    assert 2 == site.verify().checkpoint.size

    site.fill(1)
    site.log.publish()
    assert not site.log.add_cosignatures(opened.checkpoint, [line])
    assert 1 == len(site.log.checkpoint().note.signatures)


def test_more_signatures_than_are_read_again_are_not_put_in_place(site: Site) -> None:
    """Attack: witnesses fill the checkpoint, and the log can go on no more."""
    site.fill(1)
    opened = site.log.publish()
    many = [
        Signer(f"witness.example/{n}", bytes([n]) * 32, KeyType.WITNESS).sign(opened.note.text, n)
        for n in range(MOST_SIGNATURES)
    ]
    site.refused("not a signed note", lambda: site.log.add_cosignatures(opened.checkpoint, many))
    assert opened == site.log.checkpoint()

    again = [WITNESS.sign(opened.note.text, time_s) for time_s in range(MOST_SIGNATURES)]
    assert site.log.add_cosignatures(opened.checkpoint, again)
    assert 2 == len(site.log.checkpoint().note.signatures)
    assert site.log.add_cosignatures(opened.checkpoint, many[:-2])
    site.fill(1)
    assert 2 == site.log.publish().checkpoint.size


def test_contents_expire_and_proofs_stay(site: Site) -> None:
    """What was said is in no file any more; that something was said can still be proven."""
    site.hours(4)
    told = list(site.log.entries())
    proof = site.log.prove(0)
    site.log.expire(site.clock.now().utc - timedelta(hours=2))

    assert [2, 3] == [entry.index for entry in site.log.entries()]
    assert 4 == site.verify().checkpoint.size == site.open().size()
    verify(proof, told[0].leaf, site.log.verifier)
    assert proof == site.log.prove(0)
    content = b"".join(path.read_bytes() for path in site.folder.rglob("*") if path.is_file())
    assert told[0].leaf in content
    for entry in told[:2]:
        assert entry.salt not in content
        assert entry.text.encode() not in content
    assert told[2].salt in content


def test_expiry_publishes_first(site: Site) -> None:
    """An event that was never published is in the tree before what it said goes."""
    site.hours(3)
    site.log.expire(site.clock.now().utc)
    assert 3 == site.verify().checkpoint.size
    assert [] == list(site.log.entries())
    assert "3" == site.log.append(site.event())
    assert "4" == site.open().append(site.event())


def test_month_key_goes_with_the_last_event_of_its_month(site: Site) -> None:
    """Not before: what is kept can be resolved; and the present month keeps its key."""

    def months() -> set[str]:
        return {path.stem for path in site.folder.glob("pseudonyms/*.key")}

    site.log.append(site.event())
    site.clock.advance(31 * 24 * HOUR_S)
    site.log.append(site.event())
    assert {"2026-03", "2026-04"} == months()
    site.log.expire(site.clock.now().utc - timedelta(days=32))
    assert {"2026-03", "2026-04"} == months()
    site.log.expire(site.clock.now().utc - timedelta(days=30))
    assert {"2026-04"} == months()
    site.log.expire(site.clock.now().utc + timedelta(hours=2))
    assert {"2026-04"} == months()
    assert [] == list(site.log.entries())


def test_key_of_the_present_month_stays_for_who_is_about_to_append(site: Site) -> None:
    """Somebody has hidden an event and waits for the journal, in which this month is not yet."""
    site.log.append(site.event())
    site.clock.advance(31 * 24 * HOUR_S)
    event = Erased(site.clock.now().utc, ALICE)
    (hidden,) = site.log.pseudonyms.hide([event])
    site.log.expire(site.clock.now().utc - timedelta(days=32))
    assert event == reveal(hidden, site.log.pseudonyms.names(event.at, [ALICE]))


def test_lost_key_of_a_month_is_made_anew_only_once_nothing_is_kept_of_it(site: Site) -> None:
    """Attack: the key is removed, so that what was kept before leads to nobody.

    Whoever has it in memory goes on. The next month, and whatever has expired, need it no more.
    """
    site.clock.advance(-20 * 24 * HOUR_S)
    site.hours(2)
    site.log.close()
    (key,) = site.folder.glob("pseudonyms/*.key")
    kept = key.read_bytes()
    key.unlink()
    words = "The key 2026-02.key is missing, and events of that month are kept"
    site.refused(words, lambda: site.open().append(site.event()))
    assert 2 == site.log.size()
    key.write_bytes(kept)
    assert "2" == site.open().append(site.event())

    key.unlink()
    site.clock.advance(31 * 24 * HOUR_S)
    site.log = site.open()
    assert "3" == site.log.append(site.event())
    site.log.expire(site.clock.now().utc - timedelta(days=1))
    site.clock.advance(-31 * 24 * HOUR_S)
    assert "4" == site.open().append(site.event())


def test_key_of_a_month_is_missed_by_an_event_at_the_end_of_another_months_hour(
    site: Site,
) -> None:
    """The segment began in the month before."""
    end = 24 * HOUR_S * 31 - (site.clock.now().utc - MARCH).total_seconds()
    site.clock.advance(end - 60)
    site.log.append(site.event())
    (key,) = site.folder.glob("pseudonyms/*.key")
    site.clock.advance(120)
    assert "1" == site.open().append(site.event())
    assert 1 == len(list(site.folder.glob("journal/*.segment")))
    (site.folder / "pseudonyms" / "2026-04.key").unlink()
    site.refused("2026-04.key is missing", lambda: site.open().append(site.event()))


def test_key_of_a_month_to_come_stays_as_long_as_its_events(site: Site) -> None:
    """A clock that was set ahead for an hour: what was kept then can be resolved until it goes."""
    for days in (0, 400, -399):
        site.clock.advance(days * 24 * HOUR_S)
        site.log.append(site.event())
    assert {"2026-03", "2027-04"} == {path.stem for path in site.folder.glob("pseudonyms/*.key")}
    site.log.expire(site.clock.now().utc - timedelta(days=2))
    assert {"2026-03", "2027-04"} == {path.stem for path in site.folder.glob("pseudonyms/*.key")}
    assert 3 == len(list(site.log.entries()))
    site.clock.advance(3 * 24 * HOUR_S)
    site.log.append(site.event())
    site.log.expire(site.clock.now().utc - timedelta(hours=1))
    assert {"2026-03"} == {path.stem for path in site.folder.glob("pseudonyms/*.key")}


def test_full_disk_does_not_keep_from_making_room(site: Site) -> None:
    """Where nothing can be published, what was published before expires all the same."""
    site.hours(2)
    site.log.publish()
    site.hours(2)
    tiles = site.folder / "tile" / "entries"
    shutil.rmtree(tiles)
    tiles.write_text("in the way")
    with pytest.raises(PosternError):
        site.log.expire(site.clock.now().utc)
    assert [2, 3] == [entry.index for entry in site.log.entries()]


def test_name_of_a_log_is_fixed_when_it_is_made(site: Site) -> None:
    """Another origin changes nothing; another key is refused and leaves everything alone."""
    site.fill(1)
    site.log.publish()
    assert ORIGIN == site.open(origin="postern.example/renamed").verifier.name
    site.refused("signing key is not that of the log", lambda: site.open(seed=bytes(32)))
    assert 1 == site.verify().checkpoint.size


def test_lost_public_key_is_written_again(site: Site) -> None:
    """It follows from the signing key; under another key the checkpoint would not hold."""
    (site.folder / "log.vkey").unlink()
    site.refused("checkpoint is damaged, or was made", lambda: site.open(seed=bytes(32)))
    assert not (site.folder / "log.vkey").exists()
    site.open()
    assert f"{site.log.verifier.vkey}\n" == (site.folder / "log.vkey").read_text()


def test_lost_checkpoint_is_never_made_anew(site: Site) -> None:
    """Attack: an event is rewritten, and what is signed of it removed to have it signed again.

    Neither the checksums of the journal nor its commitments need a secret.
    """
    site.fill(3)
    site.log.publish()
    rewrite_event(site.segment(), 1, "thing", "wrong")
    shutil.rmtree(site.folder / "tile")
    (site.folder / "checkpoint").unlink()
    site.refused("checkpoint is missing", site.log.publish)
    site.refused("checkpoint is missing")
    (site.folder / "log.vkey").unlink()
    site.refused("checkpoint is missing")
    assert {"journal", "pseudonyms", "publish.lock"} == {p.name for p in site.folder.iterdir()}


@pytest.mark.parametrize("kept", ["log.vkey", "tile", "journal"])
def test_nothing_of_a_log_is_taken_for_a_new_one(site: Site, kept: str) -> None:
    """Attack: as little as possible is left of it. What is left of it all was wiped, and is new."""
    site.fill(3)
    site.log.publish()
    for path in site.folder.iterdir():
        if path.name != kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    site.refused("checkpoint is missing")
    assert not (site.folder / "checkpoint").exists()
    shutil.rmtree(site.folder)
    assert 0 == site.open().checkpoint().checkpoint.size


def test_older_checkpoint_is_not_continued_by_another_history(site: Site) -> None:
    """Attack: an older state of all that is public is put back, and what came after rewritten.

    It is whole in itself. Whoever remembers the later checkpoint refuses it: the log that is open,
    and one that is opened and told. A log that is shorter is for them to tell of.
    """
    site.fill(3)
    site.log.publish()
    older = site.folder.with_name("older")
    shutil.copytree(site.folder, older)
    site.fill(3)
    seen = site.log.publish().checkpoint
    rewrite_event(site.segment(), 4, "thing", "wrong")
    shutil.rmtree(site.folder / "tile")
    shutil.copytree(
        older, site.folder, ignore=shutil.ignore_patterns("journal"), dirs_exist_ok=True
    )

    def reopen() -> Log:
        return open_log(site.folder, SEED, ORIGIN, site.clock, (seen.size, seen.root))

    words = "does not continue what this site published before, up to entry 5"
    site.refused(words, site.log.publish)
    site.refused(words, reopen)
    assert 3 == site.log.checkpoint().checkpoint.size
    open_log(older, SEED, ORIGIN, site.clock, (seen.size, seen.root)).close()

    # Without anybody who remembers it is signed; it stays refused by those who do.
    site.open().publish()
    site.refused(words, site.log.publish)
    site.refused(words, reopen)


def test_grown_log_continues_what_was_seen(site: Site) -> None:
    """At any size that was ever published, whoever published since."""
    seen = [site.log.publish().checkpoint]
    for count in (1, 254, 1, 300):
        site.fill(count)
        seen.append(site.open().publish().checkpoint)
    for one in seen:
        open_log(site.folder, SEED, ORIGIN, site.clock, (one.size, one.root)).close()
    assert seen[-1] == site.log.publish().checkpoint


@pytest.mark.parametrize("at", range(0, 200, 7))
def test_changed_checkpoint_is_refused(site: Site, at: int) -> None:
    """Attack: any byte of the checkpoint is changed."""
    site.fill(3)
    site.log.publish()
    path = site.folder / "checkpoint"
    data = path.read_bytes()
    at %= len(data)
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    site.refused(".")


def test_checkpoint_ahead_of_the_tiles_is_refused(site: Site) -> None:
    """Attack: a checkpoint, rightly signed, that tiles or journal do not carry."""
    site.fill(5)
    site.log.publish()
    older = site.folder.with_name("older")
    shutil.copytree(site.folder, older)
    site.fill(5)
    site.log.publish()
    shutil.copy(site.folder / "checkpoint", older / "checkpoint")
    with pytest.raises(PosternError, match="missing"):
        open_log(older, SEED, ORIGIN, site.clock)
    shutil.copytree(site.folder / "tile", older / "tile", dirs_exist_ok=True)
    with pytest.raises(PosternError, match="Entry 5 of the journal is damaged or missing"):
        open_log(older, SEED, ORIGIN, site.clock)


def test_checkpoint_of_other_entries_is_refused(site: Site) -> None:
    """Attack: whoever has the key signs something else than what the tiles say."""
    site.fill(5)
    site.log.publish()
    forged = sign(Checkpoint(ORIGIN, 5, bytes(32)), Signer(ORIGIN, SEED))
    (site.folder / "checkpoint").write_bytes(forged)
    site.refused("do not fit its checkpoint")


def test_journal_of_another_log_is_refused(site: Site, tmp_path: Path) -> None:
    """Attack: the journal is swapped for one of the same length."""
    site.fill(5)
    site.log.publish()
    other = Site(tmp_path / "other")
    other.fill(5)
    shutil.rmtree(site.folder / "journal")
    shutil.copytree(other.folder / "journal", site.folder / "journal")
    site.refused("Entry 0 is not the one that was published")


def test_journal_that_starts_after_a_gap_is_refused(site: Site) -> None:
    """Attack: an hour that was not yet published disappears."""
    site.hours(2)
    site.log.publish()
    site.hours(2)
    segment = site.folder / "journal" / "00000000000000000002.segment"
    segment.unlink()
    site.refused("Entry 2 of the journal is damaged or missing")


def test_journal_that_is_gone_is_refused(site: Site) -> None:
    """Attack: the journal is emptied, so that numbers would be given again."""
    site.hours(2)
    site.log.publish()
    shutil.rmtree(site.folder / "journal")
    site.refused("The end of the journal is missing")


def test_damaged_journal_is_never_published(site: Site) -> None:
    """Attack: an event is changed before it was published, checksum and all."""
    site.fill(2)
    site.log.append(site.event())
    path = next(site.folder.glob("journal/*.segment"))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"thing 1", b"thing 9"))
    site.refused("Entry 0 of the journal is damaged")
    site.refused("Entry 0 of the journal is damaged", site.log.publish)
    assert 0 == site.log.checkpoint().checkpoint.size


def test_damaged_key_file_is_refused(site: Site) -> None:
    """A public key that does not read back is named, not replaced."""
    for content in (b"", b"\xff", b"x+1+2\n"):
        (site.folder / "log.vkey").write_bytes(content)
        site.refused("log.vkey is damaged")
        assert content == (site.folder / "log.vkey").read_bytes()


def test_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """A file lies where the folder belongs."""
    (tmp_path / "ledger").write_text("in the way")
    with pytest.raises(PosternError, match="cannot be written") as caught:
        Site(tmp_path / "ledger")
    assert Code.UNAVAILABLE is caught.value.code


def test_closed_log_can_be_used_again(site: Site) -> None:
    """Closing lets go of files; it does not end anything."""
    site.fill(1)
    site.log.close()
    site.log.close()
    assert "1" == site.log.append(site.event())
