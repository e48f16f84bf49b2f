"""The folder that the command line's tests have."""

from tests.cli.conftest import folder

__all__ = ["folder"]
