"""The Django application of nexus.ops."""

from celery.signals import heartbeat_sent, setup_logging, worker_init, worker_ready, worker_shutdown
from django.apps import AppConfig
from django.core.signals import request_finished, request_started
from django.db.backends.signals import connection_created

from nexus.ops.connections import drop_dead_connections
from nexus.ops.context import close_request
from nexus.ops.garbage import collect_rarely
from nexus.ops.logging import keep_celery_off


class NexusOpsConfig(AppConfig):
    """Operations."""

    name = "nexus.ops"
    label = "nexus_ops"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Connect to Django's and Celery's signals."""
        from nexus.ops import gauges, metrics, workers

        setup_logging.connect(keep_celery_off)
        worker_init.connect(collect_rarely)
        worker_ready.connect(workers.report)
        heartbeat_sent.connect(workers.report)
        worker_shutdown.connect(workers.sign_off)
        request_started.connect(drop_dead_connections)
        request_finished.connect(close_request)
        connection_created.connect(metrics.measure_queries_of)
        metrics.register_gauges(gauges.queue_gauges)
