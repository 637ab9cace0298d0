"""What can be wrong with the catalogue of an installation (`nexus.ops.doctor`)."""

from nexus.ops.doctor import Finding, register
from products.models import Category, Taxonomy
from products.services.loading import faults


def check_taxonomies() -> Finding:
    """Whether there is a taxonomy to classify into, and whether the trees are sound."""
    taxonomies = list(Taxonomy.objects.filter(is_current=True))
    if not Category.objects.filter(taxonomy__in=taxonomies).exists():
        return Finding("taxonomies", "there is none with categories", "python manage.py seed")
    unsound = [taxonomy.code for taxonomy in taxonomies if faults(taxonomy)]
    if unsound:
        mend = f"python manage.py check_taxonomy {unsound[0]}"
        return Finding("taxonomies", f"the tree of {', '.join(unsound)} is not sound", mend)
    return Finding("taxonomies", f"{len(taxonomies)} current, their trees are sound")


def register_checks() -> None:
    """Have `manage.py doctor` look at the catalogue."""
    register(check_taxonomies)
