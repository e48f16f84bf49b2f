"""Line numbers of TOML, on tricky texts and on texts made up together with their lines."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postern.app.toml_lines import Lines, locate
from postern.core.errors import PosternError

MANY = "[[a]]\nx = 1\n[[a]]\nx = 2\n[a.b]\ny = 3\n[[a.c]]\n[[a.c]]\nz = 1"


def line_of(text: str, *steps: str | int) -> int:
    """The line of what stands at the end of `steps`, which has to be there."""
    tomllib.loads(text)  # The text itself is sound.
    lines = locate(text)
    for step in steps:
        lines = lines.inside[step]
    return lines.line


@pytest.mark.parametrize(
    ("text", "steps", "line"),
    [
        ("a = 1\nb = 2\n", ("b",), 2),
        ("# [x]\n\n  \t\na = 1", ("a",), 4),
        ("a = '[b]' # b = 2\nb = 1", ("b",), 2),
        ('a = "x = 1 # \\" ["\nb = 1', ("b",), 2),
        ('a = """\n[b]\nb = 7 \\""" \n""""\nb = 1', ("b",), 5),
        ("a = '''\n''b = 7\\'''''\nb = 1", ("b",), 3),
        ('a = ""\nb = ""\nc = \'\'\nd = 1', ("d",), 4),
        ('a = """"""\nb = 1', ("b",), 2),
        ('a = """""x"""""\nb = 1', ("b",), 2),
        ("a = 2026-01-01 10:00:00 # [b]\nb = 1", ("b",), 2),
        ("a = [\n  1, # ]\n  [2,\n   3],\n]\nb = 1", ("a", 1, 1), 4),
        ("a = [\n  1, # ]\n  [2,\n   3],\n]\nb = 1", ("b",), 6),
        ("a = [ # one\n\n 'x',\n\n\n 'y' ]", ("a", 1), 6),
        ("a = { b = 1, c = { d = [\n 1,\n 2 ] } }\ne = 1", ("a", "c", "d", 1), 3),
        ("a = {}\nb = []\nc = 1", ("c",), 3),
        ("a.b.c = 1\na.b.d = 2", ("a", "b", "d"), 2),
        ("a.b.c = 1\na.b.d = 2", ("a", "b"), 1),
        ("a . \"b.c\" . 'd]' = 1", ("a", "b.c", "d]"), 1),
        ('"\\u0061\\t" = 1\n"" = 2', ("a\t",), 1),
        ('"\\u0061\\t" = 1\n"" = 2', ("",), 2),
        ("1.2 = 3", ("1", "2"), 1),
        ("[a]\nx = 1\n[ b . 'c.d' ] # [e]\ny = 1", ("b", "c.d", "y"), 4),
        ("[a.b]\nx = 1\n[a]\ny = 1", ("a",), 3),
        ("[a.b]\nx = 1\n[a]\ny = 1", ("a", "b"), 1),
        (MANY, ("a", 1, "b", "y"), 6),
        (MANY, ("a", 1, "c", 1, "z"), 9),
        ("[[a]]\nx = 1\n[[a]]\nx = 2", ("a", 0, "x"), 2),
        ("a = [{ x = 1 },\n { x = 2,  y.z = 3 }]", ("a", 1, "y", "z"), 2),
        ("[a]\n[b]", ("b",), 2),
        ("a = -inf\nb = +1_0.5e3\nc = 0x_".replace("0x_", "0xfF"), ("c",), 3),
    ],
)
def test_a_line_is_found(text, steps, line):
    """Strings, comments, lists and inline tables that look like something else mislead nobody."""
    assert line == line_of(text, *steps)


def test_an_inline_table_over_several_lines_is_followed():
    """TOML 1.1 allows it, and newer parsers with it."""
    lines = locate("a = {\n b = 1, # }\n c = 2,\n}\nd = 1")

    assert (3, 5) == (lines.inside["a"].inside["c"].line, lines.inside["d"].line)


def test_what_is_not_there_has_the_line_of_what_it_would_be_in():
    """A missing key is missing from its table."""
    assert 2 == locate("\n[a]\nx = 1").at("a").at("y").line


@pytest.mark.parametrize("text", ["a", "a = ", "[a", "a = [", "a = {b}", "= 1", 'a = "', "a = ]"])
def test_text_that_cannot_be_followed_is_refused(text):
    """Nothing but Postern's own error, whatever the text."""
    with pytest.raises(PosternError):
        locate(text)


# Texts made up line by line, with the lines of everything in them. A value is its text and what
# is inside it, by key or index: how many line ends come before it, and what is inside it in turn.

SCALARS = st.sampled_from(
    ["1", "true", "-1.5e3", "2026-01-01 10:00:00", "'[a] # b'", '"c = \\" #"', "''", '""""""']
    + ["'''\n[a]\nb = 1'''", '"""\n\n\\"""d"""', '"""\\\n  x""""']
)
KEYS = {"a": "a", "b-1": "b-1", "'c.d'": "c.d", '"[e]"': "[e]", '"\\u0066=#"': "f=#", "7": "7"}
GAPS = st.sampled_from(["", " ", "\n", " # ]\n  ", "\n\n", "# }\n"])


#: By key or index: the line, and likewise what is inside.
Inside = dict[str | int, tuple[int, Any]]


def _shifted(inside, by):
    return {step: (line + by, _shifted(inner, by)) for step, (line, inner) in inside.items()}


@st.composite
def lists(draw, values):
    text, inside = "[", {}
    for n, (value, inner) in enumerate(draw(st.lists(values, max_size=3))):
        text += draw(GAPS)
        line = text.count("\n")
        inside[n] = (line, _shifted(inner, line))
        text += value + draw(GAPS) + ","
    return text + draw(GAPS) + "]", inside


@st.composite
def inline_tables(draw, values):
    pairs = draw(st.dictionaries(st.sampled_from(list(KEYS)), values, max_size=3))
    text, inside = "{", {}
    for key, (value, inner) in pairs.items():
        line = text.count("\n")
        inside[KEYS[key]] = (line, _shifted(inner, line))
        text += f"{',' if len(inside) > 1 else ''} {key} = {value} "
    return text + "}", inside


VALUES: st.SearchStrategy[tuple[str, Inside]] = st.recursive(
    SCALARS.map(lambda text: (text, {})),
    lambda values: lists(values) | inline_tables(values),
    max_leaves=8,
)


@st.composite
def texts(draw):
    """A whole text with, by key, the line of everything in it."""
    text = ""
    inside: Inside = {}

    def pairs(into):
        nonlocal text
        chosen = draw(st.dictionaries(st.sampled_from(list(KEYS)), VALUES, max_size=3))
        for key, (value, inner) in chosen.items():
            text += draw(st.sampled_from(["", "\n", "# a = 1\n", "  "]))
            line = text.count("\n") + 1
            into[KEYS[key]] = (line, _shifted(inner, line))
            text += f"{key} = {value} # b\n"

    pairs(inside)
    for n in range(draw(st.integers(0, 3))):
        line = text.count("\n") + 1
        table: dict[str, object] = {}
        if draw(st.booleans()):
            text += f"[table.'{n}.x']\n"
            first = inside.get("table", (line, {}))
            inside["table"] = (first[0], {**first[1], f"{n}.x": (line, table)})
        else:
            text += "[[ many ]] # [table]\n"
            first = inside.get("many", (line, {}))
            inside["many"] = (first[0], {**first[1], len(first[1]): (line, table)})
        pairs(table)
    return text, inside


def _as_noted(lines: Lines):
    return {step: (inner.line, _as_noted(inner)) for step, inner in lines.inside.items()}


def _steps(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return {k: _steps(v) if isinstance(v, dict | list) else {} for k, v in pairs}


def _steps_noted(inside):
    return {step: _steps_noted(inner) for step, (_, inner) in inside.items()}


@settings(max_examples=200)
@given(texts())
def test_every_line_of_a_made_up_text_is_found(made):
    """Where the line of everything is known beforehand, it is found, and nothing else is."""
    text, inside = made

    assert inside == _as_noted(locate(text))
    assert _steps(tomllib.loads(text)) == _steps_noted(inside)
