"""Every adapter says how far it has come, against a fixed list of rules."""

import tomllib
from importlib import resources

import pytest

from postern import actuators, sources
from postern.sources import inputs

#: What each rule asks is written in docs/integrate/adapters.md.
RULES = {
    "actuators": (
        "opens_once",
        "closes_by_itself",
        "reports_failure",
        "reports_failure_after_effect",
        "bounded",
        "documented",
        "tested_on_hardware",
    ),
    "sources/inputs": (
        "present_state_first",
        "stops_in_time",
        "reconnects",
        "bad_input",
        "bounded",
        "documented",
        "tested_on_hardware",
    ),
    "sources": (
        "both_times",
        "stops_in_time",
        "reconnects",
        "bad_input",
        "bounded",
        "documented",
        "tested_on_hardware",
    ),
}
ADAPTERS = [
    *(("sources", kind) for kind in sources.KINDS),
    *(("sources/inputs", kind) for kind in inputs.KINDS),
    *(("actuators", kind) for kind in actuators.KINDS),
]


@pytest.mark.parametrize(("floor", "kind"), ADAPTERS)
def test_adapter_answers_every_rule(floor: str, kind: str) -> None:
    """Each rule is done, or is to do or exempt with the reason; and there are no others."""
    file = resources.files("postern").joinpath(floor, kind, "quality.toml")
    answers = tomllib.loads(file.read_text("utf-8"))

    assert set(RULES[floor]) == set(answers)
    for rule, answer in answers.items():
        assert answer["status"] in ("done", "todo", "exempt"), rule
        if answer["status"] != "done":
            assert answer["comment"], rule


@pytest.mark.parametrize(("floor", "kind"), ADAPTERS)
def test_adapter_is_documented(floor: str, kind: str, pytestconfig: pytest.Config) -> None:
    """The page about adapters has a section for each kind, and explains each rule."""
    page = (pytestconfig.rootpath / "docs" / "integrate" / "adapters.md").read_text("utf-8")

    assert f"### `{kind}`" in page
    for rule in RULES[floor]:
        assert f"`{rule}`" in page
