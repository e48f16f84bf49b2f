"""What is handed to a call by the name of its parameter."""

from typing import Annotated, Any, TypeVar

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidationMarker

T = TypeVar("T")
#: As it is: what implements a port is not looked into.
Given = NamedDependency[Annotated[T, SkipValidationMarker()]]
Asked = Request[Any, Any, Any]


def as_it_is(port: object) -> Provide:
    """Hands the same port to every call that names it."""
    return Provide(lambda: port, sync_to_thread=False)
