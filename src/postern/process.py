"""What the process keeps from others: no core dump of it is written, and nobody may look into it.

Templates, keys and pictures are in its memory while it works.
"""

import ctypes
import os
import resource

from postern.core.errors import Code, PosternError

#: prctl(2).
_PR_SET_DUMPABLE = 4
#: malloc.h: M_ARENA_MAX; then, in bytes, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD. Most layers of a
#: network are smaller than the second, so that they take what the last one left; fetching it
#: from the system anew, page by page, would make a look take a quarter longer.
_HEAP = ((-8, 1), (-3, 8 * 1024 * 1024), (-1, 32 * 1024 * 1024))


def keep_memory_small() -> None:
    """Has the C library share one heap among threads, and give what is large back at once.

    Otherwise what the largest picture took is kept by each of them for ever (mallopt(3)). Where the
    system has no such setting nothing changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for setting, value in _HEAP:
            mallopt(setting, value)


def keep_memory_private() -> None:
    """Forbids core dumps, and lets no other process of this user read this one's memory.

    Programs that it starts get the first only: running another program resets the second. Swap is
    the machine's matter.

    Raises:
        PosternError: `unavailable` where the system refuses.
    """
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # The limit does not count where the kernel hands dumps to a program (core(5)).
        library = ctypes.CDLL(None, use_errno=True)
        if library.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    except (OSError, ValueError) as error:
        raise PosternError(
            Code.UNAVAILABLE, f"The process cannot keep its memory private: {error}."
        ) from None
