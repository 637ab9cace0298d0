"""The gauges that operations itself knows: queues and workers."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily

from nexus.ops.workers import queue_depths, workers


def queue_gauges() -> Iterator[GaugeMetricFamily]:
    """The depth of every queue that can be asked, and the workers."""
    depth = GaugeMetricFamily("nexus_queue_depth", "Messages waiting in a queue.", labels=["queue"])
    for queue, messages in queue_depths().items():
        if messages is not None:
            depth.add_metric([queue], messages)
    yield depth
    seen = workers()
    if seen["alive"] is not None:
        yield GaugeMetricFamily("nexus_workers_alive", "Celery workers that report.", value=seen["alive"])
        yield GaugeMetricFamily("nexus_workers_busy", "Celery workers at work.", value=seen["busy"])
