"""Postern: secure access for the people and vehicles that asked to be recognised."""

import os

# Since 1.29, ONNX Runtime's Linux wheels report to their maker over the network unless this is set
# before they are loaded (Privacy.md in the wheel). Nothing of Postern calls out by itself.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # noqa: TID251 - set, not read
