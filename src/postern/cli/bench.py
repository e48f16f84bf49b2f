"""`postern bench`: how fast and how good, beside the peers."""

import tempfile
from dataclasses import asdict
from itertools import count
from pathlib import Path
from time import monotonic, thread_time
from typing import Annotated

import cv2
import typer
from rich.table import Table

from postern.app.clock import SystemClock
from postern.app.wire import build_service, open_models, open_site, read_site
from postern.bench import ledger, pass_reading, pass_words, results
from postern.bench.face_calibration import People
from postern.bench.face_folder import read_people, usable
from postern.bench.face_holdout import hold_out
from postern.bench.peers import Peers, Timing, compare
from postern.bench.service_load import Grants, Latency, measure_latency, processor_share
from postern.bench.speed import face_cases, plate_case
from postern.cli.demo.barrier import Visit, empty_lane
from postern.cli.demo.clip import write
from postern.cli.demo.door import Portrait, enrolment_frames
from postern.cli.demo.scene import REGISTERED, Cast, populate, write_site
from postern.cli.terminal import ERR, OUT, progress
from postern.core.errors import invalid
from postern.vision.faces.load import DetectorName, load_recogniser
from postern.vision.model import Models
from postern.vision.plates import recogniser as plates
from postern.vision.plates.evaluate import Labelled, Score, labels
from postern.vision.plates.evaluate import evaluate as read_all
from postern.vision.plates.grammar import SHAPES, grammar

_PARTS = ("speed", "plates", "service", "faces", "passes", "ledger")
#: Every how many photographs the plate reader is timed; all of them are scored.
_EVERY = 4
#: Drawn pictures for each figure on passes.
_PASS_PICTURES = 40
_IDLE_FPS, _IDLE_S, _SETTLE_S = 5, 40, 12.0
_LOG_ENTRIES = 300_000


def bench(
    part: Annotated[
        list[str] | None,
        typer.Argument(help="Of speed, plates, service, faces, passes, ledger; or all."),
    ] = None,
    peers: Annotated[Path, typer.Option(help="The interpreter of the peers' environment.")] = Path(
        ".venv-peers/bin/python"
    ),
    data: Annotated[Path, typer.Option(help="The folder of data sets.")] = Path("../shared/data"),
    out: Annotated[Path, typer.Option(help="Where the results go.")] = Path("docs/benchmarks"),
) -> None:
    """Measure what is promised; write it down with the machine and the command."""
    parts = part or list(_PARTS)
    strange = [name for name in parts if name not in _PARTS]
    if strange:
        raise invalid(f"There is no benchmark {strange[0]!r}.", f"Known: {', '.join(_PARTS)}.")
    # One thread for Postern, too.
    cv2.setNumThreads(1)
    models = open_models()
    machine = results.this_machine(
        {entry.name: entry.sha256 for entry in models.entries if models.present(entry.name)}
    )
    if not models.present("yunet"):
        ERR.print("YuNet is not installed; its figures are left out (postern models import FILE).")
    if "speed" in parts:
        _speed(models, machine, peers, data, out)
    if "plates" in parts:
        _plates(models, machine, data, out)
    if "service" in parts:
        _service(machine, out)
    if "faces" in parts:
        _faces(models, machine, data, out)
    if "passes" in parts:
        _passes(machine, data, out)
    if "ledger" in parts:
        _ledger(machine, out)
    ERR.print(f"The results are in {out}.")


def _speed(models: Models, machine: results.Machine, peers: Path, data: Path, out: Path) -> None:
    scenes = enrolment_frames(Portrait.COLLINS, 5)[:3] + enrolment_frames(Portrait.HOPPER, 6)[:3]
    timings: list[Timing] = []
    with Peers(peers) as others:
        cases = list(face_cases(models, scenes, SystemClock().now()))
        if (data / "plates-openalpr").is_dir():
            cases.append(plate_case(plates.load(models), data / "plates-openalpr", _EVERY))
        else:
            ERR.print(f"{data / 'plates-openalpr'} is not there; the plate case is left out.")
        for case in cases:
            with progress(case.name) as bar:
                timings.append(compare(case, others, bar.of))
    table = Table("case", "ours, ms", "peer, ms", "ratio", "promised met")
    for t in timings:
        table.add_row(t.name, f"{t.ours_ms:.1f}", f"{t.peer_ms:.1f}", f"{t.ratio:.1f}x", str(t.met))
    OUT.print(table)
    body = results.setting(machine, "make bench ARGS=speed") + results.speed_table(timings)
    record = {"machine": asdict(machine), "timings": results.timing_records(timings)}
    results.write(out, "speed", "Speed, taking turns with the peers", body, record)


def _plates(models: Models, machine: results.Machine, data: Path, out: Path) -> None:
    folder = data / "plates-openalpr"
    if not folder.is_dir():
        ERR.print(f"{folder} is not there; the plate scores are left out.")
        return
    scores: dict[str, Score] = {}
    for subset in ("us", "br"):
        photographs = labels(folder / subset, folder / f"{subset}.jsonl")
        # As a site there would say which plates are common, and as one that says nothing.
        for regions in ((subset,), tuple(SHAPES)):
            name = f"{subset}, regions {' '.join(regions)}"
            reader = plates.load(models, grammar(regions))
            scores[name] = _read(reader, photographs, name)
    lines = ["| set | photographs | strict | O/0, I/1 folded | corrected labels | promised | |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, score in scores.items():
        promised, met = _plate_promise(name, score)
        lines.append(
            f"| {name} | {score.n} | {_share(score.strict, score.n)} | "
            f"{_share(score.folded, score.n)} | {_share(score.corrected, score.n)} | {promised} | "
            f"{met} |"
        )
    body = results.setting(machine, "make bench ARGS=plates") + "\n".join(lines)
    record = {"machine": asdict(machine), "scores": {k: asdict(v) for k, v in scores.items()}}
    results.write(out, "plates", "Plates read from whole photographs", body, record)
    OUT.print("\n".join(lines))


def _read(reader: plates.PlateRecogniser, photographs: tuple[Labelled, ...], subset: str) -> Score:
    with progress(f"Reading {subset}") as bar:
        done = count(1)
        return read_all(reader, photographs, lambda _: bar.of(next(done), len(photographs)))


def _plate_promise(name: str, score: Score) -> tuple[str, str]:
    if name.startswith("us"):
        return "strict >= 75 %", "met" if score.strict >= 0.75 * score.n else "missed"
    return "strict >= 54 of 57", "met" if score.strict >= 54 else "missed"


def _share(count: int, n: int) -> str:
    return f"{count} of {n} ({100 * count / n:.1f} %)"


def _service(machine: results.Machine, out: Path) -> None:
    visits = Cast(
        at_door=(Portrait.COLLINS,) * 8, at_barrier=(Visit(REGISTERED),) * 10, camera=None
    )
    with ERR.status("Two cameras at 10 pictures a second, about 70 seconds ..."):
        latency = _latency(visits)
    with ERR.status(f"An idle camera, {_IDLE_S} seconds ..."):
        idle = _idle()
    body = results.setting(machine, "make bench ARGS=service") + (
        f"Two cameras of 10 pictures a second, YuNet or the built-in detector as installed: "
        f"{latency.grants} grants, from the frame's capture to the relay p50 "
        f"{latency.p50_ms:.0f} ms, p99 {latency.p99_ms:.0f} ms; {latency.dropped} frames were "
        f"replaced by newer ones.\n\nAn idle camera, 640x360 at {_IDLE_FPS} pictures a second, "
        f"decoding included: {100 * idle:.1f} % of a core (promised: at most 5 %, "
        f"{'met' if idle <= 0.05 else 'missed'})."
    )
    record = {"machine": asdict(machine), "latency": asdict(latency), "idle_core_share": idle}
    results.write(out, "service", "A running service", body, record)
    OUT.print(body)


def _latency(cast: Cast) -> Latency:
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as name:
        site = read_site(write_site(Path(name), cast))
        with open_site(site, throwaway=True) as installation:
            populate(installation, cast)
            grants = Grants()
            return measure_latency(build_service(installation, grants), grants)


def _idle() -> float:
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as name:
        folder = Path(name)
        write(folder / "idle.mp4", empty_lane(_IDLE_S * _IDLE_FPS, 1), _IDLE_FPS)
        file = folder / "site.toml"
        file.write_text(
            '[site]\nname = "Idle"\ndata = "data"\n[camera.lane]\nsees = "plate"\nkind = "file"\n'
            'path = "idle.mp4"\n[actuator.gate]\nkind = "simulated"\n'
            '[access_point.barrier]\ncameras = ["lane"]\nactuator = "gate"\n'
        )
        with open_site(read_site(file), throwaway=True) as installation:
            service = build_service(installation, Grants())
            return processor_share(service, monotonic, _SETTLE_S)


def _faces(models: Models, machine: results.Machine, data: Path, out: Path) -> None:
    main, other = data / "faces-lfw", data / "faces-orl"
    if not (main.is_dir() and other.is_dir()):
        ERR.print(f"{main} or {other} is not there; the face figures are left out.")
        return
    body = results.setting(machine, "make bench ARGS=faces")
    record: dict[str, object] = {"machine": asdict(machine)}
    for detector in _detectors(models):
        recogniser = load_recogniser(models, detector)
        sets = []
        for folder in (main, other):
            with progress(f"{folder.name} with {detector}") as bar:
                looks = read_people(folder, recogniser, bar.of)
            sets.append(People(folder.name, tuple(usable(looks))))
        with ERR.status(f"Holding people out, {detector} ..."):
            held = hold_out(sets[0], sets[1])
        record[detector] = [asdict(one) for one in held]
        body += f"\n## {detector}\n\n" + results.held_table(held)
        OUT.print(results.held_table(held))
    body += (
        "\nA stranger's attempt has three looks and is tried after each. Credit: G. B. Huang et "
        "al., Labeled Faces in the Wild, UMass Amherst TR 07-49, 2007; AT&T Laboratories "
        "Cambridge, Database of Faces.\n"
    )
    title = "Faces: does the bound hold for people not seen?"
    results.write(out, "faces-held-out", title, body, record)


def _passes(machine: results.Machine, data: Path, out: Path) -> None:
    folder = data / "faces-lfw"
    if not folder.is_dir():
        ERR.print(f"{folder} is not there; the figures of passes are left out.")
        return
    faces = pass_reading.portraits(folder)
    with ERR.status("Passes held up to a camera, about five minutes ..."):
        study = pass_reading.Study(faces, _PASS_PICTURES)
        far = {one: study.by_distance(one) for one in (pass_reading.HD, pass_reading.SMALL)}
        modules, levels = study.by_module(), study.by_level()
        times = pass_reading.durations(faces, 100, thread_time)
    body = results.setting(machine, "make bench ARGS=passes") + pass_words.scene(_PASS_PICTURES)
    for camera, rates in far.items():
        body += f"\n## Read at {camera.width} x {camera.height}\n\n{pass_words.carriers(rates)}"
    body += f"\n## Read by size, 1280 x 720\n\n{pass_words.sizes(modules)}"
    body += f"\n## Error correction, by the code's width\n\n{pass_words.levels(levels)}"
    body += f"\n## Processor time for a picture\n\n{pass_words.times(times)}"
    body += (
        "\nCredit: G. B. Huang et al., Labeled Faces in the Wild, UMass Amherst TR 07-49, 2007.\n"
    )
    read = [asdict(rate) for part in (*far.values(), modules, levels) for rate in part]
    record = {"machine": asdict(machine), "rates": read, "times": [asdict(t) for t in times]}
    results.write(out, "passes", "Passes read from a camera's picture", body, record)
    OUT.print(body)


def _ledger(machine: results.Machine, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    # Beside the results, because a folder for temporary files may have no disk below it.
    with (
        ERR.status("Events made durable, about a minute ..."),
        tempfile.TemporaryDirectory(prefix="postern-bench-", dir=out) as name,
    ):
        timed = ledger.appending(Path(name), SystemClock(), monotonic)
    with (
        ERR.status("A whole log verified ..."),
        tempfile.TemporaryDirectory(prefix="postern-bench-") as name,
    ):
        verified = ledger.verifying(Path(name), _LOG_ENTRIES, monotonic)
    tables = results.ledger_tables(timed, verified)
    record = {
        "machine": asdict(machine),
        "appending": [asdict(one) for one in timed],
        "verifying": asdict(verified),
    }
    body = results.setting(machine, "make bench ARGS=ledger") + tables
    results.write(out, "ledger", "Events kept, and a log verified", body, record)
    OUT.print(body)


def _detectors(models: Models) -> tuple[DetectorName, ...]:
    return ("yunet", "dlib") if models.present("yunet") else ("dlib",)
