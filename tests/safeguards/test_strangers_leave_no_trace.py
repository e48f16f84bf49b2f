"""Safeguard: a face or plate that matches no permit is never stored, logged or published.

Five hundred strangers come to the service, as `postern run` runs it (see `crowd.py`). Then every
byte that it wrote, to a file or to a terminal, is searched for their plates, for the vectors that
were made of their faces in every form in which they might be kept, and for pictures of any kind
(see `traces.py`). The search is shown to find each of them when it is planted.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from postern.app.wire import open_site, read_site
from postern.core.decision import MEANING, Reason
from postern.core.event import Acted, Decided
from postern.core.look import ADVICE
from tests.needs import missing
from tests.safeguards.crowd import AT_BARRIERS, ATTEMPTS, VAN_PLATE, Crowd, Stranger, ended
from tests.safeguards.traces import (
    Form,
    Search,
    Vector,
    encoded,
    pass_forms,
    pictures_in,
    pixel_forms,
    plate_forms,
    traces,
    vector_forms,
)
from tests.safeguards.watched import whole

#: Where a program may write besides its own folders: nowhere that anything stays.
NOWHERE = re.compile(r"/dev/(null|tty|pts/\d+)$|/proc/self/")
#: Files that were gone when the others were read: drafts, which are renamed to what was searched.
DRAFT = re.compile(r"(data/ledger/(?:checkpoint|tile/[\w/.]+|pseudonyms/[\w-]+\.key))\.new")
#: What the lines say of an attempt in which nobody was recognised, besides how to stand better.
OF_NOBODY = {"not recognised", MEANING[Reason.FOREIGN_PASS], MEANING[Reason.INVALID_PASS]}


@pytest.fixture(scope="module")
def search(crowd: Crowd) -> Search:
    return Search(
        form
        for stranger, turned in zip(crowd.strangers, crowd.turned, strict=True)
        for form in _forms(stranger, turned)
    )


def test_five_hundred_strangers_came_and_were_turned_away(crowd: Crowd) -> None:
    """At doors and barriers; and the one person and the one vehicle that may pass did pass."""
    assert ended(crowd.told, "denied") >= ATTEMPTS
    assert ended(crowd.told, "denied", "face") >= ATTEMPTS // 2
    assert ended(crowd.told, "denied", "plate") >= AT_BARRIERS
    assert ended(crowd.told, "granted", "face")
    assert ended(crowd.told, "granted", "plate")
    assert len(crowd.strangers) >= ATTEMPTS
    assert ended(crowd.told, "denied", "face", "another site")


def test_a_stranger_is_no_event(crowd: Crowd) -> None:
    """Nor a number of one, in whatever kind of event: there are those of grants and what the gate
    answered to each, and no more denials than may have been of somebody who is registered."""
    with open_site(read_site(crowd.home / "site.toml")) as installation:
        events = [entry.event for entry in installation.store.events.list()]
    decided = [event for event in events if isinstance(event, Decided)]
    acted = [event for event in events if isinstance(event, Acted)]
    granted = [event.attempt for event in decided if event.reason is Reason.PERMITTED]

    assert {Decided, Acted} == {type(event) for event in events}
    assert all(event.holders for event in decided)
    assert sorted(granted) == sorted(event.attempt for event in acted)
    assert ended(crowd.told, "granted") == sum(event.done for event in acted)
    assert {"The simulated actuator opened for 1 s."} == {e.detail for e in acted if e.done}
    assert len(decided) <= len(_maybe_of_somebody(crowd.told)) < ATTEMPTS / 2


def test_what_is_told_of_a_stranger_names_nobody(crowd: Crowd) -> None:
    """A guard sees where, and that somebody was turned away: the same words for everybody."""
    lines = {re.sub(r"-\d+", "", line) for line in crowd.told.splitlines() if "denied" in line}

    assert lines <= {
        "face: denied (not recognised)", "plate: denied (not recognised)",
        *(line for line in lines if re.fullmatch(r"(face|plate): denied \([a-z ,]+\)", line)),
    }  # fmt: skip


def test_no_file_holds_anything_of_a_stranger(crowd: Crowd, search: Search) -> None:
    """Neither plate nor vector nor picture, while the service runs and after it was stopped."""
    assert {"data/postern.db", "running: data/postern.db", "running: data/postern.db-wal",
            "err.txt"} <= crowd.files.keys()  # fmt: skip

    assert [] == traces(crowd.files, search)


def test_the_program_writes_nowhere_else(crowd: Crowd) -> None:
    """Every file that it opened for writing, made or renamed is one that was searched: one that it
    removed again before that counts, too."""
    if crowd.calls is None:
        missing("strace")
    written = set(written_to(crowd.calls or (), crowd.home))

    assert any(path.endswith("data/postern.db") for path in written)
    searched = {name.removeprefix("running: ") for name in crowd.files}
    drafts = {path for path in written if (d := DRAFT.fullmatch(path)) and d[1] in searched}
    elsewhere = {path for path in written - searched - drafts if not NOWHERE.search(path)}
    assert set() == elsewhere


def test_search_finds_what_the_program_keeps(crowd: Crowd) -> None:
    """The registered plate is in the store, as text, where the strangers' are not."""
    found = Search(plate_forms(VAN_PLATE)).names(crowd.files["data/postern.db"])

    assert found == {f"{VAN_PLATE} as text"}


def test_search_finds_every_form_that_is_planted(crowd: Crowd, search: Search) -> None:
    """Two thirds of each form of a face and a pass, all forms of a plate, amid a database."""
    database = crowd.files["data/postern.db"]
    half = len(database) // 2
    showing = next(one for one in crowd.strangers if one.holds)
    for stranger in (crowd.strangers[0], showing, crowd.strangers[-1]):
        forms = [form for form in search.forms if form.name.startswith(f"{stranger.name},")]
        parts = [f.data[len(f.data) // 3 :] if len(f.data) > 60 else f.data for f in forms]
        planted = database[:half] + b"\0\xff\0".join(parts) + database[half:]
        assert {form.name for form in forms} == Search(forms).names(planted)


def test_search_finds_every_stranger_that_is_planted(crowd: Crowd, search: Search) -> None:
    """A quarter of each one's vector, or their plate, in one search for all of them."""
    faces = [one for one in crowd.strangers if not one.plate]
    plates = [one.plate.encode() for one in crowd.strangers if one.plate]
    parts = [np.asarray(one.template.values).tobytes()[99:227] for one in faces]
    found = search.names(b"\0\xff\0".join([*parts, *plates]))

    named = {name.split(",")[0] for name in found}
    assert {one.name for one in crowd.strangers} == named
    assert {"as it is", "as text"} == {re.sub(r".*(as it is|as text).*", r"\1", n) for n in found}


def test_search_finds_pictures_that_are_planted(crowd: Crowd) -> None:
    """Files of every kind that OpenCV writes; random bytes that begin like one are none."""
    image = crowd.strangers[0].image
    for ending in (".jpg", ".png", ".webp", ".bmp", ".tiff"):
        written = cv2.imencode(ending, image)[1].tobytes()
        assert pictures_in(bytes(1000) + written + bytes(1000)), ending
    noise = np.random.default_rng(3).integers(0, 256, 4_000_000, np.uint8).tobytes()
    assert set() == pictures_in(noise)


def test_search_finds_files_that_are_made_elsewhere(tmp_path: Path) -> None:
    """A line of strace for each way to make one."""
    lines = (
        f'7 openat(AT_FDCWD, "{tmp_path}/a", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 3',
        f'7 openat(AT_FDCWD, "{tmp_path}/read", O_RDONLY|O_CLOEXEC) = 3',
        f'7 openat(AT_FDCWD, "{tmp_path}/failed", O_WRONLY|O_CREAT, 0600) = -1 EACCES (Denied)',
        f'7 rename("{tmp_path}/a", "/srv/b") = 0',
        f'7 renameat2(AT_FDCWD, "x", AT_FDCWD, "{tmp_path}/c", 0) = 0',
        '7 memfd_create("d", MFD_CLOEXEC) = 5',
        # Another thread's call between the two halves of one, as strace writes it.
        f'7 openat(AT_FDCWD, "{tmp_path}/e", O_RDWR|O_CREAT|O_EXCL, 0600 <unfinished ...>',
        f'8 openat(AT_FDCWD, "{tmp_path}/read", O_RDONLY|O_CLOEXEC <unfinished ...>',
        f'9 openat(AT_FDCWD, "{tmp_path}", O_RDWR|O_TMPFILE, 0600 <unfinished ...>',
        "8 <... openat resumed>)             = 5",
        "7 <... openat resumed>)             = 6",
        f'8 creat("{tmp_path}/f", 0600 <unfinished ...>',
        "8 <... creat resumed>)              = -1 EACCES (Permission denied)",
    )

    # The last of them had not returned when the program ended.
    assert ["a", "/srv/b", "c", "d", "e", str(tmp_path)] == list(written_to(lines, tmp_path))


def written_to(lines: tuple[str, ...], home: Path) -> Iterator[str]:
    """The files that were opened for writing, made or renamed; those below `home` as seen there."""
    for line in whole(lines):
        call = re.match(r"\d+ +(\w+)\((.*)\) += (\d+)", line)
        if call is None:
            continue
        name, arguments, _ = call.groups()
        makes = re.match(r"(creat|rename|link|symlink|mknod|memfd_create)", name)
        if makes or (name.startswith("open") and re.search(r"O_(WRONLY|RDWR|CREAT)", arguments)):
            path = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)[-1]
            yield path.removeprefix(f"{home}/")


def _maybe_of_somebody(told: str) -> list[str]:
    """Why, of the attempts that may have been by somebody who is registered.

    On a slow machine looks of strangers become stale, too, which is told in the same words.
    """
    found = re.findall(r"^(?:face|plate)-\d+: (?:granted|denied) \((.*?)\)", told, re.MULTILINE)
    return [why for why in found if not OF_NOBODY | set(ADVICE.values()) >= set(why.split(", "))]


def _forms(stranger: Stranger, turned: Vector) -> Iterator[Form]:
    values = np.asarray(stranger.template.values)
    if stranger.plate:
        for form in plate_forms(stranger.plate):
            yield Form(f"{stranger.name}, {form.name}", form.data)
        yield from encoded(f"{stranger.name}, what was read", values.tobytes())
    else:
        plain = values.astype(np.float32)
        unit = plain / np.float32(np.linalg.norm(plain))
        ways = {"as it is": plain, "of unit length": unit, "turned": turned}
        yield from vector_forms(stranger.name, ways)
    if stranger.holds:
        yield from pass_forms(stranger.name, stranger.holds)
    yield from pixel_forms(stranger.name, stranger.image)
