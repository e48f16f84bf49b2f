"""What happens at a site now, from the service that runs to whoever watches."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from postern.app.board import Board, Standing
from postern.app.live.words import attempt_told, picture_told, seen_told, site_told, standing_told
from postern.app.screen import Screen
from postern.app.site import Site
from postern.core.errors import PosternError
from postern.core.ids import CameraId
from postern.core.look import Flaw
from postern.core.ports import Clock
from postern.engine.ports import Outcome
from postern.web.audience import Audience, Told


class Feed:
    """Tells what happens. Implements `Observer`, and `postern.api.live.Live`.

    It is told from the lanes' threads, which wait for nothing but a line of text.

    Args:
        site: Whose service it is.
        board: How everything stands; told before this.
        clock: Says when.
    """

    def __init__(self, site: Site, board: Board, clock: Clock) -> None:
        self._site = site
        self._board = board
        self._clock = clock
        self._screen = Screen(site)
        self._audience = Audience(self._standings)

    @property
    def looking(self) -> bool:
        """Whether anybody looks at pictures."""
        return self._audience.looking

    def ended(self, outcome: Outcome) -> None:
        """See `Observer.ended`."""
        if self._audience.present:
            self._audience.tell(attempt_told(outcome, self._now()))

    def health(self, camera: CameraId, state: str, sentence: str) -> None:
        """See `Observer.health`."""
        if self._audience.present:
            self._audience.tell(self._told(self._board.standing(camera)))

    def seen(self, camera: CameraId, present: int, flaws: tuple[Flaw, ...]) -> None:
        """Tells how many are before a camera now, and what spoils their looks."""
        self._audience.tell(seen_told(camera, present, flaws))

    def picture(self, camera: CameraId, jpeg: bytes) -> None:
        """Tells what a camera sees, as it may be shown."""
        self._audience.tell(picture_told(camera, jpeg))

    def watch(self, *, pictures: bool) -> AsyncIterator[bytes]:
        """See `Live.watch`."""
        return self._audience.watch(pictures=pictures)

    def dismiss(self) -> None:
        """Lets go of everybody, as the service ends."""
        self._audience.dismiss()

    def _standings(self) -> Iterator[Told]:
        yield site_told(self._site)
        for one in self._board.standings():
            yield self._told(one)

    def _told(self, one: Standing) -> Told:
        return standing_told(one, self._screen.clear(one.sentence))

    def _now(self) -> datetime | None:
        try:
            return self._clock.now().utc
        except PosternError:  # A calendar before 1970.
            return None
