"""The secret from outside without which a shared reference stays shut."""

from typing import Protocol

from postern.core.ids import CredentialId


class KeyShare(Protocol):
    """Whoever keeps the holders' halves: a token that they carry, or a bank's host."""

    def release(self, credential: CredentialId) -> bytes:
        """The 32 bytes that belong to a reference.

        Raises:
            PosternError: `unauthorized` where whoever asks has not shown that they may have it;
                `not_found` where there is none for that credential; `unavailable` where the keeper
                cannot be reached now.
        """
        ...
