"""The file that a new pass is written to: its owner's alone, and made before the pass is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.app.pass_drawing import Form, check_drawing, drawn, label
from postern.app.passes import IssuedPass
from postern.app.site import Site
from postern.cli.new_file import new_file

WritePass = Callable[[IssuedPass], None]


@contextmanager
def pass_file(path: Path, form: Form | None, site: Site, language: str) -> Iterator[WritePass]:
    """Gives what writes a pass to a new file with mode 0600; without a pass there is no file.

    Args:
        path: A `.png`, `.svg` or `.pdf` that is not there yet.
        form: What the pass is made for; by the file's kind where it is None.
        site: Whose pass it is.
        language: Of the words on it.

    Raises:
        PosternError: `invalid` for another kind of file; `conflict` where there is one already;
            `unavailable` where it cannot be written.
    """
    check_drawing(path, form)
    with new_file(path) as write:
        yield lambda issued: write(
            drawn(issued.text, label(site, issued.until, language), path, form)
        )
