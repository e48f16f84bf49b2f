"""What the log has of an event: its number, and a commitment that tells nothing by itself."""

import struct
from dataclasses import dataclass
from hashlib import sha256

from postern.core.errors import invalid

#: Bytes.
SALT_SIZE = 32
COMMITMENT_SIZE = 32
_VERSION = 1
#: Version, sequence number, commitment.
_LAYOUT = struct.Struct(">BQ32s")
#: Bytes.
LEAF_SIZE = _LAYOUT.size


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry of the log.

    Attributes:
        sequence: The number of the event, which is the entry's index in the tree, from 0 on.
        commitment: SHA-256 of the salt and the event's text; from `commit`.
    """

    sequence: int
    commitment: bytes

    def encode(self) -> bytes:
        """The entry as bytes, 41 of them."""
        return _LAYOUT.pack(_VERSION, self.sequence, self.commitment)


def decode(entry: bytes) -> Leaf:
    """An entry from its bytes, which `encode` gives back.

    Raises:
        PosternError: `invalid` where it is not 41 bytes of a version that is known.
    """
    if len(entry) == LEAF_SIZE:
        version, sequence, commitment = _LAYOUT.unpack(entry)
        if version == _VERSION:
            return Leaf(sequence, commitment)
    raise invalid("This is not an entry of a log that this program can read.")


def commit(salt: bytes, text: bytes) -> bytes:
    """What binds an entry to an event's text, in UTF-8: nobody without the salt can tell which."""
    return sha256(salt + text).digest()
