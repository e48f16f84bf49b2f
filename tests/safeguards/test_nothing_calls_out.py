"""Safeguard: what Postern loads reports to nobody.

ONNX Runtime's wheels send telemetry to their maker from native code, where no audit hook of Python
sees it. Before the first upload they keep an id of the session in the folder for temporary files,
by which this test tells whether they are about to.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: A session on the smallest of models, as `postern.vision.model` opens it.
OPEN = """
import onnx, onnx.helper as h
value = lambda name: h.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1])
graph = h.make_graph([h.make_node("Identity", ["x"], ["y"])], "g", [value("x")], [value("y")])
model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
"""
BY_POSTERN = f"""
from postern.vision.model import open_session
{OPEN}
open_session(model.SerializeToString(), "m")
"""
#: What a runtime does that is about to report. It is not let try: it would reach out.
PLANTED = "import os; open(os.path.join(os.environ['TMPDIR'], '.ses'), 'w').close()"
#: Where this test's own network ends, so that the runtime that would report reaches nobody.
_NOWHERE = dict.fromkeys(("https_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")


def test_runtime_keeps_no_id_to_report_with(tmp_path: Path) -> None:
    """A session leaves nothing in the folder for temporary files."""
    assert [] == _left_by(BY_POSTERN, tmp_path)


def test_an_id_to_report_with_would_be_found(tmp_path: Path) -> None:
    """What the other test looks for is seen where it is."""
    assert [".ses"] == _left_by(PLANTED, tmp_path)


def _left_by(program: str, folder: Path) -> list[str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY", "CI")}
    environment = {**kept, **_NOWHERE, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)
    return sorted(os.listdir(folder))
