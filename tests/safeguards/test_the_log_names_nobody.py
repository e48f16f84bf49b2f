"""Safeguard: no line, no number and no health answer of the service says anything of anybody.

A whole lane runs, with people and cars that the site knows and others that it does not, and
everything that it tells is searched for every name, plate and id that the site has.
"""

import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass

import pytest
from rich.console import Console

from postern.app.board import Board
from postern.app.metrics import LogSize, Metrics
from postern.app.monitor import Watched, log_size
from postern.app.records import LEDGER
from postern.app.screen import Screen
from postern.app.site import Log, LogFormat, LogLevel
from postern.app.wire import Installation, open_service
from postern.cli.demo.scene import Cast
from postern.cli.lines import open_lines
from postern.core.event import Decided
from postern.engine.observers import Observers
from tests.demo_site import Watcher, demo_site


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that a run told, and what must not be in it.

    Attributes:
        texts: By what it was: lines for people and for programs, numbers, health.
        secrets: Names, plates, and ids of people, vehicles, permits, consents and credentials.
        names: The ids that the run's decisions were about.
    """

    texts: dict[str, str]
    secrets: frozenset[str]
    names: frozenset[str]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    with demo_site(tmp_path_factory.mktemp("demo"), Cast()) as installation:
        return _told(installation)


def _told(installation: Installation) -> Told:
    written = {form: io.StringIO() for form in LogFormat}
    lines = [
        open_lines(Log(LogLevel.DEBUG, form), Console(file=to, width=400), installation.clock)
        for form, to in written.items()
    ]
    site, watcher = installation.site, Watcher()
    board = Board(site, installation.clock)
    size = log_size(installation.records, site.data / LEDGER, installation.clock)
    metrics = Metrics(board, tuple, size)
    with open_service(installation, Observers(*lines, board, metrics, watcher)) as service:
        service.start()
        assert service.wait(120.0)
        numbers = metrics.text()
    assert () == watcher.red
    assert isinstance(size(), LogSize)
    decided = [e.event for e in installation.records.list() if isinstance(e.event, Decided)]
    texts = {str(form): to.getvalue() for form, to in written.items()}
    texts["metrics"] = numbers
    texts["health"] = json.dumps(Watched(board, metrics, Screen(site)).ready()[1])
    return Told(
        texts,
        frozenset(_secrets(installation)),
        frozenset(holder for event in decided for holder in event.holders),
    )


def _secrets(installation: Installation) -> set[str]:
    store = installation.store
    people, vehicles = store.people.all(), store.vehicles.all()
    found = {text for noun in (*people, *vehicles) for text in _texts(noun)}
    found |= {word for person in people for word in person.name.split()}
    found |= {str(permit.id) for permit in store.permits.all()}
    found |= set(store.ids())
    return {text for text in found if len(text) > 2}


def _texts(noun: object) -> set[str]:
    assert is_dataclass(noun)
    return {str(value) for field in fields(noun) if (value := getattr(noun, field.name))}


@pytest.mark.parametrize("what", ["text", "json", "metrics", "health"])
def test_nothing_of_anybody_is_told(what: str, told: Told) -> None:
    """Neither a name, nor a plate, nor an id, in whatever case."""
    assert len(told.texts[what]) > 100
    assert [] == _found(told.texts[what], told.secrets)


def test_run_was_of_people_and_cars_that_the_site_knows(told: Told) -> None:
    """Some were let through, some were not; so there was something to tell."""
    lines = [json.loads(line) for line in told.texts["json"].splitlines()]
    attempts = [line for line in lines if line["event"] == "attempt"]

    assert {True, False} == {line["granted"] for line in attempts}
    assert {"door", "barrier"} == {line["access_point"] for line in attempts}
    assert told.names <= told.secrets
    assert len(told.names) >= 2


def test_no_line_says_how_sure_a_decision_was(told: Told) -> None:
    """Nothing but the milliseconds that it took is a number in a line of an attempt."""
    for line in map(json.loads, told.texts["json"].splitlines()):
        numbers = {k for k, v in line.items() if isinstance(v, int | float) and v is not True}
        assert numbers <= {"latency_ms", "granted", "opened"}
        assert line.keys() <= {
            "event", "at", "level", "access_point", "attempt", "granted", "reason", "why",
            "opened", "detail", "latency_ms", "who", "state", "sentence",
        }  # fmt: skip


def test_search_finds_what_is_planted(told: Told) -> None:
    """Each of them, in the midst of a line."""
    half = len(told.texts["json"]) // 2
    for secret in told.secrets:
        planted = f"{told.texts['json'][:half]}{secret.upper()}{told.texts['json'][half:]}"
        assert secret in _found(planted, told.secrets)


def _found(said: str, secrets: Iterable[str]) -> list[str]:
    """What of it is said, however it is written."""
    plain = re.sub(r"[\s-]", "", said).lower()
    return [one for one in secrets if re.sub(r"[\s-]", "", one).lower() in plain]
