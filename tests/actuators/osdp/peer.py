"""The other side of OSDP, in a process of its own: libosdp's own classes on a terminal's other end.

As a device it has relays that it times itself; as a panel it opens its door for two seconds when
its reader sends the one card that it knows. Whatever moves is told as a line on standard output:
`drive OUTPUT SECONDS`, `off OUTPUT`. `ready` is told when it has begun.

    peer.py device DESCRIPTOR ADDRESS KEY [refuse|mute]
    peer.py panel DESCRIPTOR ADDRESS KEY [keyset|CARD|CARD+mute]
"""

import os
import sys
import time
from threading import Thread

from osdp import (
    Capability,
    Channel,
    Command,
    ControlPanel,
    Event,
    LibFlag,
    LogLevel,
    PDCapabilities,
    PDInfo,
    PeripheralDevice,
)

STRIKE_S = 2.0


class Terminal(Channel):  # type: ignore[misc]
    """One end of a pseudo-terminal."""

    def __init__(self, descriptor):
        super().__init__()
        self.descriptor = descriptor
        self.mute = False
        os.set_blocking(descriptor, False)

    def read(self, max_bytes):
        try:
            return os.read(self.descriptor, max_bytes)
        except OSError:
            return b""

    def write(self, buf):
        return len(buf) if self.mute else os.write(self.descriptor, buf)

    def flush(self):
        pass


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def device(channel, info, fault):
    def obey(command):
        if command["command"] != Command.Output or fault == "refuse":
            return -1, None
        if command["control_code"] == 1:
            say("off", command["output_no"])
            return 0, None
        if command["control_code"] != 5:
            return -1, None
        say("drive", command["output_no"], command["timer_count"] / 10)
        channel.mute = fault == "mute"
        return 0, None

    able = PDCapabilities(
        [(Capability.OutputControl, 1, 4), (Capability.CommunicationSecurity, 1, 0)]
    )
    PeripheralDevice(info, able, LogLevel.Emergency, obey).start()


def panel(channel, info, card):
    def take(_device, event):
        if event["event"] == Event.CardRead:
            say("card", event["length"], event["data"].hex())
            if event["data"].hex() == card.removesuffix("+mute"):
                say("drive", 0, STRIKE_S)
                # A panel that dies as it opens: nothing more comes from it.
                channel.mute = card.endswith("+mute")
        return 0

    made = ControlPanel([info], LogLevel.Emergency, take)
    if card == "keyset":
        made.set_command_completion_handler(lambda _a, _c, status: say("keyset", status))
    made.start()
    Thread(target=ask_again, args=(made, info.address)).start()
    if card == "keyset":
        Thread(target=hand_out_a_key, args=(made, info.address)).start()


def ask_again(made, address):
    """libosdp waits five minutes for a reader that was away; panels ask every few seconds."""
    while True:
        time.sleep(2.0)
        if not made.is_online(address):
            made.disable_pd(address)
            time.sleep(0.1)
            made.enable_pd(address)


def hand_out_a_key(made, address):
    while not made.is_sc_active(address):
        time.sleep(0.05)
    made.submit_command(address, {"command": Command.Keyset, "type": 1, "data": bytes(range(16))})


def main():
    side, descriptor, address, key, *rest = sys.argv[1:]
    channel = Terminal(int(descriptor))
    info = PDInfo(int(address), channel, bytes.fromhex(key), flags=[LibFlag.EnforceSecure])
    {"device": device, "panel": panel}[side](channel, info, rest[0] if rest else "")
    say("ready")
    while os.getppid() != 1:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    main()
