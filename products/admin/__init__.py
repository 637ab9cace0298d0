"""Products and taxonomies for staff."""

from products.admin import events, products, taxonomies

__all__ = ["events", "products", "taxonomies"]
