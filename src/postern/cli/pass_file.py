"""The file that a new pass is written to: its owner's alone, and written before the pass counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.app.pass_drawing import Form, check_drawing, check_label, drawn, label
from postern.app.passes import Hand, IssuedPass
from postern.app.site import Site
from postern.cli.new_file import new_file
from postern.cli.terminal import warn


@contextmanager
def pass_file(path: Path, form: Form | None, site: Site, language: str) -> Iterator[Hand]:
    """Gives what writes a pass to a new file with mode 0600; without a pass there is no file.

    Args:
        path: A `.png`, `.svg` or `.pdf` that is not there yet.
        form: What the pass is made for; by the file's kind where it is None.
        site: Whose pass it is.
        language: Of the words on it.

    Raises:
        PosternError: `invalid` for another kind of file, or a site's name that a pass cannot show;
            `conflict` where there is a file already; `unavailable` where it cannot be written.
    """
    check_drawing(path, form)
    check_label(site, language)
    with new_file(path) as write:

        @contextmanager
        def hand(issued: IssuedPass) -> Iterator[None]:
            # All of it is on the disk before the pass counts, under its own name, so that nothing
            # is left to fail afterwards. Cut off in between, it is a pass that never counted, and
            # the one before it goes on to; the other way round there would be none.
            write(drawn(issued.text, label(site, issued.until, language), path, form))
            try:
                yield
            except BaseException:
                path.unlink(missing_ok=True)
                raise

        yield hand


def warn_of_traces(*, swept: bool) -> None:
    """Says where the key of what a new pass or reference replaced is not gone with every trace."""
    if not swept:
        warn("Another program was using keys.db: the former key, or traces of it, may be left.")
        warn("  They go at the next start of postern run, or within the hour where it runs.")
