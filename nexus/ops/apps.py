"""The Django application of nexus.ops."""

from celery.signals import setup_logging
from django.apps import AppConfig

from nexus.ops.logging import keep_celery_off


class NexusOpsConfig(AppConfig):
    """Operations."""

    name = "nexus.ops"
    label = "nexus_ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Connect to Django's and Celery's signals."""
        setup_logging.connect(keep_celery_off)
