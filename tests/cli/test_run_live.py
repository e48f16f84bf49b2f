"""`postern run` as it is watched: over the socket in its folder."""

import asyncio
import signal
from pathlib import Path

from postern.app.live.relay import Relay
from postern.app.live.socket import LIVE_SOCKET
from tests.app.live.test_relay import Watching, relayed
from tests.cli.terminal import ended, postern, started
from tests.cli.test_run import garage
from tests.cli.test_run_health import listen, soon

__all__ = ["garage"]


def test_service_is_watched_and_opens_by_hand(garage: Path, tmp_path: Path) -> None:
    """Decisions and pictures arrive; whoever opens is recorded; the socket ends with it."""
    listen(garage, 1)
    file = garage / "site.toml"
    file.write_text(file.read_text("utf-8").split("[health]")[0], "utf-8")
    folder = garage / "data"
    process = started("run", cwd=garage)
    try:
        assert soon((folder / LIVE_SOCKET).exists)
        asyncio.run(_watch(folder))
    finally:
        process.send_signal(signal.SIGTERM)
        told = ended(process, 30.0)

    assert 0 == told.code, told
    assert not (folder / LIVE_SOCKET).exists()
    assert "user:maria" in postern("events", "--json").out


async def _watch(folder: Path) -> None:
    async with relayed(folder) as relay:
        watched = Watching(relay.watch(pictures=True))
        await watched.until("standing", part="camera", name="lane", state="ok")
        picture = await watched.until("picture", camera="lane")
        assert picture["jpeg"].startswith("/9j/")
        seen = await watched.until("seen", camera="lane")
        assert seen["present"] >= 1
        granted = await watched.until("attempt", granted=True)
        assert ("barrier", True) == (granted["access_point"], granted["opened"])
        report = await Relay(folder).release("barrier", "user:maria", "a courier")
        assert report.done
