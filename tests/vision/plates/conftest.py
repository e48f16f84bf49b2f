"""One recogniser for all tests of plates: its models take a second to load."""

from datetime import UTC, datetime

import pytest

from postern.core.ids import CameraId
from postern.core.moment import Moment
from postern.frame import Frame
from postern.vision.model import Models, read_manifest
from postern.vision.plates.recogniser import DETECTOR, READER, load
from tests.needs import missing

NOON = Moment(datetime(2026, 3, 1, 12, tzinfo=UTC), 1000.0)


@pytest.fixture(scope="session")
def recogniser(tmp_path_factory):
    models = Models(tmp_path_factory.mktemp("models"), read_manifest())
    if not (models.present(DETECTOR) and models.present(READER)):
        missing("the package rapidocr, in which the plate models travel")
    return load(models)


def frame(image):
    return Frame(CameraId("lane"), image, NOON, 0)
