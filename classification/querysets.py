"""Named reads of classifiers and their answers."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from nexus.jobs.models import Job
from nexus.jobs.querysets import SEE_ALL

if TYPE_CHECKING:
    from classification.models import Classification, Classifier, Rule  # noqa: F401 - names of the bases
    from products.models import Taxonomy


class ClassifierQuerySet(models.QuerySet["Classifier"]):
    """Reads of classifiers. Artefact and report are large: whoever wants them asks for them."""

    def without_artefact(self) -> Self:
        """Everything that is small."""
        return self.defer("artefact", "report")

    def active_of(self, taxonomy: "Taxonomy") -> "Classifier | None":
        """The classifier that answers for a taxonomy, if one is active."""
        return self.without_artefact().filter(taxonomy=taxonomy, status="active").first()


_DOUBTFUL = ~Q(decision="failed") & ~Q(decision="auto_accepted", is_audit=False)


class ClassificationQuerySet(models.QuerySet["Classification"]):
    """Reads of answers."""

    def doubtful(self) -> Self:
        """Those that a person decides, or has decided."""
        return self.filter(_DOUBTFUL)

    def visible_to(self, user: Any) -> Self:
        """Those about products, those that people decide, and else those of the jobs that a user may see."""
        if user.has_perm(SEE_ALL):
            return self
        own = Job.objects.visible_to(user)
        return self.filter(Q(product__isnull=False) | _DOUBTFUL | Q(job__in=own))

    def open_reviews(self) -> Self:
        """Those that wait for a person: the least certain first, and the audited ones by lot among them."""
        return self.filter(awaits_review=True).order_by("review_priority", "id")


class RuleQuerySet(models.QuerySet["Rule"]):
    """Reads of rules."""

    def in_force(self, taxonomy_id: int) -> Self:
        """Those that answer for a taxonomy."""
        return self.filter(taxonomy=taxonomy_id, enabled=True)
