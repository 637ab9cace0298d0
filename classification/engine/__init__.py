"""Text in, calibrated categories out; plain Python that knows no Django."""

from classification.engine.artefact import NewerFormatError
from classification.engine.classifier import Classifier, fit
from classification.engine.data import (
    BackOff,
    Candidate,
    Category,
    Evidence,
    Example,
    GivenReasons,
    Neighbour,
    Prediction,
    Settings,
    Text,
)

__all__ = [
    "BackOff",
    "Candidate",
    "Category",
    "Classifier",
    "Evidence",
    "Example",
    "GivenReasons",
    "Neighbour",
    "NewerFormatError",
    "Prediction",
    "Settings",
    "Text",
    "fit",
]
