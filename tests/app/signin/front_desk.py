"""A reception with Maria, who administers the site, and Gus, its guard."""

from base64 import b32decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from postern.app.signin import totp
from postern.app.signin.desk import Desk
from postern.app.signin.password import Cost, Hasher
from postern.app.wire.reception import Reception, reception
from postern.core.event import Changed
from postern.core.role import Role
from postern.core.user import User
from postern.store.store import open_store
from postern.web.sign_in import Opened
from tests.app.notebook import Notebook
from tests.clocks import SteppedClock

ORIGIN = "https://door.example"
#: Passwords that may be chosen, and a third that is nobody's.
MARIAS, GUSS, NOBODYS = "seven purple herons", "a lamp beside the moat", "under the old bridge"
HERE, THERE = "192.0.2.1", "192.0.2.2"


class CheapHasher(Hasher):
    """Computes as little as can be, and tells what it was asked to compare.

    Attributes:
        compared: The passwords.
        costs: How the hashes were made that they were compared with.
        meanwhile: What happens while it computes.
    """

    def __init__(self) -> None:
        super().__init__(Cost(memory_kib=8, passes=1))
        self.compared: list[str] = []
        self.costs: list[str] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def matches(self, password: str, kept: str | None) -> bool:
        self.compared.append(password)
        found = super().matches(password, kept)
        self.meanwhile()
        return found

    def compute(self, password: str, kept: str) -> bool:
        self.costs.append(kept.rpartition("$")[0].rpartition("$")[0])
        return super().compute(password, kept)


@dataclass
class FrontDesk:
    """A reception, with all that a test may want to look at or move."""

    desk: Desk
    reception: Reception
    clock: SteppedClock
    notebook: Notebook
    hasher: CheapHasher
    folder: Path
    secrets: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, role: Role, password: str) -> User:
        user, code = self.reception.office.users.add(name, role, "terminal:test")
        self.reception.setup.use(code, name, password, "")
        return user

    def enter(self, name: str = "maria", password: str = MARIAS) -> Opened:
        opened = self.reception.sign_in.by_password(name, password, HERE)
        assert isinstance(opened, Opened)
        return opened

    def give_codes(self, user: User) -> None:
        """Has a user sign in with codes from now on."""
        offered = self.reception.own.offer_codes(user)
        self.secrets[user.name] = b32decode(offered.secret)
        self.reception.own.take_codes(user, offered.ticket, self.code(user))
        self.clock.advance(totp.STEP_S)

    def code(self, user: User, steps: int = 0) -> str:
        """What a user's app shows, or showed or will show so many steps from now."""
        at = int(self.desk.now().timestamp()) + steps * totp.STEP_S
        shown = TOTP(self.secrets[user.name], 6, SHA1(), totp.STEP_S)  # noqa: S303
        return shown.generate(at).decode()

    def told(self) -> list[tuple[str, str, str]]:
        """What was recorded, without when."""
        changes = [event for event in self.notebook.events if isinstance(event, Changed)]
        return [(change.what, change.subject, change.by) for change in changes]


@contextmanager
def front_desk(folder: Path) -> Iterator[FrontDesk]:
    """A reception in that folder."""
    clock, notebook, hasher = SteppedClock(), Notebook(), CheapHasher()
    with open_store(folder) as store:
        desk = Desk(store, notebook, clock, bytes(range(32)), "North gate")
        there = FrontDesk(desk, reception(desk, ORIGIN, hasher), clock, notebook, hasher, folder)
        there.add("maria", Role.ADMINISTRATOR, MARIAS)
        there.add("gus", Role.GUARD, GUSS)
        notebook.events.clear()
        hasher.compared.clear()
        hasher.costs.clear()
        yield there
