"""What commands are told by name."""

from django.core.management.base import CommandError

from products.models import Taxonomy


def taxonomy_named(reference: str) -> Taxonomy:
    """The taxonomy of a code (its current version) or of ``code@version``. Raises CommandError when there is none."""
    try:
        return Taxonomy.objects.named(reference)
    except Taxonomy.DoesNotExist:
        raise CommandError(f"There is no taxonomy {reference!r}.") from None
