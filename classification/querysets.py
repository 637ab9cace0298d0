"""Named reads of classifiers and their answers."""

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from classification.models import Classification, Classifier


class ClassifierQuerySet(models.QuerySet["Classifier"]):
    """Reads of classifiers."""


class ClassificationQuerySet(models.QuerySet["Classification"]):
    """Reads of answers."""

    def open_reviews(self) -> "ClassificationQuerySet":
        """Those that wait for a person, the least certain first."""
        return self.filter(awaits_review=True).order_by("confidence", "id")
