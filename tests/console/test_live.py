"""The page of the lanes, and what changes on it."""

import re
from dataclasses import replace
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from postern.app.board import Part
from postern.app.wording import locales, wording
from postern.console.lanes import LAST
from postern.core.decision import Reason
from postern.core.ids import AttemptId
from postern.core.look import Flaw
from postern.core.role import RIGHTS, Right, Role
from tests.app.live.site import GRANT, LANE, STRANGER
from tests.console.browser import DESK, PHONE, window
from tests.console.site import Played


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return Played(tmp_path)


def asked(address: str, path: str = "/live", **headers: str) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=10.0) as client:
        return client.get(f"{address}{path}", headers=headers)


def jpeg() -> bytes:
    grey = np.full((360, 640, 3), 120, np.uint8)
    return cv2.imencode(".jpg", grey)[1].tobytes()


@pytest.mark.parametrize("locale", locales())
def test_everything_that_can_be_told_has_its_words(locale: str) -> None:
    """Every reason, state, part, advice, in every language."""
    texts = wording(locale).texts
    wanted = (
        *(f"console.reason.{reason}" for reason in Reason),
        *(f"console.advice.{flaw}" for flaw in Flaw),
        *(f"console.state.{state}" for state in ("ok", "red", "starting", "finished")),
        *(f"console.part.{part}" for part in set(Part) - {Part.CAMERA, Part.ACCESS_POINT}),
    )
    assert [] == [key for key in wanted if not texts.get(key)]


def test_page_runs_and_loads_nothing_from_elsewhere(played: Played) -> None:
    """Its policy says so, and nothing in it needs more."""
    with played.answers() as address:
        page = asked(address)
        loaded = [
            asked(address, path)
            for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
        ]
    policy = page.headers["content-security-policy"]
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'"} <= set(
        policy.split("; ")
    )
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|https?://", page.text)
    assert 4 == len(loaded)
    assert all(one.is_success for one in loaded)
    assert len(page.content) + sum(len(one.content) for one in loaded) <= 150 * 1024
    assert "no-store" == page.headers["cache-control"]


@pytest.mark.parametrize("role", [None, *Role])
def test_only_those_who_may_watch_see_the_lanes(tmp_path: Path, role: Role | None) -> None:
    """An auditor sees no face, not even a coarse one."""
    with Played(tmp_path, role).answers() as address:
        statuses = {asked(address).status_code}
        if role is None or Right.WATCH not in RIGHTS[role]:
            statuses.add(asked(address, "/live/stream").status_code)
    allowed = role is not None and Right.WATCH in RIGHTS[role]
    assert {200 if allowed else 401 if role is None else 403} == statuses


def test_language_is_the_browser_s_or_the_one_that_was_chosen(played: Played) -> None:
    """English where neither is known."""
    with played.answers() as address:
        said = {
            written: re.findall(r'<html lang="(..)">', asked(address, **headers).text)
            for written, headers in {
                "none": {"Accept-Language": ""},
                "german": {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"},
                "unknown": {"Accept-Language": "xx, fr;q=0.5"},
                "chosen": {"Accept-Language": "en", "Cookie": "language=de"},
                "garbage": {"Accept-Language": ",;;=-" * 99, "Cookie": "language=../../etc"},
            }.items()
        }
    assert {
        "none": ["en"], "german": ["de"], "unknown": ["en"], "chosen": ["de"], "garbage": ["en"],
    } == said  # fmt: skip


def test_what_happens_is_on_the_page_at_once(played: Played) -> None:
    """States, decisions, who is there, pictures; without a word of script of our own."""
    with played.answers() as address, window() as seen:
        page = seen.page
        page.goto(f"{address}/live")
        page.get_by_text("Gate or lock gate").wait_for()
        assert "starting" in page.locator("figcaption").inner_text()
        played.served.observer.health(LANE, "ok", "frames arrive")
        page.locator("figcaption .ok").wait_for()
        played.served.feed.seen(LANE, 1, (Flaw.BLURRED,))
        page.get_by_text("Hold still.").wait_for()
        played.looked_at()
        played.served.feed.picture(LANE, jpeg())
        page.get_by_alt_text("What the camera lane sees").wait_for()
        played.served.observer.ended(GRANT)
        page.get_by_text("Let in:").wait_for()
        assert (
            "09:00:00 Let in: a permit lets through permit-1"
            == page.locator(".last li").inner_text()
        )
        played.served.observer.health(LANE, "red", "It is <i>dark & damp.")
        page.get_by_text("It is <i>dark & damp.").wait_for()
        assert [] == seen.said


def test_stranger_is_shown_while_they_stand_there_and_to_nobody_later(played: Played) -> None:
    """Neither in the list of decisions, nor on a page that is opened when they have gone."""
    with played.answers() as address, window() as seen:
        seen.page.goto(f"{address}/live")
        seen.page.get_by_text("Gate or lock gate").wait_for()
        played.served.feed.seen(LANE, 1, ())
        played.served.observer.ended(STRANGER)
        seen.page.get_by_text("Not recognised.").wait_for()
        assert 0 == seen.page.locator(".last li").count()
        played.served.feed.seen(LANE, 0, ())
        seen.page.get_by_text("Nobody is there.").wait_for()
        page = asked(address).text
    assert "Not recognised" not in page
    assert "Nobody is there." in page


def test_lanes_keep_a_handful_of_decisions_for_whoever_comes_later(played: Played) -> None:
    """The newest first, of those whom the site knows."""
    with played.answers() as address, window() as seen:
        seen.page.goto(f"{address}/live")
        seen.page.get_by_text("Gate or lock gate").wait_for()
        for number in range(LAST + 3):
            reason = Reason.PASSBACK if number % 2 else Reason.PERMITTED
            decision = replace(GRANT.decision, reason=reason)
            played.served.observer.ended(
                replace(
                    GRANT, attempt=AttemptId(f"a{number}"), decision=decision, driven=number > 1
                )
            )
        seen.page.get_by_text("already inside").first.wait_for()
        page = asked(address).text
    found = re.findall(r'<strong class="(\w+)">', page)
    assert ["denied", "granted", "denied", "granted", "denied"] == found


def test_service_that_does_not_run_is_told(played: Played) -> None:
    """Nothing is shown as if it were so now."""
    with played.answers() as address:
        pass
    with window() as seen, Played(played.served.site.file.parent).alone() as address:
        seen.page.goto(f"{address}/live")
        seen.page.get_by_role("alert").wait_for()
        assert "The service does not run" in seen.page.get_by_role("alert").inner_text()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("size", "locale"), [(PHONE, "de"), (DESK, "en")])
def test_page_keeps_nobody_out(
    played: Played, size: tuple[int, int], locale: str, *, dark: bool
) -> None:
    """On a phone and a desk, in light and dark, by keyboard and screen reader."""
    with played.answers() as address, window(size, dark=dark, locale=locale) as seen:
        seen.page.goto(f"{address}/live")
        seen.page.locator(".others li").first.wait_for()
        played.served.observer.health(LANE, "red", "It is dark." + " It is dark." * 9)
        played.served.feed.picture(LANE, jpeg())
        played.served.feed.seen(LANE, 1, tuple(Flaw))
        played.served.observer.ended(GRANT)
        seen.page.locator(".last li").wait_for()
        assert [] == seen.faults()
        assert not seen.overflows()
        seen.page.keyboard.press("Tab")
        assert "#main" == seen.page.evaluate("document.activeElement.getAttribute('href')")


def test_page_says_how_everything_stands_without_any_script(played: Played) -> None:
    """As it was when it was asked for."""
    with played.answers() as address, window() as seen:
        seen.page.goto(f"{address}/live")
        seen.page.get_by_text("Gate or lock gate").wait_for()
        plain = seen.another(script=False)
        plain.page.goto(f"{address}/live")
        assert "Gate or lock gate" in plain.page.inner_text("main")
