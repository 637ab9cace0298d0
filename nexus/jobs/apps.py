"""The Django application of nexus.jobs."""

from django.apps import AppConfig


class NexusJobsConfig(AppConfig):
    """Jobs: all work that takes time."""

    name = "nexus.jobs"
    label = "nexus_jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        """Make the Celery application that of every process, and tell operators of the jobs."""
        from nexus import celery  # noqa: F401
        from nexus.jobs import observation

        observation.register()
