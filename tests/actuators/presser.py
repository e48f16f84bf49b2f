"""A service in a nutshell: opens the actuator of a site's file, pulses it once, and then waits.

Run as `python presser.py SITE HOLD_S`; it prints the report as a line of JSON. A panel asks for a
reader that was away every few seconds only: what fails is tried again for ten.
"""

import json
import sys
import time
from itertools import count
from pathlib import Path

from postern.actuators import KINDS
from postern.app.wire import read_site
from postern.core.ids import AccessPointId
from postern.core.ports import Command
from tests.clocks import MachineClock

site = read_site(Path(sys.argv[1]))
(entry,) = site.actuators.values()
actuator = KINDS[entry.kind].open(entry.config, MachineClock(), lambda _state, _why: None)
until_s = time.monotonic() + 10.0
for number in count():
    command = Command(f"c-{number}", AccessPointId("door"), float(sys.argv[2]))
    report = actuator.pulse(command)
    if report.done or time.monotonic() > until_s:
        break
print(json.dumps({"done": report.done, "detail": report.detail}), flush=True)  # noqa: T201
time.sleep(600)
