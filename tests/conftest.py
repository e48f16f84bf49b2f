"""What holds for every test."""

from hypothesis import HealthCheck, settings

# A machine that is busy is no fault of the code: timings are never asserted.
settings.register_profile("postern", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("postern")
