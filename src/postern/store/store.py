"""The store of one site: a folder with one database file."""

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import insert, select, union_all

from postern.core.access_point import AccessPoint
from postern.core.decide import State
from postern.core.errors import Code, PosternError
from postern.core.permit import Permit
from postern.store import roll
from postern.store.api_keys import ApiKeys
from postern.store.areas import Areas, inside_of, occupancy_of
from postern.store.consent_texts import ConsentTexts
from postern.store.consents import Consents
from postern.store.credentials import Credentials
from postern.store.database import Database, open_database
from postern.store.events import Events
from postern.store.modes import Modes
from postern.store.passkeys import Passkeys
from postern.store.people import People
from postern.store.permits import Permits
from postern.store.references import References
from postern.store.replies import Replies
from postern.store.roll import Roll
from postern.store.schema import api_keys, consents, credentials, holders, meta, users
from postern.store.schema import permits as permits_table
from postern.store.sessions import Sessions
from postern.store.setup_codes import SetupCodes
from postern.store.sign_in_tries import SignInTries
from postern.store.throttles import Throttles, throttled
from postern.store.users import Users
from postern.store.vehicles import Vehicles

STORE_FILE = "postern.db"
_PURPOSE = "purpose"
_THROWAWAY = "throwaway"
_SITE = "site"
_NAMED = (holders, consents, credentials, permits_table, users, api_keys)


class Store:
    """Everything that a site remembers; usable from any thread, closed by `with`.

    Args:
        database: The open file; from `open_store`.
        throwaway: Whether it was made to be thrown away, as the demo's is.
    """

    def __init__(self, database: Database, *, throwaway: bool) -> None:
        self._database = database
        self.throwaway = throwaway
        self.people = People(database)
        self.vehicles = Vehicles(database)
        self.consents = Consents(database)
        self.consent_texts = ConsentTexts(database)
        self.credentials = Credentials(database)
        self.references = References(database)
        self.permits = Permits(database)
        self.areas = Areas(database)
        self.throttles = Throttles(database)
        self.modes = Modes(database)
        self.events = Events(database)
        self.users = Users(database)
        self.passkeys = Passkeys(database)
        self.sessions = Sessions(database)
        self.setup_codes = SetupCodes(database)
        self.sign_in_tries = SignInTries(database)
        self.api_keys = ApiKeys(database)
        self.replies = Replies(database)

    def state(
        self, access_point: AccessPoint, *, clock_trusted: bool = True
    ) -> tuple[tuple[Permit, ...], State]:
        """What `decide` needs at an access point, in one snapshot: its permits and its state.

        Raises:
            PosternError: `unavailable` where the store cannot be read now.
        """
        found, state = self.standing(access_point, None, clock_trusted=clock_trusted)
        return found.permits, state

    def standing(
        self, access_point: AccessPoint, before: Roll | None, *, clock_trusted: bool = True
    ) -> tuple[Roll, State]:
        """Who may pass at an access point and how it stands there, in one snapshot.

        Args:
            access_point: Where.
            before: What was read before; the same object is given where nothing of it was changed.
            clock_trusted: Whether the calendar is.

        Raises:
            PosternError: `unavailable` where the store cannot be read now.
        """
        area = access_point.area.id
        with self._database.reading() as connection:
            found = roll.read(connection, access_point, before)
            state = State(
                access_point,
                credentials=found.credentials,
                consents=found.consents,
                inside=inside_of(connection, area),
                occupancy=occupancy_of(connection, area),
                throttled=throttled(connection, access_point.id),
                clock_trusted=clock_trusted,
            )
        return found, state

    def ids(self) -> tuple[str, ...]:
        """Every id that an event may name: of holders, consents, credentials, permits,
        users and keys.

        Raises:
            PosternError: `unavailable`.
        """
        query = union_all(*(select(table.c.id) for table in _NAMED))
        with self._database.reading() as connection:
            return tuple(connection.scalars(query))

    def together(self) -> AbstractContextManager[None]:
        """Makes everything that this thread writes inside happen at once, or none of it.

        Not for what destroys keys: those go first, whatever becomes of the rest.

        Raises:
            PosternError: `unavailable` where it cannot be written now.
        """
        return self._database.together()

    def version(self) -> int:
        """A number that is another one after every change by anybody, this process included.

        As long as it stays the same, so does everything that was read.

        Raises:
            PosternError: `unavailable` where the store cannot be read now.
        """
        return self._database.version()

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_store(folder: Path, *, throwaway: bool = False) -> Store:
    """The store in that folder, made if there is none, migrated if it is older.

    Args:
        folder: Made with mode 0700 if it does not exist.
        throwaway: Makes the store of a demo, or opens one. What a store was made for never changes.

    Raises:
        PosternError: `conflict` where a newer program wrote it, or it was made for the other
            purpose; `invalid` where it is damaged; `unavailable` where it cannot be opened now.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PosternError(
            Code.UNAVAILABLE,
            f"The folder of the store cannot be made: {error.strerror}.",
            f"Check the path {folder}.",
        ) from None
    database = open_database(folder / STORE_FILE)
    try:
        _check_purpose(database, _THROWAWAY if throwaway else _SITE)
    except PosternError:
        database.close()
        raise
    return Store(database, throwaway=throwaway)


def _check_purpose(database: Database, purpose: str) -> None:
    query = select(meta.c.value).where(meta.c.name == _PURPOSE)
    with database.writing() as connection:
        kept = connection.scalar(query)
        if kept is None:
            connection.execute(insert(meta), {"name": _PURPOSE, "value": purpose})
    if kept not in (None, purpose):
        raise PosternError(
            Code.CONFLICT,
            "A demo's store cannot become a site's, nor a site's a demo's.",
            "Choose another folder.",
        )
