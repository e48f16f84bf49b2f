"""A site with people in it, enrolled as the program does it but for the camera."""

from pathlib import Path

import numpy as np

from postern.app.enrolment import Admission, Applicant
from postern.app.wire import enrolments, open_site, read_site
from postern.core.consent import StorageMode
from postern.core.ids import AccessPointId, PersonId
from postern.core.person import Person
from postern.frame import Template

WHY = "Six people live here, and no one else."
ROSTER = f'\n[roster]\njustification = "{WHY}"\n\n[faces]\nstorage = "roster"\n'


def enrol(
    folder: Path,
    name: str = "Zoe",
    mode: StorageMode = StorageMode.ROSTER,
    model: str = "ab" * 32,
) -> Admission:
    """Takes somebody in at the door of that folder's site."""
    person = Person(PersonId(f"p-{name.lower()}"), name)
    seed = sum(name.encode())
    looks = np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    with open_site(read_site(folder / "site.toml")) as installation:
        applicant = Applicant(person, mode, frozenset({AccessPointId("door")}))
        now = installation.clock.now().utc
        return enrolments(installation).keep(applicant, Template(looks, model, 3), now)
