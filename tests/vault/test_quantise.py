"""Quantisation: what it costs, and what it refuses."""

import numpy as np
import pytest

from postern.core.errors import Code, PosternError
from postern.vault.quantise import dequantise, quantise, roundtrip
from postern.vault.rotation import derive_rotation, turn
from tests.vault.samples import SECRET, distances, vectors


def test_quantise_changes_no_entry_by_more_than_half_a_step() -> None:
    """Every entry comes back within half of the vector's own step, so that the norm is kept."""
    for vector in vectors(30):
        kept = quantise(vector)

        assert np.abs(dequantise(kept) - vector).max() <= kept.scale * 0.5001
        assert 127 == np.abs(kept.levels.astype(int)).max()


def test_distances_survive_the_vault() -> None:
    """A reference from the vault stands as far from a probe as the original: within 0.5 %."""
    sample, rotation = vectors(60), derive_rotation(SECRET, 128)
    kept = np.stack([dequantise(quantise(row)) for row in turn(sample, rotation)])
    before, after = distances(sample, sample), distances(kept, turn(sample, rotation))
    pairs = np.triu_indices(len(sample), 1)
    change = np.abs(after[pairs] / before[pairs] - 1.0)

    assert before[pairs].min() > 0.3
    assert np.quantile(change, 0.999) < 0.005
    assert np.abs(after[pairs] - before[pairs]).max() < 0.005


def test_roundtrip_gives_what_a_reference_would_hold() -> None:
    """Calibration sees the very vectors that the door sees, in the axes they came in."""
    sample, rotation = vectors(10), derive_rotation(SECRET, 128)
    seen = roundtrip(sample, rotation)
    kept = np.stack([dequantise(quantise(row)) for row in turn(sample, rotation)])

    assert np.float32 == seen.dtype
    assert np.array_equal(seen, roundtrip(sample, rotation))
    assert np.abs(turn(seen, rotation) - kept).max() < 1e-6
    assert 0.0 < np.abs(seen - sample).max() < 0.01


def test_roundtrip_of_no_vectors_is_no_vectors() -> None:
    """N = 0 is allowed."""
    none = np.empty((0, 128), np.float32)

    assert (0, 128) == roundtrip(none, derive_rotation(SECRET, 128)).shape


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(128, np.float32),
        np.full(128, np.nan, np.float32),
        np.array([1.0, np.inf], np.float32),
        np.array([], np.float32),
        np.ones((2, 2), np.float32),
        np.full(4, 1e-45, np.float32),
    ],
)
def test_quantise_refuses_what_has_no_direction(vector: np.ndarray) -> None:
    """Zeros, NaN, infinity, nothing, a matrix, and numbers too small to scale are refused."""
    with pytest.raises(PosternError) as refused:
        quantise(vector)

    assert Code.INVALID is refused.value.code
