"""The cohort: the neighbourhood, the vectors of nobody, and that nobody lies behind them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest

from postern.core.errors import PosternError
from postern.frame import Image
from postern.vision.faces import load
from postern.vision.faces.align import LandmarkAligner
from postern.vision.faces.cohort import (
    NEAREST,
    NEIGHBOURS,
    REACH,
    Cohort,
    Neighbourhood,
    Vectors,
    distances,
    normalise,
    synthesise,
)
from postern.vision.faces.detect import Face, YuNet
from postern.vision.faces.embed import Embedder
from postern.vision.faces.landmarks import Landmarks
from tests.vision.faces.pictures import people, read

_DETECTORS: tuple[Literal["yunet", "dlib"], ...] = ("yunet", "dlib")
#: How much nearer a cohort may lie, of distances of about 0.4: what few pictures leave uncertain.
#: With all pictures the 5 % quantiles are 0.445 (yunet) and 0.441 (dlib) beside 0.443 and 0.448 of
#: unseen people (docs/benchmarks/faces.md).
_NEARER = 0.02


@dataclass(frozen=True)
class Faces:
    """Vectors of people whom the cohort was drawn from, and of people whom it never met."""

    sources: Vectors
    unseen: Vectors


def some(count: int, seed: int = 0, dimensions: int = 128) -> Vectors:
    return np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)


@pytest.fixture(scope="module")
def faces(yunet: YuNet, finder: Landmarks, embedder: Embedder) -> Faces:
    """A fixed part of faces-lfw. Those with fewer than three pictures are the cohorts' sources. The
    chip goes by landmarks, whatever detector found the face, so that this serves both cohorts.
    """
    folders = [(len(list(path.iterdir())), path) for path in people("faces-lfw")]
    groups = (
        [path for count, path in folders if count < 3][::8],
        [path for count, path in folders if count >= 3][::2],
    )
    vectors = []
    for paths in groups:
        images = [read(path / "0.jpg") for path in paths]
        found = [middle_face(yunet.faces(image), image) for image in images]
        aligner = LandmarkAligner(finder)
        chips = [aligner.align(*pair).chip for pair in zip(images, found, strict=True)]
        vectors.append(embedder.vectors(np.stack(chips)))
    return Faces(*vectors)


def middle_face(found: tuple[Face, ...], image: Image) -> Face:
    middle = image.shape[1] / 2
    return min(found, key=lambda face: abs((face.box.x0 + face.box.x1) / 2 - middle))


def nearest(vectors: Vectors, faces: Faces) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """How far each vector lies from the source next to it."""
    return np.asarray(distances(vectors, faces.sources).min(axis=1))


def lies_closer_than_strangers(vectors: Vectors, faces: Faces) -> bool:
    """Whether vectors lie closer to the source pictures than unseen people do: by the nearest
    hundredth and the nearest twentieth, or any single one by far.
    """
    ours, strangers = nearest(vectors, faces), nearest(faces.unseen, faces)
    closer = [np.quantile(ours, end) < np.quantile(strangers, end) - _NEARER
              for end in (0.01, 0.05)]  # fmt: skip
    return any(closer) or float(ours.min()) < 0.8 * float(strangers.min())


def test_distances_are_euclidean() -> None:
    """They are those of a slow loop, and nothing is apart from itself."""
    a, b = some(5), some(7, 1)
    slow = [[float(np.sqrt(((x - y) ** 2).sum())) for y in b] for x in a]

    assert distances(a, b) == pytest.approx(np.array(slow), rel=1e-5)
    assert distances(a, a).diagonal() == pytest.approx(np.zeros(5), abs=1e-5)


def test_neighbourhood_is_that_of_the_nearest() -> None:
    """Mean and deviation of the hundred smallest distances, as sorting all of them gives them."""
    everybody, vectors = some(350), some(6, 1)

    found = Cohort(everybody).neighbourhood(vectors)

    for at, vector in enumerate(vectors):
        near = sorted(float(np.linalg.norm(vector - other)) for other in everybody)[:NEAREST]
        mean = sum(near) / NEAREST
        deviation = (sum((distance - mean) ** 2 for distance in near) / NEAREST) ** 0.5
        assert mean == pytest.approx(float(found.mean[at]), rel=1e-5)
        assert deviation == pytest.approx(float(found.deviation[at]), rel=1e-4)


@pytest.mark.parametrize("vectors", [some(NEAREST - 1), some(NEAREST)[0], some(NEAREST)[None]])
def test_cohort_refuses_too_few(vectors: Vectors) -> None:
    """Fewer than a hundred say nothing about a neighbourhood."""
    with pytest.raises(PosternError, match="at least 100"):
        Cohort(vectors)


def test_normalise_judges_by_both_sides() -> None:
    """A distance counts in deviations of each side's own neighbourhood, and both count alike."""
    reference = Neighbourhood(np.array([1.0]), np.array([0.5]))
    probes = Neighbourhood(np.array([2.0, 1.0]), np.array([1.0, 0.25]))

    scores = normalise(np.array([[0.5, 1.5]]), reference, probes)

    assert [[(-1.0 - 1.5) / 2, (1.0 + 2.0) / 2]] == scores.tolist()


def test_synthesise_gives_the_same_for_the_same_seed() -> None:
    """So that a cohort can be made again; another seed gives others."""
    sources = some(200)

    assert np.array_equal(synthesise(sources, 20, 1), synthesise(sources, 20, 1))
    assert not np.array_equal(synthesise(sources, 20, 1), synthesise(sources, 20, 2))


def test_synthesise_draws_with_the_neighbourhoods_own_spread() -> None:
    """Of one neighbourhood, the draws have its mean and its covariance, widened by the reach."""
    sources = some(NEIGHBOURS + 1, dimensions=4)
    near = [np.argsort(((sources - one) ** 2).sum(axis=1))[:NEIGHBOURS] for one in sources]
    expected = np.mean([np.cov(sources[rows].T) for rows in near], axis=0) * REACH**2

    drawn = synthesise(sources, 6000, 1)

    assert drawn.mean(axis=0) == pytest.approx(sources.mean(axis=0), abs=0.08)
    assert np.cov(drawn.T) == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize("detector", _DETECTORS)
def test_shipped_cohort_is_nobody(faces: Faces, detector: str) -> None:
    """No vector that ships lies closer to a source picture than unseen people do."""
    shipped = load.load_cohort("yunet" if detector == "yunet" else "dlib")

    assert (4000, 128) == shipped.shape
    assert np.isfinite(shipped).all()
    assert not lies_closer_than_strangers(shipped, faces)


@pytest.mark.parametrize("detector", _DETECTORS)
def test_shipped_cohort_looks_like_people(faces: Faces, detector: str) -> None:
    """Yet it surrounds unseen people as people do: far from everybody it would be of no use."""
    shipped = load.load_cohort("yunet" if detector == "yunet" else "dlib")
    among_cohort = distances(faces.unseen, shipped[: len(faces.sources)])
    among_people = distances(faces.unseen, faces.sources)

    for end in (0.05, 0.5, 0.95):
        apart = np.quantile(among_cohort, end) - np.quantile(among_people, end)
        assert abs(apart) < 0.1


def test_test_of_nobody_catches_copies_and_mixtures(faces: Faces) -> None:
    """A cohort with one real person in ten, or of means of two neighbours, would be refused."""
    sources = faces.sources
    drawn = synthesise(sources, 400, 3)
    leaked = np.concatenate([drawn, sources[:40]])
    apart = distances(sources, sources)
    np.fill_diagonal(apart, np.inf)
    mixtures = (sources + sources[apart.argmin(axis=1)]) / 2

    assert not lies_closer_than_strangers(drawn, faces)
    assert lies_closer_than_strangers(leaked, faces)
    assert lies_closer_than_strangers(mixtures, faces)
