"""What went wrong, as a caller reads it."""

from collections.abc import Iterator

import httpx
import pytest
from litestar import Litestar, get, post
from litestar.params import FromPath, JSONBody

from postern.core.errors import Code, PosternError, invalid
from postern.web.problem import PROBLEM_TYPE, STATUS, FieldsError, field, refused
from tests.web.serving import serving


@get("/fails/{code:str}")
async def fails(code: FromPath[str]) -> None:
    raise PosternError(Code(code), "It cannot be done.", "Do something else.")


@get("/fields")
async def fields() -> None:
    with field("plate"):
        raise invalid("A plate has 2 to 12 characters.", "Write it as on the car.")


@get("/bug")
async def bug() -> None:
    raise KeyError("secret")


@post("/number")
async def number(data: JSONBody[dict[str, int]]) -> int:
    return sum(data.values())


APP = [fails, fields, bug, number]


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    app = Litestar(APP, exception_handlers={Exception: refused}, openapi_config=None, debug=False)
    with serving(app) as address, httpx.Client(base_url=address) as asking:
        yield asking


@pytest.mark.parametrize("code", Code)
def test_each_code_has_its_status_and_says_what_to_do(code: Code, client: httpx.Client) -> None:
    """In the one form that problems have."""
    answer = client.get(f"/fails/{code}")

    assert STATUS[code] == answer.status_code
    assert PROBLEM_TYPE == answer.headers["content-type"]
    assert "no-store" == answer.headers["cache-control"]
    assert (code is Code.UNAVAILABLE) is ("retry-after" in answer.headers)
    told = answer.json()
    assert "It cannot be done." == told["detail"]
    assert "Do something else." == told["hint"]
    assert f"urn:postern:problem:{code.value.replace('_', '-')}" == told["type"]
    assert answer.status_code == told["status"]


def test_fault_of_a_field_names_it(client: httpx.Client) -> None:
    """What is wrong, and what is allowed."""
    answer = client.get("/fields")

    assert 422 == answer.status_code
    assert [
        {
            "field": "plate",
            "message": "A plate has 2 to 12 characters.",
            "allowed": "Write it as on the car.",
        }
    ] == answer.json()["errors"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"a": "b"}', 422), (b'{"a": ', 400), (b"[]", 422), (b"", 422)],
)
def test_body_that_cannot_be_read_is_a_problem(
    body: bytes, status: int, client: httpx.Client
) -> None:
    """Never a fault of ours."""
    answer = client.post("/number", content=body, headers={"Content-Type": "application/json"})

    assert (status, PROBLEM_TYPE) == (answer.status_code, answer.headers["content-type"])


def test_fault_of_ours_tells_nothing_of_itself(client: httpx.Client) -> None:
    """But what kind it is."""
    answer = client.get("/bug")

    assert 500 == answer.status_code
    assert "secret" not in answer.text
    assert "An internal fault (KeyError)." == answer.json()["detail"]


def test_other_failures_are_problems_too(client: httpx.Client) -> None:
    """An address that is none, and a method that it does not have."""
    for answer, status in ((client.get("/none"), 404), (client.put("/fields"), 405)):
        assert (status, PROBLEM_TYPE) == (answer.status_code, answer.headers["content-type"])


@pytest.mark.parametrize("code", set(Code) - {Code.INVALID, Code.NOT_FOUND})
def test_only_what_a_caller_can_mend_is_the_fault_of_a_field(code: Code) -> None:
    """A store that is busy is nobody's field."""
    with pytest.raises(PosternError) as caught, field("name"):
        raise PosternError(code, "It cannot be done.")
    assert not isinstance(caught.value, FieldsError)
