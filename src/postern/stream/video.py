"""Pictures out of a video container, for every kind of source that reads one.

Rules of this file:
1. No more than `MAX_PIXELS` are decoded for one picture, whatever the stream says on its way.
2. What the container or the decoder reports as damaged is never given. Strictly read, the first
   such damage ends the video with an error, after every sound picture before it; tolerantly read (a
   live camera), it is left out. Damage that both pass over in silence (Motion-JPEG has no checksum,
   Matroska seeks its next cluster) can only be seen in the pictures.
3. Damage before the first sound packet is no error: clips cut out of a longer recording often begin
   between two key frames.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from postern.core.errors import Code, PosternError, invalid
from postern.pixels import MAX_PIXELS, Pixels

#: FFmpeg counts a container's duration in microseconds (AV_TIME_BASE).
TICKS_PER_S = 1_000_000
#: A video may fall short of its stated duration by this much before it counts as cut off: other
#: tracks of the file may be longer than its pictures.
TOLERATED_SHORTFALL_S = 1.0
TOLERATED_SHORTFALL = 0.1

#: How to read tags, which nothing here uses: PyAV before 19 raises where they are no UTF-8.
TAGS: dict[str, Any] = (
    {"metadata_encoding": "latin-1"} if int(av.__version__.split(".")[0]) < 19 else {}
)


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture.

    Attributes:
        pixels: Turned upright as the container asks.
        time_s: When it is presented, in seconds of the container's own time; None where unknown.
    """

    pixels: Pixels
    time_s: float | None


def open_container(
    url: str,
    *,
    options: dict[str, str],
    kind: str | None = None,
    hardware: HWAccel | None = None,
) -> InputContainer:
    """A container opened for reading; to be closed by the caller.

    Args:
        url: What FFmpeg shall open.
        options: FFmpeg's options for it.
        kind: FFmpeg's name of its format; found out where left out.
        hardware: A decoder in hardware that may be used; None for none.

    Raises:
        av.FFmpegError: for the caller to translate, who knows what it opened.
    """
    container: InputContainer = av.open(
        url, mode="r", format=kind, options=options, hwaccel=hardware, **TAGS
    )
    return container


def pictures(
    container: InputContainer,
    name: str,
    *,
    tolerant: bool,
    due: Callable[[], bool] = lambda: True,
) -> Iterator[Picture]:
    """The pictures of a container's first video stream, in the order of presentation.

    Args:
        container: Opened for reading; stays open.
        name: What to call it in errors.
        tolerant: Whether damage is left out instead of ending the video.
        due: Asked as each picture is decoded whether it is wanted.

    Raises:
        PosternError: `invalid` where it holds no video, pictures over `MAX_PIXELS`, or damage;
            if `tolerant`, `unavailable` instead where it cannot be read any further.
    """
    stream = _video_stream(container, name)
    reached = _Reached()
    try:
        for frame in _frames(container, stream, tolerant=tolerant):
            _check_size(frame.width, frame.height, name)
            time_s = _time_s(frame, stream)
            reached.add(time_s)
            if due():
                yield Picture(upright(frame), time_s)
    except _Damage:
        raise invalid(
            f"{name} is damaged {reached.seconds:.1f} s after its beginning.",
            "Everything before that was used.",
        ) from None
    except av.FFmpegError as error:
        # What is wrong with a recording stays wrong; a camera may come back.
        code = Code.UNAVAILABLE if tolerant else Code.INVALID
        reason = error.strerror or "unknown error"
        raise PosternError(code, f"{name} cannot be read any further ({reason}).") from None
    if not tolerant:
        _check_complete(container, stream, reached, name)


def frame_step_s(container: InputContainer, otherwise_s: float) -> float:
    """Seconds from one picture to the next on average, `otherwise_s` where nothing says."""
    for stream in container.streams.video:
        if stream.average_rate:  # None before PyAV 19, a false rational since.
            return 1.0 / float(stream.average_rate)
    return otherwise_s


class _Damage(Exception):  # noqa: N818 - never leaves this file
    """The stream holds something that cannot be decoded."""


class _Reached:
    """How far into the video the pictures given so far reach."""

    def __init__(self) -> None:
        self.pictures = 0
        self._first_s: float | None = None
        self._last_s = 0.0

    def add(self, time_s: float | None) -> None:
        self.pictures += 1
        if time_s is None:
            return
        if self._first_s is None:
            self._first_s = time_s
        self._last_s = time_s

    @property
    def seconds(self) -> float:
        return self._last_s - (self._first_s or 0.0)


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    if not container.streams.video:
        raise invalid(f"{name} holds no video.")
    stream = container.streams.video[0]
    if stream.codec_context is None:  # FFmpeg knows no decoder for what the header says.
        raise invalid(f"{name} is in a format that cannot be decoded.")
    _check_size(stream.codec_context.width, stream.codec_context.height, name)
    # The decoder's own limit, for streams that change their size on the way. One thread: other
    # cameras share the processor, and frames come out without the delay that threads add.
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    stream.codec_context.thread_count = 1
    return stream


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise invalid(
            f"{name} has pictures of {width} x {height} pixels; at most {MAX_PIXELS:,} are taken.",
            "Have it send smaller ones.",
        )


def _frames(
    container: InputContainer, stream: VideoStream, *, tolerant: bool
) -> Iterator[VideoFrame]:
    begun = False
    for packet in _packets(container, stream, tolerant=tolerant):
        frames, sound = _decoded(packet)
        begun = begun or (sound and packet.size > 0)
        if begun:
            yield from frames
        if begun and not sound and not tolerant:
            yield from _held_back(stream, packet)
            raise _Damage


def _packets(
    container: InputContainer, stream: VideoStream, *, tolerant: bool
) -> Iterator["Packet[VideoStream]"]:
    while True:
        try:
            yield from container.demux(stream)
        except av.InvalidDataError:
            if not tolerant:
                raise _Damage from None
        else:
            return


def _decoded(packet: "Packet[VideoStream]") -> tuple[list[VideoFrame], bool]:
    """The sound frames that a packet completes, and whether nothing about it is damaged."""
    if packet.is_corrupt:  # The container's own checks say so.
        return [], False
    try:
        frames = packet.decode()
    except av.InvalidDataError:
        return [], False
    sound = list(takewhile(lambda frame: not frame.is_corrupt, frames))
    return sound, len(sound) == len(frames)


def _held_back(stream: VideoStream, damaged: "Packet[VideoStream]") -> list[VideoFrame]:
    """What the decoder still holds from before the damage (it reorders, so some come late)."""
    try:
        frames = stream.codec_context.decode(None)
    except av.FFmpegError:
        return []
    return [
        frame
        for frame in frames
        if not frame.is_corrupt
        and (damaged.pts is None or frame.pts is None or frame.pts < damaged.pts)
    ]


def _time_s(frame: VideoFrame, stream: VideoStream) -> float | None:
    # Not `frame.time`: before PyAV 19 it is NaN for what the decoder held back.
    if frame.pts is None or not stream.time_base:
        return None
    return frame.pts * float(stream.time_base)


def upright(frame: VideoFrame) -> Pixels:
    """A decoded picture, turned as its container asks."""
    plane = frame.reformat(format="bgr24").planes[0]
    data, row = bytearray(plane), 3 * frame.width
    if plane.line_size != row:  # Rows begin where it suits the processor.
        starts = range(0, plane.line_size * frame.height, plane.line_size)
        data = bytearray().join(data[start : start + row] for start in starts)
    del data[row * frame.height :]
    pixels, turns = Pixels(frame.width, frame.height, data), frame.rotation / 90 % 4
    return _turned(pixels, int(turns)) if turns in (1, 2, 3) else pixels


def _turned(pixels: Pixels, quarters: int) -> Pixels:
    # Telephones record lying on the side and say so; degrees, counter-clockwise. Hardly a camera
    # does, and many processes decode at once that have no other use for arrays.
    import numpy as np  # noqa: PLC0415

    shape = (pixels.height, pixels.width, 3)
    turned = np.rot90(np.frombuffer(pixels.data, np.uint8).reshape(shape), quarters)
    return Pixels(turned.shape[1], turned.shape[0], bytearray(turned.tobytes()))


def _check_complete(
    container: InputContainer, stream: VideoStream, reached: _Reached, name: str
) -> None:
    if reached.pictures == 0:
        raise invalid(f"{name} holds no picture that can be decoded.")
    stated = _stated_s(container, stream)
    given = reached.seconds + frame_step_s(container, 0.0)
    if stated - given > max(TOLERATED_SHORTFALL_S, TOLERATED_SHORTFALL * stated):
        raise invalid(
            f"{name} is cut off: it holds {given:.1f} of {stated:.1f} s.",
            "Everything it holds was used.",
        )


def _stated_s(container: InputContainer, stream: VideoStream) -> float:
    """The duration that the header promises, 0 where it promises none."""
    # FFmpeg estimates a cut AVI's duration from its size; its header's count of frames stands.
    # Elsewhere that count includes frames that the file itself says to skip (an edit list).
    if container.format.name == "avi" and stream.average_rate:
        return stream.frames / float(stream.average_rate)
    return (container.duration or 0) / TICKS_PER_S
