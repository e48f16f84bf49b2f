"""Eight cameras on the network, two of them busy, on this machine's cores: what a service takes.

The cameras are GStreamer's RTSP server, each with a stream that was encoded before: at the door
somebody who is enrolled comes and goes, at the barrier a registered car does, and before the other
six nothing moves. The service is `postern run` in a process of its own; everything is read from
outside: the lines it writes, and what the kernel counts for it and for its decoding processes.

    python -m tests.load.field --minutes 5 --out docs/benchmarks
    python -m tests.load.field --minutes 5 --pack ../shared/models/yunet_n_dynamic.onnx \\
        --name field-yunet --out docs/benchmarks
"""
# ruff: noqa: T201 - a program that says what it found

import argparse
import io
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from threading import Thread

import av
import matplotlib as mpl
from matplotlib.figure import Figure

from postern.app.wire import open_models, open_site, read_site
from postern.bench import results
from postern.cli.demo.barrier import Visit, empty_lane, write_barrier_clip
from postern.cli.demo.clip import write
from postern.cli.demo.door import Portrait, write_door_clip
from postern.cli.demo.scene import REGISTERED, Cast, populate
from tests.rtsp_camera import RtspCamera, rtsp_camera

FPS, SECONDS = 5, 75
#: Megabytes of all processes together; and minutes from which on they are drawn.
PROMISED_MB, PLOTTED = 600, 30
IDLE = 6
#: Seconds at the beginning that are not counted: models are loaded, and first pictures are motion.
SETTLE_S = 20.0
#: What others publish of a comparable load; none of it was measured by us.
BESIDE = """
## What others publish

None of these was measured here, on other machines and mostly with larger pictures.

| | | where |
|---|---|---|
| Frigate, a detection on an Intel N100's graphics | 15 ms (MobileNet) to 30 ms (YOLOv9 s-320) | its documentation, hardware |
| Frigate, memory | 4 GB at least, 8 GB with faces or plates | its documentation, planning a setup |
| Frigate, one idle camera, full HD | half a core and 650 MB | a user's report, #2162 |
| Frigate, five cameras decoded, no detection | 13.5 to 16 % of a core each | a user's report, #5467 |
| Frigate, eight cameras of 640x480 at 7 a second | 5 to 10 % of the machine in all | a user's report, #1904 |
| Frigate, a camera without pictures | is started anew after 20 s | its source, 0.18 |
| Frigate as the source of a face recogniser, first attempts | 8.3 s in the median, 41.7 s at most, 0.18 s of it recognition | SkyTechNerds/faceid#23 |
"""  # noqa: E501
SIMULATED = 'kind = "simulated"'
#: How a grant is told: where, and how many milliseconds after its frame.
_GRANT = re.compile(r"(\w+): granted .* (\d+) ms after the frame")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Use:
    """What processes have taken so far, and hold now.

    Attributes:
        processor_s: Seconds of a core.
        memory: Bytes, shared ones by their share (PSS).
    """

    processor_s: float
    memory: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a run came to.

    Attributes:
        minutes: How long it was watched.
        grants: How many there were.
        p50_ms: From a frame's arrival to the actuator's answer, the median.
        p99_ms: Its 99 % quantile.
        door_p99_ms: The same of faces alone.
        barrier_p99_ms: The same of plates alone.
        service_share: Of one core, by the service's own process.
        decoding_share: Of one core, by each decoding process of an idle camera.
        analysis_share: Of one core, by the service for each idle camera, where it has nothing else.
        memory: Bytes in all, every minute.
        red: Lines of trouble.
    """

    minutes: float
    grants: int
    p50_ms: float
    p99_ms: float
    door_p99_ms: float
    barrier_p99_ms: float
    service_share: float
    decoding_share: float
    analysis_share: float
    memory: tuple[int, ...]
    red: tuple[str, ...]


def main() -> None:
    """Runs both loads and says what was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=5.0)
    options.add_argument("--pack", type=Path, help="A model pack that is imported before.")
    options.add_argument("--name", default="field", help="What the report is called.")
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="postern-field-") as name:
        folder = Path(name)
        if given.pack:
            os.environ["POSTERN_MODELS"] = str(folder / "models")
            open_models().import_file(given.pack)
        write_streams(folder)
        idle = measured(folder, (), min(given.minutes, 2.0))
        busy = measured(folder, ("door", "barrier"), given.minutes)
    found = combined(given.minutes, idle, busy)
    told = words(found)
    print(told)
    if given.out:
        machine = results.this_machine({})
        command = " ".join(["python -m tests.load.field", *sys.argv[1:]])
        body = results.setting(machine, command) + told + ("" if given.pack else BESIDE)
        record = {"machine": asdict(machine), **asdict(found)}
        results.write(given.out, given.name, "Eight cameras", body, record)
        if len(found.memory) >= PLOTTED:
            (given.out / f"{given.name}.svg").write_text(memory_plot(found.memory), "utf-8")


def memory_plot(memory: Sequence[int]) -> str:
    """The memory of all processes over time, beside what is promised, as SVG."""
    # No backend with a window, and letters that can be selected.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "field"}):
        figure = Figure(figsize=(7, 2.6), layout="constrained")
        axes = figure.subplots()
        axes.plot(range(1, len(memory) + 1), [size / 1e6 for size in memory], color="#0b5cad")
        axes.axhline(PROMISED_MB, color="#a81d1d", linestyle="--", linewidth=1)
        axes.text(1, PROMISED_MB + 8, "promised", color="#a81d1d")
        axes.set(xlabel="minutes", ylabel="MB", ylim=(0, PROMISED_MB * 1.15), xlim=(0, len(memory)))
        axes.grid(alpha=0.3)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in drawn.getvalue().splitlines()) + "\n"


def combined(minutes: float, idle: "Run", busy: "Run") -> Found:
    """What the two loads came to."""

    def p99_ms(place: str) -> float:
        return quantile([ms for at, ms in busy.grants_ms if at == place], 0.99)

    every = [ms for _, ms in busy.grants_ms]
    return Found(
        minutes,
        len(every),
        quantile(every, 0.5),
        quantile(every, 0.99),
        p99_ms("door"),
        p99_ms("barrier"),
        busy.service_share,
        idle.decoding_share,
        idle.service_share / IDLE,
        busy.memory,
        (*idle.red, *busy.red),
    )


def words(found: Found) -> str:
    """What was found, in sentences."""
    idle = found.decoding_share + found.analysis_share
    first, last = found.memory[0] / 1e6, found.memory[-1] / 1e6
    return (
        f"Eight cameras, 640x360 H.264 at {FPS} pictures a second over RTSP, two of them busy, for "
        f"{found.minutes:g} minutes: {found.grants} grants, from the frame's arrival to the relay "
        f"p50 {found.p50_ms:.0f} ms, p99 {found.p99_ms:.0f} ms (promised: at most 400 ms); of "
        f"faces alone p99 {found.door_p99_ms:.0f} ms, of plates {found.barrier_p99_ms:.0f} ms.\n\n"
        f"An idle camera: decoding {100 * found.decoding_share:.1f} %, analysis "
        f"{100 * found.analysis_share:.1f} %, together {100 * idle:.1f} % of a core (promised: at "
        f"most 3 %). The service with all eight: {100 * found.service_share:.0f} % of a core "
        f"besides decoding.\n\nMemory of all processes: {first:.0f} MB after the first minute, "
        f"{last:.0f} MB at the end, {max(found.memory) / 1e6:.0f} MB at most (promised: 600 MB, "
        f"flat). Lines of trouble: {len(found.red)}.\n"
        + "".join(f"\n    {line}" for line in found.red)
    )


def write_streams(folder: Path) -> None:
    """What the cameras show, encoded as cameras do, a file for each picture."""
    write_door_clip(folder / "door.mp4", (Portrait.COLLINS,) * 9, seed=2)
    write_barrier_clip(folder / "barrier.mp4", (Visit(REGISTERED),) * 11, seed=1)
    write(folder / "idle.mp4", empty_lane(SECONDS * FPS, 1), FPS)
    for name in ("door", "barrier", "idle"):
        split(folder / f"{name}.mp4", folder / name)


def split(clip: Path, into: Path) -> None:
    """A clip as parts of an H.264 stream at `FPS`, with a whole picture every second."""
    into.mkdir()
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.time_base, encoder.gop_size = Fraction(1, FPS), FPS
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "crf": "24"}
    with av.open(str(clip)) as container:
        step = round(float(container.streams.video[0].average_rate or FPS) / FPS)
        pictures = list(container.decode(video=0))[::step]
    parts = [
        part for at, picture in enumerate(pictures) for part in encoder.encode(_at(picture, at))
    ]
    for number, part in enumerate((*parts, *encoder.encode(None))):
        (into / f"{number:05d}.h264").write_bytes(bytes(part))


def _at(picture: av.VideoFrame, place: int) -> av.VideoFrame:
    picture.pts, picture.time_base = place, Fraction(1, FPS)
    return picture


@dataclass(frozen=True, slots=True)
class Run:
    """One load, as it was watched."""

    grants_ms: tuple[tuple[str, float], ...]
    service_share: float
    decoding_share: float
    memory: tuple[int, ...]
    red: tuple[str, ...]


def measured(folder: Path, busy: Sequence[str], minutes: float) -> Run:
    """A service with these busy cameras and the idle ones, watched for so long."""
    with ExitStack() as running:
        names = (*busy, *(f"idle{n}" for n in range(IDLE)))
        cameras = {
            name: running.enter_context(
                rtsp_camera(folder=folder / name.rstrip("0123456789"), fps=FPS)
            )
            for name in names
        }
        file = write_site(folder, cameras)
        lines: list[str] = []
        service = running.enter_context(running_service(file, lines))
        time.sleep(SETTLE_S)
        begun_s, before = time.monotonic(), used(service.pid)
        children = decoders(service.pid)
        at_first, memory, skipped = sum(used(one).processor_s for one in children), [], len(lines)
        while time.monotonic() - begun_s < 60 * minutes:
            time.sleep(min(60.0, 60 * minutes))
            memory.append(sum(used(one).memory for one in (service.pid, *children)))
        lasted_s, after = time.monotonic() - begun_s, used(service.pid)
        decoding_s = sum(used(one).processor_s for one in children) - at_first
    told = [found for line in lines[skipped:] for found in _GRANT.findall(line)]
    grants = [(place, float(ms)) for place, ms in told]
    return Run(
        tuple(grants),
        (after.processor_s - before.processor_s) / lasted_s,
        decoding_s / lasted_s / len(names),
        tuple(memory),
        tuple(line.strip() for line in lines if ": red" in line),
    )


def write_site(folder: Path, cameras: dict[str, RtspCamera], **actuators: str) -> Path:
    """The site's file, and who is registered there.

    Args:
        folder: Where its data are.
        cameras: Its cameras, each with an access point and an actuator of its name.
        actuators: The lines of actuators, by name; the others are simulated.
    """
    data = Path(tempfile.mkdtemp(dir=folder))
    text = f'[site]\nname = "Field"\ndata = "{data}"\n\n[faces]\nstorage = "roster"\n\n[roster]\n'
    text += 'justification = "A load that is measured, with people of the public domain."\n'
    for name, camera in cameras.items():
        sees = "face" if name == "door" else "plate"
        text += f'\n[camera.{name}]\nkind = "rtsp"\nurl = "{camera.url}"\nsees = "{sees}"\n'
        text += f"\n[actuator.{name}]\n{actuators.get(name, SIMULATED)}\n"
        text += f'\n[access_point.{name}]\ncameras = ["{name}"]\nactuator = "{name}"\n'
    file = data / "site.toml"
    file.write_text(text, "utf-8")
    if "door" in cameras:
        with open_site(read_site(file)) as installation:
            populate(installation, Cast())
    return file


class running_service:  # noqa: N801 - reads as what it is
    """`postern run`, until the end of the block; its lines are gathered as they come."""

    def __init__(self, file: Path, lines: list[str]) -> None:
        self._file, self._lines = file, lines

    def __enter__(self) -> "subprocess.Popen[str]":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "postern", "run", str(self._file)],
            stderr=subprocess.PIPE,
            text=True,
        )
        Thread(target=self._gather, daemon=True).start()
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _gather(self) -> None:
        assert self._process.stderr is not None
        self._lines.extend(self._process.stderr)


def decoders(parent: int) -> list[int]:
    """The decoding processes of a service."""
    return [
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if _parent(folder) == parent and b"postern.stream" in _read(folder / "cmdline")
    ]


def used(process: int) -> Use:
    """What a process has taken so far, and holds now."""
    fields = _read(Path(f"/proc/{process}/stat")).rsplit(b")", 1)[-1].split()
    found = re.search(rb"^Pss:\s+(\d+) kB", _read(Path(f"/proc/{process}/smaps_rollup")), re.M)
    seconds = (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0
    return Use(seconds, int(found.group(1)) * 1024 if found else 0)


def _parent(folder: Path) -> int:
    fields = _read(folder / "stat").rsplit(b")", 1)[-1].split()
    return int(fields[1]) if fields else 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def quantile(values: Sequence[float], share: float) -> float:
    """That share's quantile; the only value there is, or no number."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


if __name__ == "__main__":
    main()
