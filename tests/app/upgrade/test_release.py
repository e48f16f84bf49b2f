"""What is taken for a release, and what is not, before anything of it is run."""

import io
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postern.app.upgrade import release as module
from postern.app.upgrade.release import opened_release, version_of
from postern.core.errors import Code, PosternError

WHEEL = "wheels/postern-1.2.0-py3-none-any.whl"


def tarball(path: Path, *members: tarfile.TarInfo | tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for one in members:
            if isinstance(one, tarfile.TarInfo):
                tar.addfile(one)
                continue
            member = tarfile.TarInfo(one[0])
            member.size = len(one[1])
            tar.addfile(member, io.BytesIO(one[1]))
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    script = ("r/packaging/install", b"exit 0\n")
    return tarball(tmp_path / "good.tar.gz", script, (f"r/{WHEEL}", b"wheel"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "opt").mkdir()
    return tmp_path / "opt"


def test_tarball_is_unpacked_for_as_long_as_it_is_used(good: Path, place: Path) -> None:
    """Its version is that of the wheel in it, and nothing is left of it."""
    right = sha256(good.read_bytes()).hexdigest().upper()
    for digest in (None, right):
        with opened_release(good, digest, place) as folder:
            assert "1.2.0" == version_of(folder)
            assert b"exit 0\n" == (folder / "packaging" / "install").read_bytes()
    assert [] == list(place.iterdir())


def test_clone_is_a_release_of_the_version_that_its_sources_say(tmp_path: Path) -> None:
    """Where there is no wheel."""
    (tmp_path / "packaging").mkdir()
    (tmp_path / "packaging" / "install").touch()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "3.0"\n')
    with opened_release(tmp_path, None, tmp_path) as folder:
        assert "3.0" == version_of(folder)


def test_attack_a_release_with_another_hash(good: Path, place: Path) -> None:
    """Nothing of it is unpacked."""
    for wrong, said in (("0" * 64, "not the release with that SHA-256"), ("12", "64 hexadecimal")):
        with pytest.raises(PosternError, match=said) as refused, opened_release(good, wrong, place):
            pytest.fail("it was opened")
        assert Code.INVALID is refused.value.code
    with pytest.raises(PosternError, match="folder has no"), opened_release(place, "0" * 64, place):
        pytest.fail("it was opened")
    assert [] == list(place.iterdir())


def _link(name: str, kind: bytes, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def _claiming(name: str, size: int) -> bytes:
    """An archive whose one member says that it is so large."""
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)


HOSTILE: dict[str, tuple[tarfile.TarInfo | tuple[str, bytes], ...]] = {
    "climbs out": (("r/../../out", b"x"),),
    "from the root": (("/out", b"x"),),
    "link": (_link("r/out", tarfile.SYMTYPE, "/etc/passwd"),),
    "through a link": (_link("r/d", tarfile.SYMTYPE, "/"), ("r/d/out", b"x")),
    "hard link": (_link("r/out", tarfile.LNKTYPE, "/etc/passwd"),),
    "device": (_link("r/out", tarfile.CHRTYPE, ""),),
    "pipe": (_link("r/out", tarfile.FIFOTYPE, ""),),
    "two folders": (("r/x", b"x"), ("s/x", b"x")),
    "twice": (("r/x", b"x"), ("r/x", b"y")),
    "empty": (),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_attack_a_tarball_that_reaches_beyond_its_folder(
    tmp_path: Path, place: Path, attack: str
) -> None:
    """Root unpacks it: nothing but plain files below one folder is written."""
    path = tarball(tmp_path / "hostile.tar.gz", *HOSTILE[attack])
    refusal = pytest.raises(PosternError, match="is no release")
    with refusal as refused, opened_release(path, None, place):
        pytest.fail("it was opened")
    assert Code.INVALID is refused.value.code
    assert [] == list(place.iterdir())
    assert {"hostile.tar.gz", "opt"} == {one.name for one in tmp_path.iterdir()}


def test_attack_a_tarball_that_is_far_too_large(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what it says of one file, and by how many there are."""
    path = tmp_path / "large.tar"
    path.write_bytes(_claiming("r/x", 5 << 30))
    with pytest.raises(PosternError, match="is no release"), opened_release(path, None, place):
        pytest.fail("it was opened")
    monkeypatch.setattr(module, "_MAX_MEMBERS", 2)
    many = tarball(tmp_path / "many.tar.gz", *[(f"r/{number}", b"") for number in range(3)])
    with pytest.raises(PosternError, match="is no release"), opened_release(many, None, place):
        pytest.fail("it was opened")
    assert [] == list(place.iterdir())


@pytest.mark.parametrize("names", [(), (WHEEL,), (WHEEL, WHEEL.replace("1.2", "1.3"))])
def test_folder_that_is_no_release_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Without an installer, or with two versions."""
    (tmp_path / "wheels").mkdir()
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(PosternError, match="is no release|several versions"):
        version_of(tmp_path)


def test_missing_release_is_said(tmp_path: Path) -> None:
    """As any file that is not there."""
    refusal = pytest.raises(PosternError, match="no file")
    with refusal as refused, opened_release(tmp_path / "none", None, tmp_path):
        pytest.fail("it was opened")
    assert Code.NOT_FOUND is refused.value.code


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    return tmp_path / "hostile"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=1024), st.integers(0, 300), st.binary(min_size=1, max_size=8))
def test_hostile_bytes_raise_only_our_error(
    good: Path, place: Path, hostile: Path, junk: bytes, at: int, other: bytes
) -> None:
    """Bytes of any kind, and a release some bytes of which are others."""
    content = good.read_bytes()
    hostile.write_bytes(junk)
    with pytest.raises(PosternError), opened_release(hostile, None, place):
        pytest.fail("it was opened")
    hostile.write_bytes(content[:at] + other + content[at + len(other) :])
    try:
        with opened_release(hostile, None, place) as folder:
            assert "r" == folder.name
    except PosternError:
        pass
    assert [] == list(place.iterdir())
