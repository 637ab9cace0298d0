"""The Django application of nexus.jobs."""

from django.apps import AppConfig


class NexusJobsConfig(AppConfig):
    """Jobs."""

    name = "nexus.jobs"
    label = "nexus_jobs"
    verbose_name = "Jobs"
