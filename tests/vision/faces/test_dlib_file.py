"""dlib's files: what they hold, and that bytes of any kind are an answer or our own error."""

import time
import tracemalloc
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postern.core.errors import Code, PosternError
from postern.vision.faces.dlib_file import Layer, read_layers, read_shape_predictor
from postern.vision.model import Models

_FILES = ("face-embedder-dlib", "face-detector-dlib")
#: Seconds and bytes for a hostile file of at most a few thousand bytes.
_LONG_S, _MUCH = 2.0, 20_000_000


def integer(value: int) -> bytes:
    """A number as dlib writes it."""
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def real(mantissa: int, exponent: int = 0) -> bytes:
    return integer(mantissa) + integer(exponent)


def predictor(
    *,
    version: int = 1,
    landmarks: int = 2,
    trees: tuple[int, ...] = (1, 1),
    split: tuple[int, int] = (0, 1),
    anchors: tuple[int, ...] = (0, 1),
    leaves: int = 2,
    leaf: int = 4,
    deltas: int = 2,
) -> bytes:
    """A shape predictor of as many stages as `trees` has entries, each tree of one split."""
    shape = integer(-2 * landmarks) + integer(-1) + real(1) * (2 * landmarks)
    tree = integer(1) + integer(split[0]) + integer(split[1]) + real(3, -1)
    tree += integer(leaves) + (integer(-leaf) + integer(-1) + real(1, -4) * leaf) * leaves
    forests = integer(len(trees)) + b"".join(integer(count) + tree * count for count in trees)
    held = integer(len(anchors)) + b"".join(map(integer, anchors))
    offsets = integer(deltas) + (real(1, -3) + real(-1, -3)) * deltas
    stages = integer(len(trees))
    return (
        integer(version)
        + shape
        + forests
        + stages
        + held * len(trees)
        + stages
        + offsets * len(trees)
    )


def layer(kind: bytes = b"con_4", sizes: tuple[int, ...] = (1, 1, 1, 3), held: int = 3) -> bytes:
    """A layer with weights in the midst of a file."""
    tensor = integer(2) + b"".join(map(integer, sizes)) + bytes(4 * held)
    shape = b"".join(map(integer, (1, 1, 1, 1, 1, 0, 0)))
    return b"\x00net\x01" + bytes([len(kind)]) + kind + tensor + shape


def refusal(read: Callable[[bytes], object], data: bytes) -> Code | None:
    """The code of the error that reading gives; None where the bytes are read."""
    try:
        read(data)
    except PosternError as error:
        return error.code
    return None


def assert_ours_or_nothing(read: Callable[[bytes], object], data: bytes) -> None:
    """Reading raises nothing but our error, soon and without eating the memory."""
    tracemalloc.start()
    begin = time.perf_counter()
    try:
        code = refusal(read, data)
    finally:
        seconds, (_, peak) = time.perf_counter() - begin, tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert code in (None, Code.INVALID)
    assert seconds < _LONG_S
    assert peak < _MUCH


def test_read_layers_finds_every_layer(models: Models) -> None:
    """The embedder has 59 tensors, the detector seven convolutions with six normalisations."""
    kinds = [Counter(one.kind for one in read_layers(models.read(name))) for name in _FILES]

    assert [Counter(con=29, affine=29, fc=1), Counter(con=7, bn=6)] == kinds


def test_read_shape_predictor_finds_every_tree(models: Models) -> None:
    """Fifteen stages of 500 trees of four levels, for five landmarks."""
    found = read_shape_predictor(models.read("face-landmarks-dlib"))

    assert (5, 2) == found.initial.shape
    assert (15, 500, 16, 5, 2) == found.leaves.shape


def test_read_shape_predictor_reads_what_was_written() -> None:
    """Numbers are a mantissa and an exponent of two, and their order is the file's."""
    found = read_shape_predictor(predictor())

    assert 1.5 == found.thresholds[0, 0, 0]
    assert [0.125, -0.125] == found.deltas[1, 1].tolist()
    assert [0, 1] == found.splits[1, 0, 0].tolist()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        predictor(version=2),
        predictor(trees=(1, 2)),  # Stages of different sizes.
        predictor(split=(0, 2)),  # A split between points that are not there.
        predictor(split=(-1, 0)),
        predictor(anchors=(0, 2)),  # A point that hangs on no landmark.
        predictor(anchors=(0, 1 << 80)),
        predictor(leaves=3),  # A tree that is not full.
        predictor(leaf=2),  # Leaves for fewer landmarks.
        predictor(leaf=3),
        predictor(deltas=1),
        predictor(trees=()),
        integer(1) + integer(-(1 << 100)) + integer(-(1 << 100)),
        predictor().replace(real(3, -1), real(0, 32000)),  # dlib's infinity.
        integer(1) + integer(-2) + integer(-1) + real(1, 1 << 100) * 2,
        predictor().replace(integer(2), integer(-2)),
        integer(1) + integer(-2) + integer(-1) + real(1 << 100, 1000) * 2,
        integer(1) + integer(0) + integer(0) + integer(1 << 110),
    ],
)
def test_read_shape_predictor_refuses(data: bytes) -> None:
    """Whatever does not fit together is refused before anything is looked up with it."""
    with pytest.raises(PosternError) as refused:
        read_shape_predictor(data)

    assert Code.INVALID is refused.value.code


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no network",
        layer()[:-1],
        layer(sizes=(1, 1, 1, 1 << 60)),
        layer(sizes=(-1, -1, 1, 3)),
        layer(sizes=(1 << 62, 1 << 62, 1 << 62, 0))[:20],
        layer(b"bn_con2"),
        layer().replace(integer(2), integer(3), 1),
    ],
)
def test_read_layers_refuses(data: bytes) -> None:
    """A file that is cut off, or no network at all, is refused."""
    with pytest.raises(PosternError) as refused:
        read_layers(data)

    assert Code.INVALID is refused.value.code


def test_read_layers_passes_over_names_of_another_length() -> None:
    """What only looks like a layer's name is none."""
    layers = read_layers(b"\x01\x04con_4" + layer())

    assert [Layer] == [type(one) for one in layers]


@pytest.mark.parametrize("name", _FILES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_read_layers_survives_a_cut(models: Models, name: str, share: float) -> None:
    """A file of which an end is missing is refused, or read as far as whole layers go."""
    data = models.read(name)
    part = data[: int(share * len(data))]

    if refusal(read_layers, part) is None:
        assert len(read_layers(part)) < len(read_layers(data))


_hostile = settings(max_examples=200)


@_hostile
@given(st.binary(max_size=2000))
@example(integer(1) + integer(-(1 << 20)) + integer(-(1 << 20)) + bytes(2000))
@example(integer(1) + integer(0) * 2 + integer(1900) + bytes(1900))
def test_readers_survive_garbage(data: bytes) -> None:
    """Bytes of any kind are an answer or our error, soon and in little memory."""
    assert_ours_or_nothing(read_shape_predictor, data)
    assert_ours_or_nothing(read_layers, b"\x01\x05con_4" + data)
    assert_ours_or_nothing(read_layers, b"\x01\x07bn_con2" + data)
    assert_ours_or_nothing(read_layers, b"\x01\x04fc_2" + data)


@_hostile
@given(st.data())
def test_readers_survive_flipped_bits(data: st.DataObject) -> None:
    """A file with any of its bits turned, and cut anywhere, is an answer or our error."""
    for read, whole in ((read_shape_predictor, predictor()), (read_layers, layer() + layer())):
        changed = bytearray(whole)
        for at in data.draw(st.lists(st.integers(0, 8 * len(whole) - 1), max_size=6)):
            changed[at // 8] ^= 1 << at % 8
        end = data.draw(st.integers(0, len(whole)))
        assert_ours_or_nothing(read, bytes(changed[: end or None]))
