"""Sentences that anybody may read who reaches the port."""

from pathlib import Path

import pytest

from postern.app.screen import Screen
from postern.app.wire import read_site
from tests.cli.conftest import SITE
from tests.media import write_picture

WITNESS = """
[witness.hub]
url = "https://witness.example/hub"
key = "witness.example/w1+37d9ed24+BEPNwCPSLV+eEH0aBpNFfTXR0Q630hxyEZL1b13kBmXT"
"""


@pytest.fixture
def screen(tmp_path: Path) -> Screen:
    write_picture(tmp_path / "lane.png", 3)
    (tmp_path / "site.toml").write_text(SITE + WITNESS, "utf-8")
    return Screen(read_site(tmp_path / "site.toml"))


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("rtsp://u:secret@10.0.0.7:554/live gives nothing.", "... gives nothing."),
        ("The camera at 192.0.2.7:80 has no picture.", "The camera at ... has no picture."),
        ("Nothing answers at [2001:db8::7]:554.", "Nothing answers at ...."),
        ("Nothing answers at fe80::1:2:3 now.", "Nothing answers at ... now."),
        ("The webcam /dev/video0 is not there.", "The webcam ... is not there."),
        ("~/lane.mp4 is damaged.", "... is damaged."),
        ("https://witness.example/hub refused.", "... refused."),
        ("frames arrive", "frames arrive"),
        ("It takes 12:30 to 13:00 and 1/2 of it.", "It takes 12:30 to 13:00 and 1/2 of it."),
        ("has given no picture for 10 s", "has given no picture for 10 s"),
    ],
)
def test_sentence_is_shown_without_addresses(sentence: str, shown: str, screen: Screen) -> None:
    """Whatever was written, and by whom."""
    assert shown == screen.clear(sentence)


def test_what_the_site_says_is_hidden_wherever_it_stands(tmp_path: Path, screen: Screen) -> None:
    """A path with a blank in it, which no pattern would find the end of; a data folder."""
    (tmp_path / "my own").mkdir()
    file = tmp_path / "my own" / "site.toml"
    file.write_text((tmp_path / "site.toml").read_text("utf-8"), "utf-8")
    write_picture(tmp_path / "my own" / "lane.png", 3)
    own = Screen(read_site(file))

    for text in ("lane.png", "data", "site.toml"):
        assert "No ... here." == own.clear(f"No {file.parent / text} here.")
    assert "own" in screen.clear(f"No {file.parent / 'lane.png'} here.")
