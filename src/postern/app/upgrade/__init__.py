"""Changing the version that serves a site, so that one of the two works at any moment.

1. The new version is installed beside the one that runs. What is then to be done is written down
   first (`Order`), and whoever reads it can go on: a start of
   the machine, or the service manager after a crash.
2. It is carried out by the version that last proved itself, never by the one that is tried.
3. The store is copied before the new version sees it, as a backup is: without keys, sealed by the
   site's key. What comes back is cleaned as every backup is, so that nobody who was erased, and no
   consent that was taken back meanwhile, returns with it.
4. A store that the former version can still read is left as it is: then nothing is lost by going
   back.
"""

from postern.app.upgrade import snapshot
from postern.app.upgrade.carry import Manager, carry_out
from postern.app.upgrade.order import Order, Outcome
from postern.app.upgrade.places import Places
from postern.app.upgrade.release import opened_release, version_of
from postern.app.upgrade.systemd import Systemd

__all__ = [
    "Manager",
    "Order",
    "Outcome",
    "Places",
    "Systemd",
    "carry_out",
    "opened_release",
    "snapshot",
    "version_of",
]
