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
        from products.services import carrying, export_jobs, taxonomy_deletion, taxonomy_imports  # noqa: F401 - some register their jobs
        from products.services.imports import work as import_jobs

        doctor.register_checks()
        observation.register()
        export_jobs.register_kind()
        import_jobs.register_kind()
        for model in (
            "taxonomy",
            "category",
            "product",
            "categorymapping",
            "categoryevent",
            "productevent",
            "importprofile",
        ):
            grant(VIEWER, f"products.view_{model}")
        grant(EDITOR, *crud("products", "product"), *crud("products", "importprofile"))
        grant(
            ADMINISTRATOR,
            *crud("products", "taxonomy"),
            *crud("products", "category"),
            *crud("products", "categorymapping"),
        )
