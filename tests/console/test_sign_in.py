"""Getting in, as people do it in a browser."""

from pathlib import Path

import pytest

from tests.console.browser import PHONE, Window, window
from tests.console.desk import NAME, PASSWORD, Desk, desk


def begin(seen: Window, there: Desk) -> None:
    """Sets the first password."""
    seen.page.goto(f"{there.address}/")
    seen.page.wait_for_url("**/setup")
    seen.page.get_by_label("Code").fill(there.code())
    seen.page.get_by_label("Name").fill(NAME)
    seen.page.get_by_label("New password").fill(PASSWORD)
    seen.page.get_by_role("button", name="Begin").click()
    seen.page.wait_for_url("**/live")


def enter(seen: Window, password: str = PASSWORD) -> None:
    seen.page.get_by_label("Name").fill(NAME)
    seen.page.get_by_label("Password").fill(password)
    seen.page.get_by_role("button", name="Sign in").click()


def test_first_administrator_begins_with_the_terminal_s_code(tmp_path: Path) -> None:
    """From the first address that anybody types, in one form; the code counts once."""
    with desk(tmp_path) as there, window() as seen:
        code = there.code()
        begin(seen, there)
        assert "user:maria" in seen.page.inner_text("header")
        cookies = {one["name"]: one for one in seen.context.cookies()}
        assert {"__Host-postern"} == cookies.keys()
        assert cookies["__Host-postern"]["httpOnly"]
        assert cookies["__Host-postern"]["secure"]
        assert [] == seen.said
        other = seen.another()
        other.page.goto(f"{there.address}/setup")
        other.page.get_by_label("Code").fill(code)
        other.page.get_by_label("New password").fill(PASSWORD)
        other.page.get_by_role("button", name="Begin").click()
        other.page.get_by_role("alert").wait_for()


def test_whoever_signs_in_comes_to_where_they_were_going(tmp_path: Path) -> None:
    """What was wrong is said beside what was typed, and nothing is lost."""
    with desk(tmp_path) as there, window() as seen:
        begin(seen, there)
        seen.page.get_by_role("button", name="Sign out").click()
        seen.page.wait_for_url("**/sign-in")
        assert [] == seen.context.cookies()
        seen.page.goto(f"{there.address}/live?lane=1")
        seen.page.wait_for_url("**/sign-in?next=*")
        enter(seen, "wrong horse battery staple")
        assert "is wrong" in seen.page.get_by_role("alert").inner_text()
        assert NAME == seen.page.get_by_label("Name").input_value()
        enter(seen)
        seen.page.wait_for_url("**/live?lane=1")


@pytest.mark.parametrize(
    "there", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_attack_link_that_leads_elsewhere_after_signing_in(tmp_path: Path, there: str) -> None:
    """It leads home."""
    with desk(tmp_path) as console, window() as seen:
        begin(seen, console)
        seen.page.get_by_role("button", name="Sign out").click()
        seen.page.goto(f"{console.address}/sign-in?next={there}")
        enter(seen)
        seen.page.wait_for_url(f"{console.address}/live")


def test_whoever_opens_by_hand_says_why(tmp_path: Path) -> None:
    """What came of it is said at the lane; a reason that says nothing is refused."""
    with desk(tmp_path) as there, window() as seen:
        begin(seen, there)
        seen.page.get_by_label("Why").fill("a courier")
        seen.page.get_by_role("button", name="Open by hand").click()
        # No service runs here: that is what is said.
        seen.page.get_by_text("Start it: postern run").wait_for()
        plain = seen.another(script=False)
        plain.context.add_cookies(seen.context.cookies())  # type: ignore[arg-type]
        plain.page.goto(f"{there.address}/live")
        plain.page.get_by_label("Why").fill("    ")
        plain.page.get_by_role("button", name="Open by hand").click()
        plain.page.get_by_text("A reason has").wait_for()


def test_screen_that_somebody_left_opens_nothing(tmp_path: Path) -> None:
    """They prove that it is they, and come back to the lanes."""
    with desk(tmp_path) as there, window() as seen:
        begin(seen, there)
        sessions = there.installation.store
        with sessions._database.writing() as connection:
            connection.exec_driver_sql("UPDATE sessions SET proven = '2020-01-01T00:00:00.000000Z'")
        seen.page.get_by_label("Why").fill("a courier")
        seen.page.get_by_role("button", name="Open by hand").click()
        seen.page.wait_for_url("**/prove?next=*")
        seen.page.get_by_label("Password").fill(PASSWORD)
        seen.page.get_by_role("button", name="Go on").click()
        seen.page.wait_for_url("**/live")
        assert seen.page.get_by_role("button", name="Open by hand").is_visible()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("path", ["/setup", "/sign-in", "/prove", "/nowhere"])
def test_pages_of_signing_in_keep_nobody_out(tmp_path: Path, path: str, *, dark: bool) -> None:
    """On a phone, in light and dark, in German."""
    with desk(tmp_path) as there, window(PHONE, dark=dark) as seen:
        if path != "/setup":
            begin(seen, there)
        german = {"name": "language", "value": "de", "url": there.address}
        seen.context.add_cookies([german])  # type: ignore[list-item]
        seen.page.goto(f"{there.address}{path}")
        assert "de" == seen.page.get_attribute("html", "lang")
        assert [] == seen.faults()
        assert not seen.overflows()
