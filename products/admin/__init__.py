"""Products and taxonomies for staff."""

from products.admin import events, mappings, products, taxonomies

__all__ = ["events", "mappings", "products", "taxonomies"]
