"""The rotation: one recipe, the same bits everywhere."""

import hashlib
import math

import numpy as np
import pytest

from postern.core.errors import Code, PosternError
from postern.vault.rotation import derive_rotation, turn, turn_back
from tests.vault.samples import SECRET, distances, vectors

OTHER_SECRET = bytes(range(1, 33))


def test_rotation_gives_the_golden_matrix() -> None:
    """The matrix of the secret 00 01 .. 1f is fixed to the last bit; references depend on it."""
    rotation = derive_rotation(SECRET, 128)

    golden = "fe89a81f528466e8800c8ba98619024f3c75a40ce07669d9ec502ee1a4a5f9e4"
    assert golden == hashlib.sha256(rotation.astype("<f8").tobytes()).hexdigest()


def test_rotation_follows_the_written_recipe() -> None:
    """A reference in plain Python floats, written from the recipe, agrees to the last bit."""
    for dimension in (2, 5, 8):
        assert _reference(SECRET, dimension) == derive_rotation(SECRET, dimension).tolist()


def test_rotation_is_orthonormal() -> None:
    """Rows are of length one and at right angles, to the precision of doubles."""
    rotation = derive_rotation(SECRET, 128)

    assert np.abs(rotation @ rotation.T - np.eye(128)).max() < 1e-14


def test_rotation_keeps_distances() -> None:
    """Turning both sides changes no distance by more than float32 rounding."""
    rotation, sample = derive_rotation(SECRET, 128), vectors(20)
    turned = turn(sample, rotation)

    assert np.abs(distances(turned, turned) - distances(sample, sample)).max() < 1e-6
    assert np.abs(turn_back(turned, rotation) - sample).max() < 1e-6


def test_rotations_of_two_sites_cannot_be_linked() -> None:
    """Across two sites, the same person's vectors are no more alike than two people's."""
    here, there = (derive_rotation(secret, 128) for secret in (SECRET, OTHER_SECRET))
    sample = vectors(100)[::3]
    a, b = turn(sample, here).astype(np.float64), turn(sample, there).astype(np.float64)
    norms = np.linalg.norm(a, axis=1)
    cosines = (a @ b.T) / np.outer(norms, norms)

    mated, others = np.diag(cosines), cosines[~np.eye(100, dtype=bool)]
    assert abs(mated.mean() - others.mean()) < 0.02
    assert mated.max() <= others.max()


@pytest.mark.parametrize(("size", "dimension"), [(31, 128), (33, 128), (32, 1), (32, 1025)])
def test_rotation_refuses_other_sizes(size: int, dimension: int) -> None:
    """A secret that is cut short or a dimension out of range is refused."""
    with pytest.raises(PosternError) as refused:
        derive_rotation(bytes(size), dimension)

    assert Code.INVALID is refused.value.code


def _reference(secret: bytes, d: int) -> list[list[float]]:
    stream = hashlib.shake_256(b"postern rotation 1" + d.to_bytes(2, "big") + secret)
    data = stream.digest(48 * d * d)
    draws = [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]
    entries = [
        float(sum(draws[i : i + 12]) - 6 * (2**32 - 1)) / 2.0**32 for i in range(0, len(draws), 12)
    ]
    rows = [entries[i : i + d] for i in range(0, d * d, d)]
    for _ in range(2):
        for i in range(d):
            norm = math.sqrt(_tree([x * x for x in rows[i]]))
            rows[i] = [x / norm for x in rows[i]]
            for j in range(i + 1, d):
                share = _tree([x * y for x, y in zip(rows[j], rows[i], strict=True)])
                rows[j] = [x - share * y for x, y in zip(rows[j], rows[i], strict=True)]
    return rows


def _tree(terms: list[float]) -> float:
    width = 1
    while width < len(terms):
        width *= 2
    terms = terms + [0.0] * (width - len(terms))
    while len(terms) > 1:
        half = len(terms) // 2
        terms = [terms[i] + terms[half + i] for i in range(half)]
    return terms[0]
