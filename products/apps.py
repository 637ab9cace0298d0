"""The Django application of products."""

from django.apps import AppConfig

from accounts.roles import ADMINISTRATOR, EDITOR, VIEWER, crud, grant


class ProductsConfig(AppConfig):
    """Products."""

    name = "products"
    label = "products"
    verbose_name = "Products"

    def ready(self) -> None:
        """Say who may write what, everybody with a role may read; and tell operators of the catalogue."""
        from products import doctor, observation
        from products.services import carrying, importing  # noqa: F401 - they register their kinds of jobs

        doctor.register_checks()
        observation.register()
        for model in ("taxonomy", "category", "product", "categorymapping", "categoryevent", "productevent"):
            grant(VIEWER, f"products.view_{model}")
        grant(EDITOR, *crud("products", "product"))
        grant(
            ADMINISTRATOR,
            *crud("products", "taxonomy"),
            *crud("products", "category"),
            *crud("products", "categorymapping"),
        )
