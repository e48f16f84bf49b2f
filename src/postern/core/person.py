"""Who may hold credentials: people and vehicles that asked to be recognised.

There is no field for a trait and none for free text about a person, on purpose (safeguard 4).
"""

from dataclasses import dataclass
from unicodedata import combining, normalize

from postern.core.errors import invalid
from postern.core.ids import PersonId

MAX_NAME = 120


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who asked to be recognised.

    Attributes:
        id: Starts with ``p-``.
        name: What the person wants to be called; 1 to 120 characters.
    """

    id: PersonId
    name: str

    def __post_init__(self) -> None:
        if not self.id.startswith("p-"):
            raise invalid("A person's id starts with 'p-'.")
        check_name(self.name)


def check_name(name: str) -> None:
    """Refuses a name that cannot be shown on one line.

    Raises:
        PosternError: `invalid`.
    """
    if not 1 <= len(name) <= MAX_NAME or name != name.strip() or not name.isprintable():
        raise invalid(f"A name has 1 to {MAX_NAME} printable characters without blanks around it.")


def folded(name: str) -> str:
    """A name as it is looked for and sorted: without capitals and marks, so that `jose` finds
    `José`. No name is found by how it sounds, nor by another that is like it."""
    plain = normalize("NFKD", normalize("NFKD", name).casefold())
    return "".join(character for character in plain if not combining(character))
