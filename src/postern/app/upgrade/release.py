"""A release as somebody hands it over: a folder, or a tarball of one.

A tarball is unpacked as root, so that nothing in it is believed: only plain files and folders below
one folder, none of them outside it, and no more than a release can be.
"""

import gzip
import lzma
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from hmac import compare_digest
from pathlib import Path, PurePosixPath

from postern.core.errors import Code, PosternError, invalid

#: Bytes. All libraries as wheels take 0.7 GiB.
_MAX_BYTES = 4 << 30
#: Files and folders; a release without libraries has 20.
_MAX_MEMBERS = 10_000
#: Bytes read at once.
_BLOCK = 1 << 20
_DRAFT = ".release"
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_WHEEL = re.compile(r"postern-([0-9A-Za-z.+]+)-[\w.]+-[\w.]+-[\w.]+\.whl")
_SOURCES = re.compile(r'^version = "([0-9][0-9A-Za-z.+]*)"$', re.MULTILINE)


@contextmanager
def opened_release(path: Path, sha256: str | None, place: Path) -> Iterator[Path]:
    """The folder of a release; a tarball is unpacked for as long.

    Args:
        path: Its folder or tarball.
        sha256: The hash that the tarball must have, in hexadecimal; None where nobody said.
        place: The folder to unpack into.

    Raises:
        PosternError: `not_found` where there is nothing; `invalid` where it is no release, or its
            hash is another; `unavailable` where it cannot be read or unpacked now.
    """
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise invalid("A SHA-256 has 64 hexadecimal digits.")
    if path.is_dir():
        if sha256 is not None:
            raise invalid("A folder has no SHA-256.", "Name the release's tarball.")
        yield path
        return
    folder = place / _DRAFT
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield _unpacked(path, sha256, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def version_of(release: Path) -> str:
    """The version of a release.

    Raises:
        PosternError: `invalid` where it is none.
    """
    wheels = [m[1] for one in release.glob("wheels/*") if (m := _WHEEL.fullmatch(one.name))]
    if len(wheels) > 1:
        raise invalid(f"{release} has several versions of Postern.", "Unpack it again.")
    try:
        if not (release / "packaging" / "install").is_file():
            raise _no_release(release)
        sources = "" if wheels else (release / "pyproject.toml").read_text("utf-8")
    except (OSError, ValueError):
        raise _no_release(release) from None
    found = wheels or _SOURCES.findall(sources)
    if not found:
        raise _no_release(release)
    return found[0]


def _unpacked(path: Path, sha256: str | None, folder: Path) -> Path:
    try:
        with path.open("rb") as file:
            # The same open file is hashed and unpacked: nobody can change one for the other.
            found = file_digest(file, "sha256").hexdigest()
            if sha256 is not None and not compare_digest(found, sha256.lower()):
                raise invalid(f"{path.name} is not the release with that SHA-256.", "Get it again.")
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r:*") as tar:
                return _extract(tar, path, folder)
    except FileNotFoundError:
        raise PosternError(Code.NOT_FOUND, f"There is no file {path}.") from None
    except gzip.BadGzipFile:
        raise _no_release(path) from None
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE, f"{path} cannot be unpacked: {error.strerror or error}."
        ) from None
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, ValueError, OverflowError):
        raise _no_release(path) from None


def _extract(tar: tarfile.TarFile, path: Path, folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True)
    left, tops = _MAX_BYTES, set[str]()
    for number, member in enumerate(tar):
        parts = PurePosixPath(member.name).parts
        plain = member.isreg() or member.isdir()
        if number >= _MAX_MEMBERS or not plain or not parts or {"..", "/"} & {*parts}:
            raise _no_release(path)
        tops.add(parts[0])
        left -= member.size
        if left < 0 or len(tops) > 1:
            raise _no_release(path)
        target = folder.joinpath(*parts)
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        content = tar.extractfile(member)
        if content is None or target.exists():
            raise _no_release(path)
        with target.open("xb") as file:
            shutil.copyfileobj(content, file, _BLOCK)
    if not tops:
        raise _no_release(path)
    return folder / tops.pop()


def _no_release(path: Path) -> PosternError:
    return invalid(f"{path} is no release of Postern.", "Get it again.")
