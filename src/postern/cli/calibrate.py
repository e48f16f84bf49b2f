"""`postern calibrate`: the tables that say what a score proves, made from folders of pictures."""

from pathlib import Path
from typing import Annotated

import typer

from postern.app.wire import open_models
from postern.bench.face_calibration import People, make_cohort, make_tables
from postern.bench.face_folder import read_people, usable
from postern.bench.face_procedure import kept
from postern.cli.terminal import ERR, progress
from postern.frame import Recogniser
from postern.vision.faces.load import (
    choose_detector,
    load_cohort,
    load_embedder,
    load_recogniser,
    pack_cohort,
    unpack_cohort,
)


def calibrate(
    main: Annotated[Path, typer.Argument(help="The largest set: one folder for each person.")],
    other: Annotated[
        list[Path] | None, typer.Option(help="A further set, which may only raise the bounds.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder that the files go to.")] = Path(),
    detector: Annotated[str, typer.Option(help="auto, yunet or dlib.")] = "auto",
    new_cohort: Annotated[
        bool, typer.Option(help="Make a new cohort of those with one or two pictures.")
    ] = False,
) -> None:
    """Make calibration tables from pictures, with the very procedure that runs at the door."""
    models = open_models()
    chosen = choose_detector(models, detector)
    recogniser = load_recogniser(models, chosen)
    largest = _people(main, recogniser)
    others = [_people(folder, recogniser) for folder in other or []]
    cohort = load_cohort(chosen)
    out.mkdir(parents=True, exist_ok=True)
    if new_cohort:
        packed = pack_cohort(make_cohort(largest))
        (out / f"cohort-{chosen}.npy").write_bytes(packed)
        # The tables are made with what will be read back, rounding included.
        cohort = unpack_cohort(packed)
    names = (load_embedder(models).model, chosen)
    with progress("Resampling people") as bar:
        tables = make_tables(largest, others, cohort, names, kept, bar.share)
    (out / f"calibration-{chosen}.json").write_text(tables.to_json(), "utf-8")
    for source in tables.sources:
        ERR.print(
            f"{source.data}: {source.people} people, {source.attempts:,} attempts of strangers."
        )
    ERR.print(f"At best a face proves 1 in {1 / tables.floor:,.0f}.", highlight=False)


def _people(folder: Path, recogniser: Recogniser) -> People:
    with progress(f"Looking at {folder.name}") as bar:
        looks = read_people(folder, recogniser, bar.of)
    return People(folder.name, tuple(usable(looks)))
