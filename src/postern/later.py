"""What is loaded when it is first needed.

A site pays, in memory and in time to start, for the libraries of the kinds of devices that it has,
and a process that has to be small for those of its own.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(module: str, name: str) -> Callable[..., Any]:
    """What a module calls by that name, as if it were here; the module is loaded by the first call.

    Args:
        module: The module's full name.
        name: Something in it that can be called.
    """

    def called(*given: object) -> object:
        return getattr(import_module(module), name)(*given)

    return called
