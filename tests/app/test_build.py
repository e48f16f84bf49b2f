"""Dataclasses from TOML tables: every type of field, and every way to get one wrong."""

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pytest

from postern.app.build import build
from postern.app.place import Place
from postern.app.problem import Problem
from postern.app.toml_lines import locate
from postern.core.errors import invalid


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Device:
    """One field of each type."""

    where: Path
    port: int = 80
    wait_s: float = 1.0
    tls: bool = True
    name: str = "device"
    colour: Colour = Colour.RED
    address: str | int = 0
    limit: float | None = None
    tags: tuple[str, ...] = ()
    token_file: Path | None = None

    def __post_init__(self) -> None:
        if self.where.name == "nowhere":
            raise invalid("It is nowhere.")
        if not 1 <= self.port <= 65535:
            raise invalid("A port lies between 1 and 65535.", "80 is usual.")
        if not self.wait_s > 0.0:
            raise invalid("A wait is positive.")
        if self.port == 443 and not self.tls:
            raise invalid("Port 443 is for TLS.")
        if any(not tag.strip() for tag in self.tags):
            raise invalid("A tag is not empty.")


FOLDER = Path("/site")


def built(text: str, folder: Path = FOLDER) -> tuple[Device | None, list[Problem]]:
    """What a text makes, and what is noted; `where` stands in its first line."""
    whole = f"where = 'x'\n{text}" if "where" not in text else text
    place = Place(tomllib.loads(whole), locate(whole))
    return build(Device, place, folder), place.problems


def sole_problem(text: str, folder: Path = FOLDER) -> Problem:
    device, problems = built(text, folder)
    assert device is None
    assert 1 == len(problems)
    return problems[0]


def test_a_table_makes_the_dataclass_with_its_defaults():
    """What the table leaves out is as the dataclass has it."""
    assert (Device(FOLDER / "x"), []) == built("")


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("where = 'a/b'", "where", FOLDER / "a/b"),
        ("where = '/a/b'", "where", Path("/a/b")),
        ("where = '~/b'", "where", Path.home() / "b"),
        ("port = 8_080", "port", 8080),
        ("wait_s = 2", "wait_s", 2.0),
        ("wait_s = 0.5", "wait_s", 0.5),
        ("tls = false", "tls", False),
        ("name = ''", "name", ""),
        ("colour = 'green'", "colour", Colour.GREEN),
        ("address = 'com1'", "address", "com1"),
        ("address = 7", "address", 7),
        ("limit = 1e3", "limit", 1000.0),
        ("tags = ['a', 'b']", "tags", ("a", "b")),
    ],
)
def test_a_value_becomes_what_its_field_is(text, field, value):
    """Whole numbers may stand for fractions, paths are relative to the file."""
    device, problems = built(text)

    assert (value, type(value)) == (getattr(device, field), type(getattr(device, field)))
    assert [] == problems


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("port = '80'", "a whole number. Write it without quotes."),
        ("port = 80.0", "a whole number."),
        ("port = true", "a whole number."),
        ("port = [80]", "a whole number. Write it without brackets."),
        ("port = 1979-05-27", "a whole number."),
        ("wait_s = true", "a number."),
        ("wait_s = nan", "a finite number that fits into 64 bits."),
        ("wait_s = inf", "a finite number that fits into 64 bits."),
        ("port = 9223372036854775808", "a finite number that fits into 64 bits."),
        (f"wait_s = 1{'0' * 400}", "a finite number that fits into 64 bits."),
        ("tls = 'true'", "true or false. Write it without quotes."),
        ("tls = 1", "true or false."),
        ("name = 1", "a text in quotes."),
        ("colour = 'gren'", '"red" or "green", not \'gren\'. Did you mean green?'),
        ("colour = 1", '"red" or "green".'),
        ("address = 1.5", "a text in quotes or a whole number."),
        ("address = false", "a text in quotes or a whole number."),
        ("limit = 'none'", "a number. Write it without quotes."),
        ("tags = 'a'", "brackets, each item a text in quotes. Write it in brackets, such as"),
        ("name = { a = 1 }", "a text in quotes."),
    ],
)
def test_a_value_of_another_type_is_refused_and_the_right_one_named(text, allowed):
    """Nothing is converted silently: neither quoted numbers nor ones for true."""
    problem = sole_problem(text)

    assert (2, text.split(" ")[0]) == (problem.line, problem.path)
    assert f"{problem.path} must be " in problem.message
    assert allowed in str(problem)


def test_each_item_of_a_list_is_refused_where_it_stands():
    """A list over several lines has many of them."""
    _, problems = built("tags = [\n 'a',\n 2,\n true ]")

    assert [(4, "tags[1]"), (5, "tags[2]")] == [(p.line, p.path) for p in problems]


@pytest.mark.parametrize("path", ['""', '"a\\u0000b"', '"~nobody-of-that-name/x"'])
def test_a_text_that_is_no_path_is_refused(path):
    """It would fail where nobody expects it."""
    _, problems = built(f"where = {path}")

    assert [(1, "where")] == [(p.line, p.path) for p in problems]


def test_an_unknown_key_is_refused_with_the_nearest_known_one():
    """A misspelt setting never passes for its default."""
    problem = sole_problem("Wait-S = 3")

    assert (2, "Wait-S") == (problem.line, problem.path)
    assert "Wait-S is not a known key. Did you mean wait_s?" in str(problem)


def test_an_unknown_key_like_none_is_refused_with_all_known_ones():
    """There is nothing to guess, so everything is told."""
    assert "Known: where, port, wait_s," in sole_problem("zzz = 3").hint


def test_a_missing_key_is_told_with_what_it_is():
    """At the line of its table."""
    text = "# a table\n\n[table]\nport = 1"
    place = Place(tomllib.loads(text), locate(text)).at("table")

    assert build(Device, place, FOLDER) is None
    assert [
        Problem(3, "table", "table lacks the key 'where'.", "It is a path in quotes.")
    ] == place.problems


def test_a_refusal_of_the_dataclass_is_told_at_each_key_to_blame():
    """Also where several are wrong at once, and other keys are."""
    device, problems = built("wait_s = -1\nname = 'x'\nport = 0\ntls = 3")

    assert device is None
    assert [(2, "wait_s"), (4, "port"), (5, "tls")] == sorted((p.line, p.path) for p in problems)
    said = "line 4: port is refused: A port lies between 1 and 65535. 80 is usual."
    assert said in map(str, problems)


def test_a_refusal_of_the_only_required_key_is_told_there():
    """There is nothing else that it could be about."""
    problem = sole_problem("port = 80\nwhere = 'nowhere'")

    assert (2, "where is refused: It is nowhere.") == (problem.line, problem.message)


def test_a_refusal_of_several_keys_together_is_told_at_their_table():
    """Neither of the two is wrong by itself."""
    text = "\n[table]\nwhere = 'x'\nport = 443\ntls = false"
    place = Place(tomllib.loads(text), locate(text)).at("table")

    assert build(Device, place, FOLDER) is None
    assert [(2, "table is refused: Port 443 is for TLS.")] == [
        (p.line, p.message) for p in place.problems
    ]


@pytest.mark.parametrize("value", ["1", "'x'", "[1]", "true"])
def test_what_is_no_table_is_refused(value):
    """A table's name may be taken for a key."""
    text = f"table = {value}"
    place = Place(tomllib.loads(text), locate(text)).at("table")

    assert build(Device, place, FOLDER) is None
    assert ["Begin it with the line [table]."] == [p.hint for p in place.problems]


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_file_of_its_user_alone_is_taken(tmp_path, mode):
    """Its path is handed on; its content is read by whoever needs it."""
    secret = tmp_path / "token"
    secret.write_text("s")
    secret.chmod(mode)

    device, problems = built("token_file = 'token'", tmp_path)

    assert [] == problems
    assert device is not None
    assert secret == device.token_file


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o700, 0o610, 0o777])
def test_a_secret_file_that_others_may_use_is_refused(tmp_path, mode):
    """Whatever is wider than 0600, with the command that closes it."""
    secret = tmp_path / "token"
    secret.write_text("s")
    secret.chmod(mode)

    problem = sole_problem("token_file = 'token'", tmp_path)

    assert f"others may use (mode {mode:04o})" in problem.message
    assert f"Run: chmod 600 {secret}" == problem.hint


@pytest.mark.parametrize("name", ["absent", ".", "token/x"])
def test_a_secret_file_that_is_none_is_refused(tmp_path, name):
    """Before anything starts, rather than when the secret is needed."""
    (tmp_path / "token").write_text("s")

    assert "token_file" == sole_problem(f"token_file = '{name}'", tmp_path).path


def test_a_type_that_toml_has_no_value_for_is_a_mistake_of_the_programmer():
    """It is found by the first test of the kind, not by an operator."""

    @dataclass(frozen=True)
    class Odd:
        what: complex

    place = Place({"what": "1"}, locate("what = '1'"))
    with pytest.raises(TypeError, match="complex"):
        build(Odd, place, FOLDER)
