"""The Django application of nexus.api."""

from django.apps import AppConfig


class NexusApiConfig(AppConfig):
    """API."""

    name = "nexus.api"
    label = "nexus_api"
    verbose_name = "API"
