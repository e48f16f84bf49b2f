"""The system's Chromium, driven through pages as people use them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.needs import missing

#: A phone's and a desk's.
PHONE, DESK = (390, 844), (1280, 900)
#: What keeps people from using a page (axe-core's impacts).
SERIOUS = {"serious", "critical"}


@dataclass
class Window:
    """A browser's window.

    Attributes:
        page: What it shows.
        context: Its cookies and settings.
        said: What the browser complained of.
    """

    page: Page
    context: BrowserContext
    said: list[str] = field(default_factory=list)

    def another(self, *, script: bool = True) -> "Window":
        """A window of somebody else's, in the same browser; nothing of this one is known there."""
        browser = self.context.browser
        assert browser is not None
        return _opened(browser.new_context(java_script_enabled=script))

    def faults(self) -> list[str]:
        """What keeps people from using the page."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in SERIOUS
        ]

    def overflows(self) -> bool:
        """Whether the page is wider than the window."""
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        return bool(self.page.evaluate(wide))


@contextmanager
def window(
    size: tuple[int, int] = DESK, *, dark: bool = False, locale: str = "en", script: bool = True
) -> Iterator[Window]:
    """A new window, as of a browser that was never used.

    Args:
        size: Its width and height.
        dark: Whether its user likes it dark.
        locale: The language that its user prefers.
        script: Whether it runs scripts.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        missing("chromium")
    with sync_playwright() as playwright:
        # Chromium runs as root nowhere but in tests' containers, and there not with its sandbox.
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            locale=locale,
            java_script_enabled=script,
        )
        try:
            yield _opened(context)
        finally:
            browser.close()


def _opened(context: BrowserContext) -> Window:
    opened = Window(context.new_page(), context)
    opened.page.on("console", lambda message: opened.said.append(message.text))
    opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
    return opened


def picture(window: Window, file: Path) -> None:
    """Takes a picture of the whole page."""
    window.page.screenshot(path=file, full_page=True)
