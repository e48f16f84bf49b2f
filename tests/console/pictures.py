"""Takes the pictures of the console's pages for the documentation, of the demo's site as it runs.

python -m tests.console.pictures docs/console
"""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.app.wire import open_site, read_site
from postern.cli.demo.scene import Cast, populate, write_site
from tests.cli.terminal import ended, started
from tests.console.browser import DESK, PHONE, Window, picture, window
from tests.console.desk import NAME, PASSWORD, Desk, desk

#: Every page, by the name of its picture.
PAGES = ("setup", "sign-in", "live", "live-phone", "prove")
#: Milliseconds for both lanes to have let somebody in.
_SOON_MS = 120_000


@contextmanager
def demo(folder: Path) -> Iterator[Desk]:
    """The demo's site, watched by a service, and its console."""
    file = write_site(folder, Cast())
    text = file.read_text("utf-8").replace("sees =", "loop = true\nsees =")
    file.write_text(text, "utf-8")
    with open_site(read_site(file)) as installation:
        populate(installation, Cast())
    with desk(folder, text) as there:
        service = started("run", "--site", str(file), cwd=folder)
        try:
            yield there
        finally:
            service.send_signal(signal.SIGTERM)
            ended(service, 30.0)


def take(there: Desk, seen: Window, folder: Path) -> None:
    """Goes through the pages as the first administrator, and takes a picture of each."""
    page = seen.page
    page.goto(f"{there.address}/")
    page.wait_for_url("**/setup")
    picture(seen, folder / "setup.png")
    page.get_by_label("Code").fill(there.code())
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/live")
    page.locator("ol.last").nth(1).wait_for(timeout=_SOON_MS)
    page.get_by_text("Somebody is there.").first.wait_for(timeout=_SOON_MS)
    time.sleep(1.0)  # A picture of whoever came.
    picture(seen, folder / "live.png")
    width, height = PHONE
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark")
    picture(seen, folder / "live-phone.png")
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    page.emulate_media(color_scheme="light")
    page.goto(f"{there.address}/prove?next=/live")
    picture(seen, folder / "prove.png")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    picture(seen, folder / "sign-in.png")


def main() -> None:
    """Takes all pictures."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="postern-pictures-") as name:
        os.environ.setdefault("POSTERN_MODELS", str(Path(name) / "models"))
        with demo(Path(name)) as there, window(size=(1024, 700)) as seen:
            take(there, seen, folder)


if __name__ == "__main__":
    main()
