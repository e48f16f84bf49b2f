"""A relay by Shelly: a program that speaks its RPC."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.actuators import KINDS
from postern.actuators.shelly.config import Config
from tests.actuators.bench import Bench, Notes, program, secret, spoil, until
from tests.clocks import MachineClock

CHANNEL = 1
PASSWORD = "correct horse"  # noqa: S105 - a test's


@contextmanager
def shelly(fault: str, folder: Path) -> Iterator[Bench]:
    """The kind, made by its row of KINDS; its device asks for the password."""
    file = secret(folder / "password", PASSWORD)
    with program("plug.py", folder) as process:
        assert until((folder / "port").exists)
        address = f"127.0.0.1:{(folder / 'port').read_text('utf-8')}"
        told: list[tuple[str, str]] = []
        config = Config(address, CHANNEL, file)
        actuator = KINDS["shelly"].open(config, MachineClock(), lambda *news: told.append(news))
        assert until(lambda: bool(told)), "the device is not asked"
        spoil(folder, fault)
        notes = Notes(folder / "relay")
        settings = (
            f'kind = "shelly"\naddress = "{address}"\nchannel = {CHANNEL}\npassword_file = "{file}"'
        )

        def kill() -> None:
            process.kill()
            process.wait()

        yield Bench(
            actuator, notes.driven, notes.is_open, time.sleep, told, settings, kill,
            lambda how: spoil(folder, how),
        )  # fmt: skip
        actuator.close()
