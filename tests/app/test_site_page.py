"""The page about `site.toml` says what the code does."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from postern.actuators import KINDS as ACTUATORS
from postern.app import hours
from postern.app.config import DATA_VARIABLE, MODELS_VARIABLE, SITE_VARIABLE, load
from postern.app.roster import CAP
from postern.app.sections import SECTIONS
from postern.app.site import (
    MAX_JUSTIFICATION,
    MIN_JUSTIFICATION,
    ConsentTerms,
    ConsolePage,
    Faces,
    Log,
    Plates,
    Roster,
)
from postern.app.tables import AccessPointTable, AreaTable, MqttTable, SiteTable, WitnessTable
from postern.core.schedule import DAYS
from postern.core.signal import Means
from postern.sources import KINDS as SOURCES
from postern.sources.inputs import KINDS as INPUTS

PAGE = (Path(__file__).resolve().parents[2] / "docs/site.md").read_text()
SNIPPETS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
TABLES = {
    "`[site]`": SiteTable,
    "`[access_point.NAME]`": AccessPointTable,
    "`[area.NAME]`": AreaTable,
    "`[consent]`": ConsentTerms,
    "`[roster]`": Roster,
    "`[witness.NAME]`": WitnessTable,
    "`[mqtt]`": MqttTable,
    "`[console]`": ConsolePage,
}


def section(title: str) -> str:
    """The text below a title."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_smallest_file_of_the_page_is_sound(tmp_path):
    """It is the first thing that a newcomer copies."""
    file = tmp_path / "site.toml"
    file.write_text(SNIPPETS[0])

    assert len(SNIPPETS[0].splitlines()) < 15
    assert ["barrier"] == list(load(file, SOURCES, ACTUATORS, {}).access_points)


@pytest.mark.parametrize("snippet", SNIPPETS[1:])
def test_every_snippet_of_the_page_is_sound_in_a_file(tmp_path, snippet):
    """Added to the smallest file."""
    file = tmp_path / "site.toml"
    zone = SNIPPETS[0].replace("[camera", 'time_zone = "Europe/Bucharest"\n[camera', 1)
    file.write_text(f"{zone}\n{snippet}")
    for name in re.findall(r'^\w+_file = "(.+)"$', snippet, re.M):
        (tmp_path / name).touch(0o600)

    site = load(file, SOURCES, ACTUATORS, {}, input_kinds=INPUTS)
    assert set(tomllib.loads(snippet).get("schedule", ())) == set(site.schedules)


@pytest.mark.parametrize(("title", "table"), TABLES.items())
def test_the_page_names_every_setting_and_no_other(title, table):
    """A row for each field, in the order of the code."""
    assert [f.name for f in fields(table)] == re.findall(r"^\| `(\w+)` \|", section(title), re.M)


def test_the_page_names_every_default_that_is_a_number():
    """The ones that a reader would have to look up in the code."""
    assert f"`retention_days` | `{SiteTable('x').retention_days}` |" in PAGE
    assert f"`valid_days` | `{ConsentTerms().valid_days}` |" in PAGE
    assert f"holds at most {CAP} people" in PAGE.replace("\n", " ")
    assert f"{MIN_JUSTIFICATION} to {MAX_JUSTIFICATION} characters" in PAGE
    assert f"`hold_s` | `{AccessPointTable(('a',), 'b').hold_s}` |" in PAGE


def test_the_page_names_every_section_kind_and_variable():
    """Nothing can be set that it does not mention."""
    variables = (DATA_VARIABLE, MODELS_VARIABLE, SITE_VARIABLE)
    for name in (*SECTIONS, *SOURCES, *ACTUATORS, *INPUTS, *Means, *variables):
        assert name in PAGE
    for config in (Faces, Plates, Log):
        for field in fields(config):
            assert f"`[{config.__name__.lower()}] {field.name}`" in PAGE
    written = section("`[schedule.NAME]`")
    assert all(f"`{key}`" in written for key in hours.KEYS if key not in DAYS[1:6])
