"""Vectors and names for the vault's tests."""

import numpy as np
import numpy.typing as npt

from postern.core.ids import CredentialId
from postern.frame import Template

MODEL = "ab" * 32
OTHER_MODEL = "cd" * 32
SECRET = bytes(range(32))
FACE_1 = CredentialId("face-1")


def vectors(count: int, seed: int = 1) -> npt.NDArray[np.float32]:
    """Vectors laid out as dlib's are: three looks at a person lie 0.33 to 0.5 apart, people 0.6 to
    1.1, and the norm is about 1.3; (3 * count, 128) float32."""
    random = np.random.default_rng(seed)
    middle = random.normal(size=128)
    middle *= 1.15 / np.linalg.norm(middle)
    people = middle + random.normal(size=(count, 1, 128)) * 0.5 / 128**0.5
    looks = people + random.normal(size=(count, 3, 128)) * 0.28 / 128**0.5
    rows: npt.NDArray[np.float32] = looks.reshape(3 * count, 128).astype(np.float32)
    return rows


def template(seed: int = 1, model: str = MODEL) -> Template:
    """One person's reference of three looks."""
    return Template(vectors(1, seed)[0], model, 3)


def values(of: Template) -> npt.NDArray[np.float32]:
    """The numbers of a face's template."""
    return of.values.astype(np.float32)


def distances(
    a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:  # fmt: skip
    """Euclidean distances of every row of `a` from every row of `b`."""
    difference = a[:, None].astype(np.float64) - b[None].astype(np.float64)
    found: npt.NDArray[np.float64] = np.sqrt((difference**2).sum(axis=-1))
    return found
