"""The secret rotation of a site: the same distances, in axes that nobody else knows.

It makes the references of two sites unlinkable and lets a site renew its own. It does not keep them
confidential: that is the encryption's work.

The recipe is written out so that it never depends on a library's random stream or linear algebra,
and gives the same bits on every machine with IEEE 754 doubles:

1. ``48 * d * d`` bytes of SHAKE-256 over ``b"postern rotation 1"``, the dimension d as two bytes
   (big-endian) and the secret.
2. Read as little-endian 32-bit whole numbers, twelve for each entry of a (d, d) matrix, row by row.
   An entry is their sum less ``6 * (2**32 - 1)``, over 2**32: nearly Gaussian with variance one
   (Irwin-Hall), symmetric, and exact in a double. No logarithm or cosine is involved, because their
   last bit differs between processors.
3. The rows are made orthonormal by the modified Gram-Schmidt process, twice (twice is enough: W.
   Kahan in Parlett, The Symmetric Eigenvalue Problem, 1980, section 6.9). A row is divided by its
   positive norm, which fixes every sign. Sums add the halves of a row, padded with zeros to a power
   of two, until one number is left; products and sums are rounded one by one.
"""

import hashlib

import numpy as np
import numpy.typing as npt

from postern.core.errors import invalid

Rotation = npt.NDArray[np.float64]

#: Entries of a vector. More than any face embedder in use gives.
MAX_DIMENSION = 1024
_LABEL = b"postern rotation 1"
_DRAWS = 12


def derive_rotation(secret: bytes, dimension: int) -> Rotation:
    """The orthonormal matrix that belongs to a secret; takes about 15 ms for 128 dimensions.

    Args:
        secret: 32 bytes.
        dimension: Entries of the vectors to rotate, 2 to 1024.

    Returns:
        (d, d), float64, C order, the rows an orthonormal basis; read-only.

    Raises:
        PosternError: `invalid` for a secret or dimension of another size.
    """
    if len(secret) != 32:
        raise invalid("A rotation is derived from 32 secret bytes.")
    if not 2 <= dimension <= MAX_DIMENSION:
        raise invalid(f"A rotation has 2 to {MAX_DIMENSION} dimensions.")
    rows = _orthonormal(_orthonormal(_draw(secret, dimension)))
    rows.flags.writeable = False
    return rows


def turn(vectors: npt.NDArray[np.float32], rotation: Rotation) -> npt.NDArray[np.float32]:
    """Vectors in a site's own axes.

    Args:
        vectors: (..., d) float32.
        rotation: (d, d), as `derive_rotation` gives it.

    Returns:
        (..., d) float32; computed in double precision, rounded once.
    """
    wide = vectors.astype(np.float64)
    turned: npt.NDArray[np.float64] = wide @ rotation.T
    result = turned.astype(np.float32)
    # Nothing of a template is left behind in memory that is given back.
    wide.fill(0.0)
    turned.fill(0.0)
    return result


def turn_back(vectors: npt.NDArray[np.float32], rotation: Rotation) -> npt.NDArray[np.float32]:
    """The inverse of `turn`, up to the last bit of a float32."""
    return turn(vectors, rotation.T)


def _draw(secret: bytes, dimension: int) -> Rotation:
    label = _LABEL + dimension.to_bytes(2, "big")
    stream = hashlib.shake_256(label + secret).digest(dimension * dimension * _DRAWS * 4)
    drawn = np.frombuffer(stream, "<u4").reshape(dimension, dimension, _DRAWS)
    centred: npt.NDArray[np.int64] = drawn.astype(np.int64).sum(axis=2) - 6 * (2**32 - 1)
    return centred.astype(np.float64) / 2.0**32


def _orthonormal(rows: Rotation) -> Rotation:
    rest = rows.copy()
    for index in range(len(rest)):
        row = rest[index] / np.sqrt(_sum(rest[index] * rest[index]))
        rest[index] = row
        below = rest[index + 1 :]
        below -= _sum(below * row)[:, np.newaxis] * row
    return rest


def _sum(terms: Rotation) -> Rotation:
    """Sums over the last axis in the order that the recipe prescribes."""
    width = 1 << (terms.shape[-1] - 1).bit_length()
    padded = np.zeros((*terms.shape[:-1], width))
    padded[..., : terms.shape[-1]] = terms
    while width > 1:
        width //= 2
        padded = padded[..., :width] + padded[..., width:]
    total: Rotation = padded[..., 0]
    return total
