"""How long the API takes on a large site.

    python -m tests.load.large_site --out docs/benchmarks

Fills a throw-away site with 10,000 people, 50,000 permits, 2,000 vehicles and 1,000,000 events,
asks every list for its pages over a real server, and says how long the server took.

People, permits and events are written straight into the store's tables. The ledger's journal stays
empty: what a list shows comes from the index alone, and bringing that up to date, which costs the
same however many events there are, is left out (`Indexed`).
"""

import argparse
import base64
import json
import os
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter

import httpx
from litestar.types import ASGIApp, Receive, Scope, Send

from postern.api.v1 import PATH, Nouns, api_app
from postern.app.events import Events
from postern.app.wire import Installation, nouns, open_site, read_site
from postern.bench import results
from postern.core.event import Event
from postern.core.ids import EventId
from postern.core.moment import time_text
from postern.core.person import folded
from postern.core.role import Role
from postern.store.events import Entry, Wanted
from postern.store.store import STORE_FILE
from tests.api.registry import ROLE, WHY, told
from tests.cli.conftest import SITE
from tests.cli.enrolled import ROSTER, enrol
from tests.media import write_picture
from tests.web.serving import serving

PEOPLE, VEHICLES, PERMITS, EVENTS = 10_000, 2_000, 50_000, 1_000_000
PLACES = ("barrier", "door")
FIRST = ("Ana", "Émile", "Ion", "Jürgen", "Maria", "Nadia", "Öykü", "Radu", "Søren", "Zoë")
LAST = ("Albu", "Brandt", "Ceaușu", "Dumas", "Enache", "Ferrer", "García", "Popescu", "Weiß")
#: One of this many events is an alarm, and one of that many decisions a denial.
ALARMS, DENIALS = 20_000, 50
TIMES = 40
#: Milliseconds of the server for any page.
PROMISED_MS = 60


@dataclass(frozen=True)
class Indexed:
    """The index of events by itself, in which holders stand under their ids."""

    site: Installation

    def append(self, event: Event) -> EventId:
        """Forgets it: nothing is measured that writes."""
        return EventId("0")

    def page(self, wanted: Wanted, *, about: str | None, limit: int) -> Sequence[Entry]:
        """See `postern.app.events.History`."""
        naming = None if about is None else (about,)
        return self.site.store.events.page(replace(wanted, naming=naming), limit=limit)

    def find(self, number: int) -> Entry:
        """See `postern.app.events.History`."""
        return self.site.store.events.find(number)


def fill(file: Path, now: datetime) -> None:
    """Writes everybody and everything into the tables of a store."""
    random = Random(7)  # noqa: S311 - the same site every time
    people = [(f"p-{n:06}", f"{random.choice(FIRST)} {random.choice(LAST)} {n}")
              for n in range(PEOPLE)]  # fmt: skip
    given, ends = time_text(now - timedelta(days=9)), time_text(now + timedelta(days=300))
    with closing(sqlite3.connect(file)) as store, store:
        many = store.executemany
        many("INSERT INTO holders VALUES (?)", ((p,) for p, _ in people))
        many("INSERT INTO people VALUES (?, ?, ?)", ((p, n, folded(n)) for p, n in people))
        many(
            "INSERT INTO consents (id, person, purpose, text_version, mode, given, expires) "
            "VALUES (?, ?, 'doors', '1', 'pass', ?, ?)",
            ((f"consent-{p}", p, given, ends) for p, _ in people),
        )
        many(
            "INSERT INTO consent_places VALUES (?, ?)",
            ((f"consent-{p}", place) for p, _ in people for place in PLACES),
        )
        vehicles = [(f"v-{n:06}", f"B{n:05}XY") for n in range(VEHICLES)]
        many("INSERT INTO holders VALUES (?)", ((v,) for v, _ in vehicles))
        many("INSERT INTO vehicles VALUES (?, ?, ?)", ((v, p, p) for v, p in vehicles))
        _fill_permits(store, random, given)
        _fill_events(store, random, now)


def _fill_permits(store: sqlite3.Connection, random: Random, given: str) -> None:
    ids = [f"permit-{n:08x}" for n in range(PERMITS)]
    many = store.executemany
    many(
        "INSERT INTO permits (id, max_false_accept, liveness, valid_from) VALUES (?, 0.0001, 0, ?)",
        ((p, given) for p in ids),
    )
    many(
        "INSERT INTO permit_holders VALUES (?, ?)",
        ((p, f"p-{random.randrange(PEOPLE):06}") for p in ids),
    )
    many("INSERT INTO permit_places VALUES (?, ?)", ((p, random.choice(PLACES)) for p in ids))
    many("INSERT INTO permit_factors VALUES (?, 0, 'face', 0.0001)", ((p,) for p in ids))


def _fill_events(store: sqlite3.Connection, random: Random, now: datetime) -> None:
    rows = list(_events(random, now))
    store.execute("DELETE FROM event_names")
    store.execute("DELETE FROM events")  # Of whoever was enrolled; they are in the journal.
    store.executemany(
        "INSERT INTO events (seq, at, kind, access_point, attempt, grants, body, reason) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (row[:-1] for row in rows),
    )
    store.executemany(
        "INSERT INTO event_names VALUES (?, ?)", ((row[-1], row[0]) for row in rows if row[-1])
    )


def _events(random: Random, now: datetime) -> Iterator[tuple[object, ...]]:
    for seq in range(EVENTS):
        at = time_text(now - timedelta(seconds=(EVENTS - seq) * 2.5))
        place, attempt = random.choice(PLACES), f"attempt-{seq // 2:08x}"
        head = {"access_point": place, "at": at, "v": 1}
        if seq % ALARMS == 0:
            said = {**head, "kind": "alarmed", "alarm": "forced", "over": False}
            yield seq, at, "alarmed", place, None, 0, _text(said), None, None
        elif seq % 2:
            said = {**head, "kind": "acted", "attempt": attempt, "done": True, "detail": "opened"}
            yield seq, at, "acted", place, attempt, 0, _text(said), None, None
        else:
            reason = "stale" if seq % DENIALS == 0 else "permitted"
            who = f"p-{random.randrange(PEOPLE):06}"
            said = {**head, "kind": "decided", "attempt": attempt, "reason": reason,
                    "permit": None, "holders": [who], "band": 3, "passback": False}  # fmt: skip
            granted = reason == "permitted"
            yield seq, at, "decided", place, attempt, granted, _text(said), reason, who


def _text(said: dict[str, object]) -> str:
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def cursor(*key: str) -> str:
    """Where a list goes on after somebody."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def questions(now: datetime) -> dict[str, str]:
    """Every list, and what is asked of it."""
    day = time_text(now - timedelta(days=14))
    halfway = cursor(f"permit-{PERMITS // 2:08x}")
    holder = f"/events?holder=p-000007&reason={WHY}"
    return {
        "people": "/people",
        "people, the last of them": f"/people?cursor={cursor('zoe weiss 9', 'p-000009')}",
        "people by name": "/people?name=popescu 99",
        "people by a name that nobody has": "/people?name=qqq",
        "vehicles": "/vehicles",
        "vehicles by plate": "/vehicles?plate=9xy",
        "permits": "/permits",
        "permits of a page of 200": "/permits?limit=200",
        "permits of one person": "/permits?holder=p-000007",
        "permits of one access point": f"/permits?access_point=door&cursor={halfway}",
        "credentials of one person": "/credentials?holder=p-000007",
        "consents of one person": "/people/p-000007/consents",
        "schedules": "/schedules",
        "access points": "/access-points",
        "areas": "/areas",
        "events": "/events",
        "events of a page of 200": "/events?limit=200",
        "events of a day two weeks ago": f"/events?until={day}",
        "events of one kind": "/events?kind=alarmed",
        "events of one kind and access point": "/events?kind=alarmed&access_point=door",
        "denials of one reason": "/events?decision=stale",
        "denials of one reason and access point": "/events?decision=stale&access_point=door",
        "denials that there are none of": "/events?decision=throttled",
        "events of one attempt": "/events?attempt=attempt-00000fff",
        "events of one person": holder,
        "denials of one person": f"{holder}&decision=stale",
    }


def timed(app: ASGIApp, took: list[float]) -> ASGIApp:
    """Notes how long each call took, from its first byte to its last."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        start = perf_counter()
        await app(scope, receive, send)
        took.append((perf_counter() - start) * 1000)

    return call


def measure(site: Installation) -> dict[str, tuple[int, list[float]]]:
    """How many items each list has, and how long it took, again and again."""
    given = nouns(site)
    events = Events(site.store, Indexed(site), site.clock, lambda number: b"")
    whole = Nouns(**{**{f: getattr(given, f) for f in Nouns.__dataclass_fields__},
                     "events": events})  # fmt: skip
    took: list[float] = []
    app = api_app(whole, [lambda app: timed(app, took), told])
    found = {}
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as client:
        for name, path in questions(site.clock.now().utc).items():
            took.clear()
            for _ in range(TIMES):
                answer = client.get(
                    f"{PATH}{path}", headers={ROLE: Role.ADMINISTRATOR.value}, timeout=60
                )
                if answer.is_error:
                    raise SystemExit(f"{path}: {answer.text}")
            found[name] = len(answer.json()["items"]), [*took]
    return found


def main() -> None:
    """Fills a site, asks, and prints a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["POSTERN_MODELS"] = str(folder / "models")
        (folder / "site.toml").write_text(SITE + ROSTER, "utf-8")
        write_picture(folder / "lane.png", 3)
        enrol(folder)
        site = read_site(folder / "site.toml")
        # Once it is open: a log that has fewer events than the index would have that emptied.
        with open_site(site) as opened:
            start = perf_counter()
            fill(site.data / STORE_FILE, opened.clock.now().utc)
            size = (site.data / STORE_FILE).stat().st_size / 2**20
            sys.stdout.write(f"filled in {perf_counter() - start:.0f} s, {size:.0f} MiB\n")
            sys.stdout.flush()
            rows = measure(opened)
    told = table(rows)
    sys.stdout.write(told)
    if given.out:
        machine = results.this_machine({})
        command = " ".join(["python -m tests.load.large_site", *sys.argv[1:]])
        record = {"machine": asdict(machine), **{name: took for name, (_, took) in rows.items()}}
        results.write(
            given.out,
            "large-site",
            "A large site",
            results.setting(machine, command) + told,
            record,
        )


def table(rows: dict[str, tuple[int, list[float]]]) -> str:
    """How long each list took, as a table."""
    lines = [
        f"The server's time for a page of each list of the API, {TIMES} times each, with "
        f"{PEOPLE:,} people, {PERMITS:,} permits, {VEHICLES:,} vehicles and {EVENTS:,} events "
        f"(promised: p95 at most {PROMISED_MS} ms).",
        "",
        "| list | items | p50 | p95 | most | |",
        "|---|---|---|---|---|---|",
    ]
    for name, (items, times) in rows.items():
        took = sorted(times)
        p95 = took[int(0.95 * (len(took) - 1))]
        verdict = "met" if p95 <= PROMISED_MS else "missed"
        lines.append(
            f"| {name} | {items} | {statistics.median(took):.1f} ms | {p95:.1f} ms | "
            f"{took[-1]:.1f} ms | {verdict} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
