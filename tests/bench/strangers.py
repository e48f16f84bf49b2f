"""People who do not exist, compared by a procedure whose false-match rate is known exactly."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import lgamma

import numpy as np

from postern.bench.face_evaluation import Setting
from postern.bench.looks import Capture, Looks, Vectors
from postern.bench.rates import Floats
from postern.core.look import Flaw

SETTING = Setting(
    "made-up-people", "0" * 64, "none", ("elsewhere",), "0.1.0", datetime(2026, 1, 2, tzinfo=UTC)
)
NOISE = 0.25


def made_up(
    people: int, looks: int, seed: int = 1, noise: float = NOISE
) -> dict[str, list[Capture]]:
    """People with standard normal vectors, whose looks differ by normal noise."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[Capture]] = {}
    for person in range(people):
        centre = rng.standard_normal(128)
        captures = []
        for look in range(looks):
            vector = (centre + noise * rng.standard_normal(128)).astype(np.float32)
            captures.append(Capture(f"{look:02}.jpg", vector, (), float(rng.uniform())))
        found[f"person-{person:04}"] = captures
    return found


def turned_about(looks: Looks) -> Looks:
    """The same people and captures in the opposite order."""
    return {name: looks[name][::-1] for name in reversed(list(looks))}


def spoiled(flaw: Flaw | None = Flaw.BLURRED) -> Capture:
    """A capture that cannot be compared: flawed, or without a face."""
    vector = np.zeros(128, np.float32) if flaw else None
    return Capture("spoiled.jpg", vector, (flaw,) if flaw else (), 0.0)


@dataclass(frozen=True)
class Exact:
    """States exactly how often a stranger lies as close, times `factor`.

    The distance of two strangers' means is the length of a normal vector of 128 dimensions, so half
    its square over the variance is a sum of 64 exponentials, whose lower tail is a Poisson sum.

    Args:
        factor: Below 1 the statement is broken: strangers do better than it says.
        change: Applied to what is stated.
    """

    factor: float = 1.0
    noise: float = NOISE
    change: Callable[[Floats], Floats] = lambda bounds: bounds

    def references(self, looks: Vectors) -> Vectors:
        return np.asarray(looks.mean(axis=1), np.float32)

    def bounds(self, references: Vectors, probes: Vectors) -> Floats:
        # References of three looks against probes of three, else of one against one.
        counts = np.arange(1, probes.shape[1] + 1)
        reference_looks = 3 if probes.shape[1] == 3 else 1
        fused = np.cumsum(probes, axis=1) / counts[None, :, None]
        variance = 2 + self.noise**2 * (1 / reference_looks + 1 / counts)
        squares = (
            (references**2).sum(axis=1)[:, None, None]
            + (fused**2).sum(axis=2)[None]
            - 2 * np.einsum("nd,mkd->nmk", references, fused)
        )
        half = np.maximum(squares, 1e-9) / variance / 2
        return self.change(np.clip(_erlang_tail(half) * self.factor, 1e-25, 1.0))


def _erlang_tail(x: Floats) -> Floats:
    """The chance that a sum of 64 unit exponentials is at most `x`."""
    terms = np.arange(64, 400)
    logs = np.array([lgamma(t + 1) for t in terms])
    total = np.zeros_like(x)
    for t, log_factorial in zip(terms, logs, strict=True):
        total += np.exp(-x + t * np.log(x) - log_factorial)
    return np.asarray(np.where(x > 200, 1.0, np.minimum(total, 1.0)))
