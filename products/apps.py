"""The Django application of products."""

from django.apps import AppConfig


class ProductsConfig(AppConfig):
    """Products."""

    name = "products"
    label = "products"
    verbose_name = "Products"
