"""What is told of the present, as one object of JSON each: a closed set.

It has no name, no plate, no chance and no id of anybody. A stranger's attempt is told while whoever
watches may see them stand there, under no name by which it could be found again.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime

from postern.app.board import Standing
from postern.app.outcome import known, why
from postern.app.site import Site
from postern.core.ids import CameraId
from postern.core.look import ADVICE, Flaw
from postern.core.moment import time_text
from postern.engine.ports import Outcome
from postern.web.audience import Told


def site_told(site: Site) -> Told:
    """What there is at a site: its access points, with their cameras."""
    points = [
        {
            "name": point.id,
            "area": point.area.id,
            "direction": point.direction,
            "cameras": list(point.cameras),
        }
        for point in site.access_points.values()
    ]
    return _told("site", {"name": site.name, "access_points": points})


def standing_told(one: Standing, sentence: str) -> Told:
    """How it stands with one thing; `sentence` is what may be shown of its own."""
    since = None if one.since is None else time_text(one.since)
    body = {
        "part": one.part,
        "name": one.name,
        "state": one.state,
        "sentence": sentence,
        "since": since,
    }
    return _told("standing", body, f"standing {one.part} {one.name}")


def attempt_told(outcome: Outcome, at: datetime | None) -> Told:
    """That an attempt has ended, and how."""
    decision = outcome.decision
    named = known(outcome)
    body: dict[str, object] = {
        "at": None if at is None else time_text(at),
        "access_point": outcome.access_point,
        "attempt": outcome.attempt if named else None,
        "granted": decision.granted,
        "opened": outcome.driven if decision.granted else None,
        "reason": decision.reason if named else None,
        "flaws": list(outcome.flaws),
        "why": why(outcome),
        "permit": decision.permit,
        "detail": outcome.detail,
    }
    return _told("attempt", body)


def seen_told(camera: CameraId, present: int, flaws: Iterable[Flaw]) -> Told:
    """How many are before a camera now, and what spoils their looks."""
    found = sorted(set(flaws))
    advice = [ADVICE[flaw] for flaw in found]
    body = {"camera": camera, "present": present, "flaws": found, "advice": advice}
    return _told("seen", body, f"seen {camera}")


def picture_told(camera: CameraId, jpeg: bytes) -> Told:
    """What a camera sees, as it may be shown."""
    body = {"camera": camera, "jpeg": b64encode(jpeg).decode()}
    return _told("picture", body, f"picture {camera}", picture=True)


def _told(
    event: str, body: Mapping[str, object], instead: str = "", *, picture: bool = False
) -> Told:
    return Told(event, json.dumps(body, separators=(",", ":")), instead, picture)
