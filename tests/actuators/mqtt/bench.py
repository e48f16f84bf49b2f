"""A relay behind a real broker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.actuators import KINDS
from postern.actuators.mqtt.config import Config
from tests.actuators.bench import Bench, until
from tests.actuators.mqtt.relay import COMMANDS, STATES, relay
from tests.brokers import mosquitto
from tests.clocks import MachineClock


@contextmanager
def mqtt(fault: str, _folder: Path) -> Iterator[Bench]:
    """A relay that the broker cannot reach, or that switches and does not say so."""
    told: list[tuple[str, str]] = []
    says = fault != "failed_after_effect"
    with mosquitto() as broker, relay(broker.port, says=says) as gate:
        config = Config(
            address=f"127.0.0.1:{broker.port}", topic=COMMANDS, off="OFF", state_topic=STATES
        )
        actuator = KINDS["mqtt"].open(config, MachineClock(), lambda *news: told.append(news))
        assert until(lambda: bool(told))
        if fault == "failed":
            gate.close()
        settings = (
            f'kind = "mqtt"\naddress = "127.0.0.1:{broker.port}"\ntopic = "{COMMANDS}"\n'
            f'off = "OFF"\nstate_topic = "{STATES}"'
        )
        try:
            yield Bench(
                actuator, lambda: gate.driven, lambda: gate.is_on, time.sleep, told, settings,
                gate.close, lambda how: setattr(gate, "fault", how),
            )  # fmt: skip
        finally:
            actuator.close()
