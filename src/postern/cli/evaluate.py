"""`postern evaluate`: what the installed models and tables do on pictures of your own."""

from datetime import UTC
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from postern.app.clock import SystemClock
from postern.app.wire import open_models
from postern.bench.face_evaluation import Setting
from postern.bench.face_evaluation import evaluate as measure
from postern.bench.face_folder import read_people
from postern.bench.face_procedure import DoorProcedure
from postern.bench.face_report import page
from postern.cli.terminal import ERR, progress
from postern.core.errors import invalid
from postern.vision.faces.load import (
    choose_detector,
    load_calibration,
    load_cohort,
    load_recogniser,
)

app = typer.Typer(
    help="Measure recognition on pictures of your own.", no_args_is_help=True, add_completion=False
)


@app.callback()
def evaluate() -> None:
    """Measure recognition on pictures of your own."""


@app.command("faces")
def faces(
    folder: Annotated[Path, typer.Argument(help="One folder of pictures for each person.")],
    one_in: Annotated[
        int, typer.Option(help="The claim to judge: one stranger in so many; 0 for the strictest.")
    ] = 0,
    detector: Annotated[str, typer.Option(help="auto, yunet or dlib.")] = "auto",
    out: Annotated[Path, typer.Option(help="Where the report goes (.html, and .json).")] = Path(
        "faces.html"
    ),
) -> None:
    """Measure false matches and false non-matches, in the terms of ISO/IEC 19795-1.

    Nothing that is read here can be enrolled, and no picture is kept.
    """
    if one_in < 0 or one_in == 1:
        raise invalid("--one-in must be at least 2, such as 10000.")
    models = open_models()
    chosen = choose_detector(models, detector)
    recogniser = load_recogniser(models, chosen)
    calibration = load_calibration(chosen)
    with progress("Looking at pictures") as bar:
        looks = read_people(folder, recogniser, bar.of)
    setting = Setting(
        folder.name,
        calibration.embedder,
        chosen,
        tuple(source.data for source in calibration.sources),
        version("postern"),
        SystemClock().now().utc.astimezone(UTC).replace(microsecond=0),
    )
    procedure = DoorProcedure(calibration, load_cohort(chosen))
    with progress("Comparing") as bar:
        found = measure(looks, procedure, setting, 1 / one_in if one_in else None, bar.share)
    out.write_text(page(found), "utf-8")
    out.with_suffix(".json").write_text(found.to_json(), "utf-8")
    ERR.print(f"The report is {out}; the same numbers are in {out.with_suffix('.json')}.")
