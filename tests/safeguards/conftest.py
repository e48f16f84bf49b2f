"""The folder that the command line's tests have, and a crowd of strangers that several look at."""

import pytest

from tests.cli.conftest import folder
from tests.safeguards.crowd import Crowd, turn_away

__all__ = ["folder"]


@pytest.fixture(scope="package")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    """Five hundred strangers have come and gone."""
    return turn_away(tmp_path_factory.mktemp("crowd"))
