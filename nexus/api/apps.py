"""The Django application of nexus.api."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from pghistory import runtime

from nexus.api.prepared import NAME, plan_once


class NexusApiConfig(AppConfig):
    """API."""

    name = "nexus.api"
    label = "nexus_api"
    verbose_name = "API"

    def ready(self) -> None:
        """Have each connection plan its prepared statements once, and no context sent before those that need none."""
        connection_created.connect(plan_once)
        # The context of a change goes before every statement that is not known to do without.
        runtime.IGNORED_SQL_PREFIXES += (f"execute {NAME}",)  # type: ignore[assignment]
