"""Safeguard: a pass without its owner opens nothing, and neither does a lost or altered one.

Two real faces, real passes held up beside them, one camera, the whole program.
"""

from pathlib import Path

import pytest

from postern.cli.demo.door import Portrait
from postern.core.consent import StorageMode
from postern.core.decision import Reason
from postern.core.event import Decided
from postern.engine.ports import Outcome
from tests.demo_site import Watcher, played
from tests.pass_clips import OWNERS, PassSite, Visit, altered, pass_site

COLLINS, HOPPER = Portrait.COLLINS, Portrait.HOPPER


def outcomes(site: PassSite, *visits: Visit) -> list[Reason]:
    """What became of each visit."""
    site.film(visits)
    watcher = Watcher()
    played(site.installation, watcher)
    return reasons(watcher)


def reasons(watcher: Watcher) -> list[Reason]:
    """Of every attempt in which anything could be compared or read."""
    return [one.decision.reason for one in watcher.outcomes if not one.flaws]


def decided(site: PassSite) -> list[Decided]:
    """Every decision that was kept."""
    kept = [entry.event for entry in site.installation.records.list(limit=100)]
    return [event for event in kept if isinstance(event, Decided)]


@pytest.mark.parametrize(
    ("owner", "other", "mode"),
    [(COLLINS, HOPPER, StorageMode.PASS), (HOPPER, COLLINS, StorageMode.SHARED)],
)
def test_pass_opens_for_its_owner_and_for_nobody_else(
    tmp_path: Path, owner: Portrait, other: Portrait, mode: StorageMode
) -> None:
    """Granted; a copy in a stranger's hand is denied, the owner without it is unknown, and the
    pass alone opens nothing. Swapping the two faces swaps the outcomes."""
    with pass_site(tmp_path) as site:
        site.admit(owner, mode)
        text = site.issue(owner, mode).text
        found = outcomes(
            site, Visit(owner, (text,)), Visit(other, (text,)), Visit(owner), Visit(None, (text,))
        )

        assert [Reason.PERMITTED, *[Reason.UNAUTHORIZED] * 3] == found
        assert [(OWNERS[owner],)] == [event.holders for event in decided(site)]


def test_lost_old_foreign_and_altered_passes_are_denied_for_their_own_reasons(
    tmp_path: Path,
) -> None:
    """In their owner's hand, and nothing is kept of it; then the one that counts opens."""
    with pass_site(tmp_path / "other") as other:
        other.admit(COLLINS, StorageMode.PASS)
        foreign = other.issue(COLLINS)
    with pass_site(tmp_path / "site") as site:
        for who in (COLLINS, HOPPER):
            site.admit(who, StorageMode.PASS)
        expired = site.issue(COLLINS, days=(-20.0, -10.0))
        lost = site.issue(COLLINS)
        current, withdrawn = site.issue(COLLINS), site.issue(HOPPER)
        site.withdraw(HOPPER)
        found = outcomes(
            site,
            Visit(COLLINS, (expired.text,)),
            Visit(COLLINS, (lost.text,)),
            Visit(COLLINS, (foreign.text,)),
            Visit(COLLINS, (altered(current.text),)),
            Visit(HOPPER, (withdrawn.text,)),
            Visit(COLLINS, (current.text,)),
        )

        assert [
            Reason.CREDENTIAL_EXPIRED,
            Reason.CREDENTIAL_NOT_ENABLED,
            Reason.FOREIGN_PASS,
            Reason.INVALID_PASS,
            Reason.NO_CONSENT,
            Reason.PERMITTED,
        ] == found
        assert [Reason.PERMITTED] == [event.reason for event in decided(site)]


def test_pass_that_is_revoked_while_the_service_runs_counts_no_more(tmp_path: Path) -> None:
    """Let in, then reported lost by somebody else who works on the site, then denied."""
    with pass_site(tmp_path) as site:
        site.admit(COLLINS, StorageMode.PASS)
        issued = site.issue(COLLINS)
        site.film([Visit(COLLINS, (issued.text,)), Visit(COLLINS, (issued.text,))])

        def lost(outcome: Outcome) -> None:
            if outcome.decision.granted:
                with pass_site(tmp_path) as other:
                    other.passes.revoke(issued.credential.id, other.now)

        watcher = Watcher(lost)
        played(site.installation, watcher)

        first, *rest = reasons(watcher)
        assert Reason.PERMITTED is first
        assert Reason.PERMITTED not in rest
        assert Reason.CREDENTIAL_NOT_ENABLED is rest[-1]
