"""Keys for programs: `pk_`, the key's id, and 256 random bits that are shown once."""

from collections.abc import Set
from datetime import timedelta
from hashlib import sha256
from secrets import token_hex

from postern.app.signin.desk import Desk
from postern.core.api_key import ApiKey, check_key_days
from postern.core.ids import KeyId
from postern.core.role import Right

_ID, _SECRET = 6, 32
_PREFIX = "pk_"


class Keys:
    """The site's keys.

    Args:
        desk: Where people sign in.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def all(self) -> tuple[ApiKey, ...]:
        """Every key, by name; those included that have run out.

        Raises:
            PosternError: `unavailable`.
        """
        return self._desk.store.api_keys.all()

    def add(self, name: str, rights: Set[Right], days: int, by: str) -> tuple[ApiKey, str]:
        """A new key, and what the program has to show; nobody can see that again.

        Args:
            name: What it is for.
            rights: What the program may do.
            days: For how many days.
            by: Who makes it, as the log names them.

        Raises:
            PosternError: `invalid`; `conflict` where the name is taken; `unavailable`.
        """
        check_key_days(days)
        now, store, number = self._desk.now(), self._desk.store, token_hex(_ID)
        until = now + timedelta(days=days)
        key = ApiKey(KeyId(f"key-{number}"), name, frozenset(rights), now, until, by)
        shown = f"{_PREFIX}{number}_{token_hex(_SECRET)}"
        with store.together():
            store.api_keys.add(key, hidden(shown))
            self._desk.note(f"key added for {', '.join(sorted(rights))}", key.id, by)
        return key, shown

    def revoke(self, name: str, by: str) -> ApiKey:
        """Takes a key back; it counts no more.

        Raises:
            PosternError: `not_found`; `unavailable`.
        """
        store = self._desk.store
        with store.together():
            key = store.api_keys.named(name)
            store.api_keys.remove(key.id)
            self._desk.note("key revoked", key.id, by)
        return key

    def standing(self, shown: str) -> ApiKey | None:
        """The key that a program shows, where it counts.

        Raises:
            PosternError: `unavailable`.
        """
        if not shown.startswith(_PREFIX):
            return None
        now, store = self._desk.now(), self._desk.store
        key = store.api_keys.with_secret(hidden(shown))
        if key is None or not key.holds(now):
            return None
        if key.used != now.date():
            store.api_keys.use(key.id, now.date())
        return key


def hidden(shown: str) -> str:
    """What is kept of what a program shows: prefix, id and secret in one."""
    return sha256(shown.encode("utf-8", "replace")).hexdigest()
