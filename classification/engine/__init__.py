"""Text in, calibrated categories out; plain Python that knows no Django."""

from classification.engine.classifier import Classifier, fit
from classification.engine.data import Candidate, Category, Evidence, Example, Prediction, Settings, Text

__all__ = [
    "Candidate",
    "Category",
    "Classifier",
    "Evidence",
    "Example",
    "Prediction",
    "Settings",
    "Text",
    "fit",
]
