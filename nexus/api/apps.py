"""The Django application of nexus.api."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from pghistory import runtime

from nexus.api.prepared import plan_once


class NexusApiConfig(AppConfig):
    """API."""

    name = "nexus.api"
    label = "nexus_api"
    verbose_name = "API"

    def ready(self) -> None:
        """Have each connection plan its prepared statements once, and none of them bring a context."""
        connection_created.connect(plan_once)
        # The context of a change goes before every statement but reads, and what is prepared only reads.
        runtime.IGNORED_SQL_PREFIXES += ("execute",)  # type: ignore[assignment]
