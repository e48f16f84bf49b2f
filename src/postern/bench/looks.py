"""What a folder of people gave, before anybody is compared: captures, failures, who can enrol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from postern.bench.rates import Floats, Rate, draw_people, pairs_of, rate_of_people
from postern.core.errors import invalid
from postern.core.look import Flaw
from postern.vision.faces.calibration import REFERENCE_LOOKS
from postern.vision.faces.embed import DIMENSIONS

Vectors = npt.NDArray[np.float32]

#: More people than this are drawn at random, so that a report needs minutes and not hours. Their
#: pairs carry a claim of 1 in 1.5 million.
MAX_PEOPLE = 3000


@dataclass(frozen=True, slots=True)
class Capture:
    """What the pipeline made of one picture.

    Attributes:
        file: The picture's name. It never reaches a report.
        vector: (128,) float32; None where no face was found.
        flaws: What spoils it; empty where it can be compared.
        quality: Any number that is higher for a better picture; NaN where there is none.
    """

    file: str
    vector: Vectors | None
    flaws: tuple[Flaw, ...]
    quality: float


#: For every person, by the name of their folder, what their pictures gave.
Looks = Mapping[str, Sequence[Capture]]


class Procedure(Protocol):
    """The comparison as it runs at the door, quantisation, cohort and stopping rule included."""

    def references(self, looks: Vectors) -> Vectors:
        """References, (N, 128) float32, made of R looks of N people each, (N, R, 128) float32."""
        ...

    def bounds(self, references: Vectors, probes: Vectors) -> Floats:
        """How likely a stranger would do at least as well, as stated after every look.

        Args:
            references: (N, 128) float32, as `references` made them.
            probes: (M, K, 128) float32, the looks of M attempts in the order they came.

        Returns:
            (N, M, K) float64: the stated upper bound of every attempt on every reference after 1 to
            K looks, in (0, 1]. Anything else, NaN included, counts as no match.
        """
        ...


@dataclass(frozen=True, slots=True)
class Cause:
    """Why captures could not be used.

    Attributes:
        name: A flaw's value, ``no_face`` or ``not_a_number``.
        count: How many captures it was the first reason for.
    """

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Who and what could be used (ISO/IEC 19795-1: failure to acquire, failure to enrol).

    Attributes:
        people: People in the data.
        captures: Pictures of them.
        copies: Pictures that repeat another one of the same person; they are passed over.
        shared: Pictures that appear with more than one person, which is an error in the data.
        causes: Why captures failed, most frequent first.
        failure_to_acquire: Share of captures with a flaw or without a face.
        failure_to_enrol: Share of people with fewer than three usable, different captures.
        enrolled: People who are left.
        compared: Of these, how many were compared: all, or a draw of `MAX_PEOPLE`.
        pairs: Unordered pairs of the people compared.
    """

    people: int
    captures: int
    copies: int
    shared: int
    causes: tuple[Cause, ...]
    failure_to_acquire: Rate
    failure_to_enrol: Rate
    enrolled: int
    compared: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One person's usable looks.

    Attributes:
        vectors: (L, 128) float32, L >= 3, no two the same.
        quality: (L,) float64; minus infinity where it was not given.
    """

    vectors: Vectors
    quality: Floats


def acquire(looks: Looks, seed: int) -> tuple[Acquisition, tuple[Enrolled, ...]]:
    """Sorts out what can be compared.

    Args:
        looks: People and their captures; neither's order matters.
        seed: Of the draws.

    Raises:
        PosternError: `invalid` where there is nobody, or fewer than two people can enrol.
    """
    if not any(looks.values()):
        raise invalid(
            "There are no pictures of people in it.",
            "Give a folder that holds one folder per person, each with at least three pictures.",
        )
    everyone = [
        sorted(looks[name], key=lambda capture: capture.file)
        for name in sorted(looks)
        if looks[name]
    ]
    usable = [[c for c in captures if not _failure(c)] for captures in everyone]
    distinct = [_distinct(captures) for captures in usable]
    enrolled = [person for person in distinct if len(person.vectors) >= REFERENCE_LOOKS]
    if len(enrolled) < 2:
        raise invalid(
            f"Comparing strangers takes at least two people with {REFERENCE_LOOKS} usable pictures"
            f" each; {len(enrolled)} of {len(everyone)} can enrol.",
            "Add people, or pictures that show one face, from the front, large and sharp enough.",
        )
    compared = _drawn(enrolled, seed)
    found = _acquisition(everyone, distinct, len(enrolled), len(compared), seed)
    return found, tuple(compared)


def _acquisition(
    everyone: list[list[Capture]],
    people: list[Enrolled],
    enrolled: int,
    compared: int,
    seed: int,
) -> Acquisition:
    draws = draw_people(len(everyone), seed)
    tried = np.array([len(captures) for captures in everyone], np.int64)
    failed = np.array([sum(bool(_failure(c)) for c in captures) for captures in everyone], np.int64)
    refused = np.array([len(person.vectors) < REFERENCE_LOOKS for person in people], np.int64)
    kept = np.array([len(person.vectors) for person in people], np.int64)
    return Acquisition(
        people=len(everyone),
        captures=int(tried.sum()),
        copies=int((tried - failed - kept).sum()),
        shared=_shared(people),
        causes=_causes(everyone),
        failure_to_acquire=rate_of_people(failed, tried, draws),
        failure_to_enrol=rate_of_people(refused, np.ones_like(refused), draws),
        enrolled=enrolled,
        compared=compared,
        pairs=pairs_of(compared),
    )


def _failure(capture: Capture) -> str:
    """Why a capture cannot be compared; empty where it can."""
    if capture.flaws:
        return capture.flaws[0].value
    if capture.vector is None:
        return "no_face"
    whole = capture.vector.shape == (DIMENSIONS,) and bool(np.isfinite(capture.vector).all())
    return "" if whole else "not_a_number"


def _causes(everyone: list[list[Capture]]) -> tuple[Cause, ...]:
    counts: dict[str, int] = {}
    for captures in everyone:
        for capture in captures:
            if why := _failure(capture):
                counts[why] = counts.get(why, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Cause(name, count) for name, count in ordered)


def _distinct(captures: list[Capture]) -> Enrolled:
    """Without copies: a picture compared with itself would make every rate look better."""
    kept: dict[bytes, tuple[Vectors, float]] = {}
    for capture in captures:
        if capture.vector is not None:
            vector = capture.vector.astype(np.float32)
            quality = capture.quality if np.isfinite(capture.quality) else -np.inf
            kept.setdefault(vector.tobytes(), (vector, quality))
    vectors = [vector for vector, _ in kept.values()]
    stacked = np.stack(vectors) if vectors else np.empty((0, DIMENSIONS), np.float32)
    return Enrolled(stacked, np.array([quality for _, quality in kept.values()], np.float64))


def _shared(people: list[Enrolled]) -> int:
    """How many vectors more than one person has."""
    owners: dict[bytes, int] = {}
    for person in people:
        for vector in person.vectors:
            key = vector.tobytes()
            owners[key] = owners.get(key, 0) + 1
    return sum(count > 1 for count in owners.values())


def _drawn(enrolled: list[Enrolled], seed: int) -> list[Enrolled]:
    if len(enrolled) <= MAX_PEOPLE:
        return enrolled
    chosen = np.random.default_rng(seed).choice(len(enrolled), MAX_PEOPLE, replace=False)
    return [enrolled[at] for at in np.sort(chosen)]
