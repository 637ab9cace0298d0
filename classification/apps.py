"""The Django application of classification."""

from django.apps import AppConfig


class ClassificationConfig(AppConfig):
    """Classification."""

    name = "classification"
    label = "classification"
    verbose_name = "Classification"
