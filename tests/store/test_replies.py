"""What was asked for once already."""

from datetime import timedelta

from postern.store.replies import Reply
from postern.store.store import Store
from tests.people import ALICE, DAY, NOW, VAN

REPLY = Reply("ab" * 32, VAN)


def test_reply_is_its_callers_own(store: Store) -> None:
    """Of another caller, or under another key, there is none."""
    store.replies.keep("user:maria", "one", REPLY, NOW)

    assert REPLY == store.replies.find("user:maria", "one", NOW - DAY)
    assert store.replies.find("user:otto", "one", NOW - DAY) is None
    assert store.replies.find("user:maria", "two", NOW - DAY) is None


def test_reply_expires(store: Store) -> None:
    """It is not told any more, and then gone; its key may be used anew."""
    store.replies.keep("user:maria", "one", REPLY, NOW)
    later = NOW + timedelta(hours=1)

    assert store.replies.find("user:maria", "one", later) is None
    store.replies.keep("user:maria", "one", Reply("cd" * 32, None), later)
    assert Reply("cd" * 32, None) == store.replies.find("user:maria", "one", NOW)
    store.replies.expire(later)
    assert store.replies.find("user:maria", "one", NOW) is not None
    store.replies.expire(later + timedelta(seconds=1))
    assert store.replies.find("user:maria", "one", NOW) is None


def test_forgotten_holder_is_in_no_reply(site: Store) -> None:
    """That there was a call is still known, so that it is not done once more."""
    site.replies.keep("user:maria", "one", REPLY, NOW)
    site.replies.keep("user:maria", "two", Reply("ef" * 32, ALICE), NOW)
    site.vehicles.remove(VAN)
    site.people.remove(ALICE, lambda person: None)

    assert Reply(REPLY.digest, None) == site.replies.find("user:maria", "one", NOW)
    assert Reply("ef" * 32, None) == site.replies.find("user:maria", "two", NOW)
