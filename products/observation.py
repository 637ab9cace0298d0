"""What operators see of products at ``/status`` and ``/metrics``."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily

from nexus.ops.metrics import register_gauges
from nexus.ops.status import register_count
from products import counting
from products.models import Product


def products_by_status() -> dict[str, int]:
    """How many products there are in each state; counted once as long as no product changes."""
    return {status: counting.count(Product.objects.filter(status=status)) for status in Product.Status.values}


def gauges() -> Iterator[GaugeMetricFamily]:
    """Products by state."""
    products = GaugeMetricFamily("nexus_products", "Products by state.", labels=["status"])
    for status, number in products_by_status().items():
        products.add_metric([status], number)
    yield products


def register() -> None:
    """Have it shown."""
    register_count("products", products_by_status)
    register_gauges(gauges)
