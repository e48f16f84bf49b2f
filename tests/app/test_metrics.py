"""The service's numbers: what they count, and that no label is anybody's."""

from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from postern.app.board import Board, Part
from postern.app.metrics import LogSize, Metrics
from postern.app.site import Site
from postern.app.wire import read_site
from postern.core.decision import Decision, Reason
from postern.core.ids import AttemptId, CameraId, PermitId
from postern.engine.ports import Outcome
from postern.engine.watch import Count
from tests.cli.conftest import SITE
from tests.clocks import SteppedClock
from tests.media import write_picture
from tests.people import ALICE, DOOR

GRANT = Outcome(
    DOOR.id,
    AttemptId("a1"),
    Decision(AttemptId("a1"), Reason.PERMITTED, PermitId("permit-of-alice"), (ALICE,), None, 1e-5),
    3,
    (),
    "opened",
    0.12,
    driven=True,
)
COUNTS = (
    Count(CameraId("lane"), 100, 7, 1.5),
    Count(CameraId("corridor"), 50, 0, 2.0),
    Count(CameraId("corridor"), 50, 1, 3.0),
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    write_picture(tmp_path / "lane.png", 3)
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    return read_site(tmp_path / "site.toml")


@pytest.fixture
def metrics(site: Site) -> Metrics:
    return Metrics(Board(site, SteppedClock()), lambda: COUNTS, lambda: LogSize(12, 10, 3.0))


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.text())
        for sample in family.samples
    }


def test_attempts_are_counted_by_place_and_reason(metrics: Metrics) -> None:
    """Grants also by how long they took; a stranger is one of a total."""
    for _ in range(3):
        metrics.ended(GRANT)
    metrics.ended(replace(GRANT, decision=Decision(AttemptId("a2"), Reason.UNAUTHORIZED)))
    found = samples(metrics)
    granted = (("access_point", "door"), ("granted", "true"), ("reason", "permitted"))
    denied = (("access_point", "door"), ("granted", "false"), ("reason", "unauthorized"))

    assert (3.0, 1.0) == tuple(found["postern_attempts_total", k] for k in (granted, denied))
    buckets = {
        dict(labels)["le"]: value
        for (name, labels), value in found.items()
        if name == "postern_frame_to_relay_seconds_bucket"
    }
    assert (0.0, 3.0, 3.0) == (buckets["0.1"], buckets["0.15"], buckets["+Inf"])


def test_cameras_and_the_log_are_counted(metrics: Metrics) -> None:
    """A camera that two lanes share is one."""
    found = samples(metrics)

    for name, expected in (
        ("postern_frames_total", 100.0),
        ("postern_frames_dropped_total", 1.0),
        ("postern_looking_seconds_total", 5.0),
    ):
        assert expected == found[name, (("camera", "corridor"),)], name
    assert 12.0 == found["postern_log_entries", ()]
    assert 10.0 == found["postern_log_published_entries", ()]
    assert 3.0 == found["postern_log_checkpoint_age_seconds", ()]
    assert found["process_resident_memory_bytes", ()] > 0


def test_numbers_are_given_where_the_log_cannot_be_read(site: Site) -> None:
    """All others."""
    metrics = Metrics(Board(site, SteppedClock()), tuple, lambda: None)
    names = {name for name, _ in samples(metrics)}

    assert "postern_up" in names
    assert not any(name.startswith("postern_log") for name in names)


def test_what_is_up_is_what_the_board_says(site: Site) -> None:
    """Also whether an access point can decide."""
    board = Board(site, SteppedClock())
    metrics = Metrics(board, tuple, lambda: None)
    board.health(CameraId("lane"), "ok", "frames arrive")
    board.health(CameraId("actuator lock"), "red", "It failed.")
    board.health(CameraId("a stranger's name"), "red", "It failed.")
    found = samples(metrics)
    up = {
        (dict(labels)["part"], dict(labels)["name"]): value
        for (name, labels), value in found.items()
        if name == "postern_up"
    }

    assert (1.0, 0.0, 0.0) == (
        up["camera", "lane"],
        up["camera", "corridor"],
        up["actuator", "lock"],
    )
    assert 1.0 == found["postern_ready", (("access_point", "barrier"),)]
    assert 0.0 == found["postern_ready", (("access_point", "door"),)]
    assert not any("stranger" in name for _, name in up)


def test_every_label_is_out_of_a_closed_set(site: Site, metrics: Metrics) -> None:
    """No person, no vehicle, no permit, no attempt: whatever ends, and whoever it was."""
    board = Board(site, SteppedClock())
    metrics = Metrics(board, lambda: COUNTS, lambda: LogSize(12, 10, 3.0))
    for reason in Reason:
        metrics.ended(replace(GRANT, decision=replace(GRANT.decision, reason=reason)))
    names = {*site.cameras, *site.access_points, *site.actuators, "ledger", "clock"}
    closed: dict[str, set[str]] = {
        "access_point": set(site.access_points),
        "camera": set(map(str, site.cameras)),
        "granted": {"true", "false"},
        "reason": set(map(str, Reason)),
        "part": {str(part) for part in Part if part is not Part.OTHER},
        "name": set(map(str, names)),
    }
    seen = set()
    for family in text_string_to_metric_families(metrics.text()):
        for sample in family.samples:
            for label, value in sample.labels.items():
                seen.add(label)
                if label not in ("le", "version"):  # Numbers, and the program's own.
                    assert value in closed[label], (family.name, label, value)
    assert closed.keys() | {"le", "version"} == seen
    assert "alice" not in metrics.text()


def test_no_number_says_when_anybody_came(metrics: Metrics) -> None:
    """The library would add when a counter began: the first stranger's time."""
    metrics.ended(replace(GRANT, decision=Decision(AttemptId("a2"), Reason.UNAUTHORIZED)))

    assert "postern_attempts_total" in metrics.text()
    assert "_created" not in metrics.text()
