"""Timing Postern beside its peers: on the same input, in the same run, taking turns."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from types import TracebackType
from typing import Self

import numpy as np

from postern.core.errors import Code, PosternError
from postern.frame import Image

_SCRIPT = Path(__file__).with_name("peer.py")
#: One thread for everybody, whatever library counts them.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison.

    Attributes:
        name: What is compared.
        ours: Does Postern's work on a picture.
        peer: The peer's case in `peer.py`; empty for none.
        images: The inputs; every round uses the next one.
        peer_images: The same for the peer, in the colour order it takes.
        rounds: How often both take a turn, after one each that is not counted.
        target: The ratio (peer / ours) that is promised; 0 for none.
        limit_ms: The milliseconds that are promised for ours; 0 for none.
    """

    name: str
    ours: Callable[[Image], object]
    peer: str
    images: Sequence[Image]
    peer_images: Sequence[Image]
    rounds: int
    target: float = 0.0
    limit_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Timing:
    """What a case took.

    Attributes:
        name: Of the case.
        ours_ms: Median milliseconds of Postern, and the 99 % quantile.
        ours_p99_ms: Likewise.
        peer_ms: Median milliseconds of the peer; NaN for none.
        peer_p99_ms: Likewise.
        target: As promised.
        limit_ms: As promised.
    """

    name: str
    ours_ms: float
    ours_p99_ms: float
    peer_ms: float
    peer_p99_ms: float
    target: float
    limit_ms: float

    @property
    def ratio(self) -> float:
        """How many times longer the peer takes, by medians."""
        return self.peer_ms / self.ours_ms

    @property
    def met(self) -> bool:
        """Whether everything that was promised holds."""
        fast_enough = not self.limit_ms or self.ours_ms <= self.limit_ms
        return fast_enough and (not self.target or self.ratio >= self.target)


class Peers:
    """The peers' environment; use it in a `with` block.

    Args:
        python: Its interpreter.
    """

    def __init__(self, python: Path) -> None:
        self._python = python
        self._process: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        if not self._python.exists():
            raise PosternError(
                Code.NOT_FOUND,
                f"The peers' environment {self._python} is not there.",
                "Run the benchmarks with: make bench.",
            )
        self._folder = tempfile.TemporaryDirectory(prefix="postern-bench-")
        self._process = subprocess.Popen(  # noqa: S603 - the operator's own interpreter
            [str(self._python), "-W", "ignore", str(_SCRIPT)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={"PATH": os.defpath, "ORT_DISABLE_TELEMETRY": "1", **_ONE_THREAD},
        )  # fmt: skip
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()

    def save(self, image: Image, name: str) -> Path:
        """Keeps a picture where the peer can load it."""
        if self._folder is None:
            raise PosternError(Code.INTERNAL, "The peers are used outside of a with block.")
        path = Path(self._folder.name, f"{name}.npy")
        np.save(path, np.ascontiguousarray(image))
        return path

    def seconds(self, case: str, image: Path) -> tuple[float, str]:
        """How long the peer takes for a picture, and what it found.

        Raises:
            PosternError: `unavailable` where the peer fails.
        """
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise PosternError(Code.INTERNAL, "The peers are used outside of a with block.")
        process.stdin.write(json.dumps({"case": case, "image": str(image)}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise PosternError(Code.UNAVAILABLE, f"The peer of {case} has failed.")
        answer = json.loads(line)
        return float(answer["seconds"]), str(answer["result"])


def compare(case: Case, peers: Peers, tell: Callable[[int, int], None]) -> Timing:
    """Lets Postern and the peer take turns.

    Args:
        case: The comparison.
        peers: The peers.
        tell: Told how many of how many rounds are done.
    """
    files = [peers.save(image, f"{case.peer}-{at}") for at, image in enumerate(case.peer_images)]
    ours: list[float] = []
    theirs: list[float] = []
    for turn in range(case.rounds + 1):
        at = turn % len(case.images)
        begun = perf_counter()
        case.ours(case.images[at])
        mine = perf_counter() - begun
        other = peers.seconds(case.peer, files[at])[0] if case.peer else float("nan")
        if turn:  # The first turn loads and warms up.
            ours.append(mine * 1e3)
            theirs.append(other * 1e3)
        tell(turn, case.rounds)
    return Timing(
        case.name, median(ours), _p99(ours), median(theirs), _p99(theirs), case.target,
        case.limit_ms,
    )  # fmt: skip


def _p99(values: list[float]) -> float:
    return float(np.quantile(values, 0.99))
