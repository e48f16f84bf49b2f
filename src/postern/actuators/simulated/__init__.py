"""An actuator without a device, for trials, the demo and tests."""
