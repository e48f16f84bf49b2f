"""What the matcher vouches for, and what it never does."""

import numpy as np
import pytest

from postern.core.errors import Code, PosternError
from postern.core.evidence import Factor
from postern.core.ids import CredentialId, VehicleId
from postern.core.vehicle import ALPHABET
from postern.frame import Reference, Template
from postern.vision.plates.match import PlateMatcher, against_neighbours, bound, neighbours
from tests.vision.plates import render
from tests.vision.plates.conftest import NOON, frame

MODEL = "a" * 64
CEILING = 1e-4


def codes(text):
    return np.array([ALPHABET.index(c) for c in text])


def look(text, sure=0.9999, other="X"):
    """Slots as a sure reader gives them: the rest of each slot goes to one other character."""
    slots = np.full((len(text), 38), 1e-9)
    slots[:, 1 + ALPHABET.index(other)] = 1.0 - sure
    slots[np.arange(len(text)), 1 + codes(text)] = sure
    return slots / slots.sum(axis=1, keepdims=True)


def probe(slots, model=MODEL):
    return Template(np.asarray(slots, np.float32), model, 1)


def reference(matcher, text, name="c-1"):
    return Reference(CredentialId(name), VehicleId("v-1"), matcher.reference(text))


def test_clean_read_meets_the_ceiling():
    """A clean, right reading of one look is good enough for a barrier."""
    assert bound([look("KLM4052")], codes("KLM4052")) <= CEILING


def test_every_neighbour_misses_the_ceiling():
    """No plate one character off a clean reading is let through."""
    read = [look("KB04S52")]

    for group in neighbours(codes("KB04S52")):
        for other in group[::3]:
            assert bound(read, other) > CEILING


def test_mean_ratio_over_neighbours_stays_below_one():
    """The likelihood ratio, averaged over all neighbours of what was read, vouches for nobody."""
    read = [look("KB04", 0.97, "8")]

    ratios = [1 / against_neighbours(read, n) for g in neighbours(codes("KB04")) for n in g]

    assert np.mean(ratios) <= 1.0


def test_strangers_get_nothing():
    """Of 2,000 unrelated plates none gets a bound below 1."""
    rng = np.random.default_rng(1)
    read = [look("KLM4052")]

    bounds = [bound(read, codes(render.plate_number(rng))) for _ in range(2000)]

    assert {1.0} == set(bounds)


def test_doubt_between_two_plates_misses_the_ceiling():
    """A character that may be an 8 or a B carries neither plate."""
    read = look("KLM4058")
    read[6, 1 + ALPHABET.index("8")], read[6, 1 + ALPHABET.index("B")] = 0.8, 0.2

    assert bound([read], codes("KLM4058")) > CEILING
    assert bound([read], codes("KLM405B")) > CEILING


def test_more_looks_help_less_than_independent_ones():
    """A second, equal look may help, but by far less than its square."""
    one = against_neighbours([look("KLM4052")], codes("KLM4052"))
    two = against_neighbours([look("KLM4052")] * 2, codes("KLM4052"))

    assert one**1.5 < two <= one


def test_looks_that_disagree_miss_the_ceiling():
    """Two looks that read different plates carry neither."""
    looks = [look("KLM4052"), look("KLM4053")]

    assert bound(looks, codes("KLM4052")) > CEILING


def test_read_that_lost_a_character_is_no_match():
    """The reading of a plate whose end was hidden does not open for the shorter plate's holder."""
    assert bound([look("KLM405")], codes("KLM4052")) > CEILING
    assert bound([look("KLM4052")], codes("KLM405")) > CEILING


@pytest.mark.parametrize("poison", [np.nan, np.inf, -1.0])
def test_what_is_no_chance_denies(poison):
    """NaN, infinity or a negative number in a template never vouches."""
    slots = look("KLM4052")
    slots[3, 5] = poison

    assert not bound([slots], codes("KLM4052")) <= 1.0


def test_match_gives_best_first_and_counts_the_search():
    """Evidence names its credential, the number searched and the looks; the right one leads."""
    matcher = PlateMatcher(MODEL)
    references = [reference(matcher, "XYZ123", "c-0"), reference(matcher, "klm-40 52", "c-1")]

    evidence = matcher.match([probe(look("KLM4052"))], references, NOON)

    assert ["c-1", "c-0"] == [e.credential for e in evidence]
    assert evidence[0].p <= CEILING < evidence[1].p
    assert [(Factor.PLATE, 2, 1, NOON)] * 2 == [
        (e.factor, e.searched, e.looks, e.seen) for e in evidence
    ]


def test_template_of_another_reader_denies():
    """What another model made is not compared."""
    matcher = PlateMatcher(MODEL)

    foreign = matcher.match(
        [probe(look("KLM4052"), "b" * 64)], [reference(matcher, "KLM4052")], NOON
    )

    assert not foreign[0].p <= 1.0


def test_nothing_to_compare_gives_nothing():
    """Without looks or without references there is no evidence."""
    matcher = PlateMatcher(MODEL)

    assert () == matcher.match([], [reference(matcher, "KLM4052")], NOON)
    assert () == matcher.match([probe(look("KLM4052"))], [], NOON)


@pytest.mark.parametrize("text", ["", "A", "AB?123", "KLM*", "ABCDEFGHIJK", "КЛМ123"])
def test_text_that_is_no_plate_is_refused(text):
    """A reference is made of capitals and digits only; the error says so."""
    with pytest.raises(PosternError) as error:
        PlateMatcher(MODEL).reference(text)

    assert error.value.code is Code.INVALID


def test_one_character_off_never_opens_on_renders(recogniser):
    """Registered twins of plates that were drawn stay shut, clean or spoilt; the plates open."""
    matcher = PlateMatcher(recogniser._model)
    rng = np.random.default_rng(77)
    opened = shown = 0
    for k in range(16):
        number = render.plate_number(rng)
        spoil = render.Spoiling(blur=0.01 * (k % 3), noise=3.0, quality=60)
        image, _ = render.scene(rng, render.plate(number), width=140, spoil=spoil)
        probes = [s.template for s in recogniser.sightings(frame(image)) if s.template]
        others = [codes_ for group in neighbours(codes(number)) for codes_ in group]
        drawn = rng.choice(len(others), 8, replace=False)
        for other in (others[i] for i in drawn):
            text = "".join(ALPHABET[c] for c in other)
            for e in matcher.match(probes, [reference(matcher, text)], NOON):
                assert e.p > CEILING, (number, text)
        own = matcher.match(probes, [reference(matcher, number)], NOON)
        shown += 1
        opened += any(e.p <= CEILING for e in own)

    assert opened >= shown // 2
