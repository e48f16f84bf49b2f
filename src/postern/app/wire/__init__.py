"""The composition root: the only package that names implementations."""

from postern.app.wire.aiming import Aiming, open_aiming, open_veil
from postern.app.wire.console import Console, build_console
from postern.app.wire.examination import (
    look_at_actuator,
    look_at_keys,
    look_at_models,
    store_finding,
    try_camera,
)
from postern.app.wire.installation import (
    Installation,
    face_detector,
    has_store,
    open_keys,
    open_models,
    open_site,
    open_source,
    read_site,
    try_recording,
)
from postern.app.wire.nouns import nouns, people, permits, vehicles, witness_keys
from postern.app.wire.parts import (
    build_enrolment,
    build_register,
    check_models,
    least_bounds,
    read_pass,
)
from postern.app.wire.people import (
    enrolments,
    exports,
    passes,
    references,
    sign_receipt,
    tidy,
    withdrawals,
)
from postern.app.wire.reception import Office, Reception, desk, office, reception
from postern.app.wire.service import (
    build_service,
    clock_trust,
    open_service,
    prove_event,
    pulse_timers,
)
from postern.app.wire.way_out import open_way_out

__all__ = [
    "Aiming",
    "Console",
    "Installation",
    "Office",
    "Reception",
    "build_console",
    "build_enrolment",
    "build_register",
    "build_service",
    "check_models",
    "clock_trust",
    "desk",
    "enrolments",
    "exports",
    "face_detector",
    "has_store",
    "least_bounds",
    "look_at_actuator",
    "look_at_keys",
    "look_at_models",
    "office",
    "nouns",
    "open_aiming",
    "open_keys",
    "open_models",
    "open_service",
    "open_site",
    "open_source",
    "open_veil",
    "open_way_out",
    "passes",
    "people",
    "permits",
    "prove_event",
    "pulse_timers",
    "read_pass",
    "read_site",
    "reception",
    "references",
    "sign_receipt",
    "store_finding",
    "tidy",
    "try_camera",
    "try_recording",
    "vehicles",
    "withdrawals",
    "witness_keys",
]
