"""One place for the newest thing: whoever is too slow misses what came between, and never waits
for what is out of date."""

from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Hands the newest item from one thread to others; holds one item at most.

    All methods may be called from any thread; `_change` guards every field.
    """

    def __init__(self) -> None:
        self._change = Condition()
        self._items: list[T] = []
        self._dropped = 0
        self._closed = False

    @property
    def dropped(self) -> int:
        """How many items were replaced, or left behind at the end, without being taken."""
        with self._change:
            return self._dropped

    @property
    def closed(self) -> bool:
        """Whether `close` was called: `take` gives nothing any more."""
        with self._change:
            return self._closed

    def put(self, item: T) -> None:
        """Leaves the item in the place of an older one. Never waits."""
        with self._change:
            if self._closed:
                self._dropped += 1
                return
            self._dropped += len(self._items)
            self._items = [item]
            self._change.notify()

    def take(self, timeout_s: float | None = None) -> T | None:
        """The newest item, which nobody else gets then.

        Args:
            timeout_s: For how long to wait for one; None for as long as it takes.

        Returns:
            None where none came in time, and at once after `close`.
        """
        with self._change:
            self._change.wait_for(lambda: self._items or self._closed, timeout_s)
            return self._items.pop() if self._items else None

    def close(self) -> None:
        """Ends it: everybody who waits wakes up, and what was not taken is dropped.

        What nobody took by now must not be decided on later. Safe to call twice.
        """
        with self._change:
            self._closed = True
            self._dropped += len(self._items)
            self._items = []
            self._change.notify_all()
