"""Doors behind OSDP, with libosdp's own other side at the end of the line."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postern.actuators import KINDS
from postern.actuators.osdp.config import Config, Role
from tests.actuators.bench import Bench, until
from tests.actuators.osdp.lines import ADDRESS, Door, key_file, wire
from tests.clocks import MachineClock

#: The card 12-3456 in 26 bits, as a panel reads it.
CARD = "0606c040"


@contextmanager
def osdp(fault: str, folder: Path) -> Iterator[Bench]:
    """A panel's device, which refuses, or moves and is not heard of again."""
    ways = {"": (), "failed": ("refuse",), "failed_after_effect": ("mute",)}
    with _bench(Role.PANEL, folder, "device", *ways.get(fault, ())) as bench:
        yield bench


@contextmanager
def osdp_reader(fault: str, folder: Path) -> Iterator[Bench]:
    """A reader's panel, which asks for no card, or opens and is not heard of again."""
    mute = "+mute" if fault == "failed_after_effect" else ""
    with _bench(Role.READER, folder, "panel", CARD + mute, stopped=fault == "failed") as bench:
        yield bench


@contextmanager
def _bench(
    role: Role, folder: Path, side: str, *arguments: str, stopped: bool = False
) -> Iterator[Bench]:
    told: list[tuple[str, str]] = []
    with wire() as line:
        peer = line.attach(side, *arguments)
        card = (12, 3456) if role is Role.READER else (None, None)
        key = key_file(folder)
        config = Config(role, line.port, key, 9600, ADDRESS, 0, *card)
        actuator = KINDS["osdp"].open(config, MachineClock(), lambda *news: told.append(news))
        assert until(lambda: bool(told))
        if stopped:
            peer.send_signal(signal.SIGSTOP)
        settings = [
            'kind = "osdp"', f'role = "{role}"', f'port = "{line.port}"', f'key_file = "{key}"',
            f"pd_address = {ADDRESS}",
        ]  # fmt: skip
        if role is Role.READER:
            settings += ["facility = 12", "card = 3456"]

        def kill() -> None:
            peer.kill()
            peer.wait()

        def spoil(how: str) -> None:
            # However it answers, it does so too late, or what comes is noise.
            peer.send_signal(signal.SIGSTOP if how else signal.SIGCONT)
            if how == "garbage":
                line.make_noise()
            elif not how:
                line.drop_what_was_sent()

        def seen() -> Door:
            # What the peer says it moves comes through a pipe and a thread, beside its answer.
            time.sleep(0.1)
            return line.door

        try:
            yield Bench(
                actuator, lambda: seen().driven, lambda: seen().is_open, time.sleep, told,
                "\n".join(settings), kill, spoil, can_be_closed=role is Role.PANEL,
            )  # fmt: skip
        finally:
            actuator.close()
