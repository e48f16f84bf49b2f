"""A webhook and its receiver."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.actuators import KINDS
from postern.actuators.webhook.config import Config
from tests.actuators.bench import Bench, Notes, program, secret, spoil, until
from tests.clocks import MachineClock

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the message that everybody tries


@contextmanager
def webhook(fault: str, folder: Path) -> Iterator[Bench]:
    """The kind, made by its row of KINDS."""
    file = secret(folder / "secret", SECRET)
    with program("receiver.py", folder) as process:
        assert until((folder / "port").exists)
        url = f"http://127.0.0.1:{(folder / 'port').read_text('utf-8')}/gates/1?side=in"
        told: list[tuple[str, str]] = []
        config = Config(url, file)
        actuator = KINDS["webhook"].open(config, MachineClock(), lambda *news: told.append(news))
        spoil(folder, fault)
        notes = Notes(folder / "relay")
        settings = f'kind = "webhook"\nurl = "{url}"\nsecret_file = "{file}"'

        def kill() -> None:
            process.kill()
            process.wait()

        yield Bench(
            actuator, notes.driven, notes.is_open, time.sleep, told, settings, kill,
            lambda how: spoil(folder, how), can_be_closed=False,
        )  # fmt: skip
        actuator.close()
