"""The pictures in the documentation are those of the pages as they are."""

from pathlib import Path

import pytest

from tests.console.browser import window
from tests.console.pictures import PAGES, demo, take

DOCS = Path(__file__).resolve().parents[2] / "docs"
PNG = b"\x89PNG\r\n"


def test_every_page_has_its_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken of the demo's site while it runs; the documentation shows the same ones."""
    monkeypatch.setenv("POSTERN_MODELS", str(tmp_path / "models"))
    (tmp_path / "site").mkdir()
    with demo(tmp_path / "site") as there, window(size=(1024, 700)) as seen:
        take(there, seen, tmp_path)
    taken = {path.stem for path in tmp_path.glob("*.png") if path.read_bytes().startswith(PNG)}
    shown = {path.stem for path in (DOCS / "console").glob("*.png")}

    assert set(PAGES) == taken == shown
    page = (DOCS / "console.md").read_text("utf-8")
    assert all(f"](console/{name}.png)" in page for name in PAGES)
