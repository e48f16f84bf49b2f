"""Who wants a consent to end, as an option; that it runs out is nobody's choice."""

from enum import StrEnum
from typing import Annotated

import typer

from postern.core.event import By


class Asker(StrEnum):
    """Who can want it."""

    PERSON = By.PERSON.value
    OPERATOR = By.OPERATOR.value


WhoWants = Annotated[Asker, typer.Option("--by", help="Who wants it.")]
