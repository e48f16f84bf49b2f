"""What `postern check` says of the people: their consents' text, the rosters, and references."""

from postern.app.consent_text import check_text
from postern.app.roster import CAP, check_room, roster
from postern.app.wire import Installation, references
from postern.cli.terminal import OUT, warn
from postern.core.consent import StorageMode
from postern.core.errors import invalid
from postern.core.ids import PersonId
from postern.core.look import Kind
from postern.vault.standing import MEANING, Standing

#: People who are named one by one.
_NAMED = 10


def check_people(installation: Installation) -> None:
    """Refuses a changed consent text and rosters beyond their cap; says who needs new looks.

    Raises:
        PosternError: `conflict` or `invalid` with what is wrong; `unavailable`.
    """
    check_text(installation.site, installation.store.consent_texts)
    _check_rosters(installation)
    _check_references(installation)


def _check_rosters(installation: Installation) -> None:
    site, store, now = installation.site, installation.store, installation.clock.now().utc
    if site.roster.justification is None:
        if store.credentials.people_with(StorageMode.ROSTER):
            raise invalid(
                "There are people on a roster, and nobody has justified it.",
                'Add [roster] with justification = "..." to the file, or remove their references.',
            )
        return
    check_room(store, site.access_points, (), now)
    largest = max(len(roster(store, place, now)) for place in site.access_points)
    OUT.print(f"The largest roster holds {_people(largest)} of at most {CAP}. The reason given:")
    OUT.print(f"  {site.roster.justification}", soft_wrap=True)


def _check_references(installation: Installation) -> None:
    spoilt = [
        (person, state)
        for person, states in references(installation).items()
        for state in states
        if state.standing is not Standing.READY
    ]
    for person, state in spoilt[:_NAMED]:
        standing = state.standing
        warn(f"The reference of {person} cannot be used: {standing}. {MEANING[standing]}")
        warn(f"  {_way_out(installation, person, state.mode)}")
    if len(spoilt) > _NAMED:
        warn(f"So it is with {len(spoilt) - _NAMED} more (postern person list).")


def _way_out(installation: Installation, person: PersonId, mode: StorageMode) -> str:
    """The command that puts another reference in the place of one that cannot be used."""
    cameras = [name for name, one in installation.site.cameras.items() if one.sees is Kind.FACE]
    camera = cameras[0] if len(cameras) == 1 else "CAMERA"
    out = "" if mode is StorageMode.ROSTER else " --out FILE.png"
    return f"postern enrol --person {person} --mode {mode} --camera {camera}{out}"


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"
