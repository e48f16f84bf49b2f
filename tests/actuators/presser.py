"""A service in a nutshell: opens the actuator of a site's file, pulses it once, and then waits.

Run as `python presser.py SITE HOLD_S`; it prints the report as a line of JSON.
"""

import json
import sys
import time
from pathlib import Path

from postern.actuators import KINDS
from postern.app.wire import read_site
from postern.core.ids import AccessPointId
from postern.core.ports import Command
from tests.clocks import MachineClock

site = read_site(Path(sys.argv[1]))
(entry,) = site.actuators.values()
actuator = KINDS[entry.kind].open(entry.config, MachineClock(), lambda _state, _why: None)
report = actuator.pulse(Command("c-1", AccessPointId("door"), float(sys.argv[2])))
print(json.dumps({"done": report.done, "detail": report.detail}), flush=True)  # noqa: T201
time.sleep(600)
