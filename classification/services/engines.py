"""The classifier of each taxonomy, loaded once a process and swapped when another becomes active."""

import logging
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import FilteredRelation, Max, Q
from django.utils import timezone

from classification import engine
from classification.models import Activation, Classifier
from classification.services.sources import Sources, sources_of
from nexus.api.errors import Conflict, NotFound, Problem
from nexus.api.prepared import Prepared
from products.models import Taxonomy

logger = logging.getLogger(__name__)

KEPT_IN_MEMORY = 4
# How many versions are tried in place of one that cannot be read: somebody waits for the answer.
MOST_TRIED = 5
# Arbitrary, and never to be used for anything else: the number of the advisory lock for a taxonomy's classifiers.
LOCK_CLASS = 7101


class Unreadable(Conflict):
    """A classifier whose artefact is damaged, or of a format that is no longer read."""


class TooNew(Conflict):
    """A classifier of a format that only a later version of Nexus reads, as while servers are upgraded in turn."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A classifier ready for use, with the categories that it answers with."""

    id: int
    version: int
    taxonomy: Taxonomy
    engine: engine.Classifier
    categories: dict[int, dict[str, object]]
    levels: dict[int, int]
    is_outdated: bool

    @property
    def promised_precision(self) -> float:
        """The share of certain answers that is to be right."""
        measured = self.engine.metrics.get("promised_precision")
        return engine.Settings().promised_precision if measured is None else float(measured)


# By the id of the classifier and the revision of its taxonomy; by that of one that is too new, the one in its place.
_loaded: OrderedDict[tuple[int, int], Loaded] = OrderedDict()
_lock = Lock()


def active(taxonomy: Taxonomy) -> Loaded:
    """The active classifier of a taxonomy.

    One that has learned nothing is made when there is none, and again when the taxonomy has changed since. In place of
    one that cannot be read the newest trained one is activated that was active before and can be, or one that has
    learned nothing; in place of one that is too new for this process another answers here, and stays what it is.
    Raises Conflict when the taxonomy has no categories.
    """
    row = Classifier.objects.active_of(taxonomy) or _make_untrained(taxonomy, instead_of=None)
    try:
        loaded = _serving(row, taxonomy)
    except Unreadable as problem:
        return _replace(row, taxonomy, str(problem.detail))
    if loaded.is_outdated and loaded.id == row.pk:
        loaded = _loaded_or_load(_make_untrained(taxonomy, instead_of=row), taxonomy)
    return loaded


def serving(classifier_id: int) -> Loaded:
    """What answers in this process for a classifier: itself, or where it cannot be read, another.

    Raises NotFound.
    """
    row = _trained(classifier_id)
    try:
        return _serving(row, row.taxonomy)
    except Unreadable as problem:
        loaded = active(row.taxonomy)
        logger.warning("%s Version %s answers in its place", problem.detail, loaded.version)
        return loaded


def _serving(row: Classifier, taxonomy: Taxonomy) -> Loaded:
    try:
        return _in_memory((row.pk, taxonomy.revision)) or _load(row, taxonomy)
    except TooNew as problem:
        loaded = _stand_in(taxonomy)
        logger.error("%s Version %s answers here", problem.detail, loaded.version)
        _remember((row.pk, taxonomy.revision), loaded)
        return loaded


@transaction.atomic
def _stand_in(taxonomy: Taxonomy) -> Loaded:
    """What answers while the active one is too new: if nothing can be read, names alone; kept for answers to name."""
    lock(taxonomy)
    loaded = _newest_sound(taxonomy, training_size__gt=0)
    loaded = loaded or _newest_sound(taxonomy, taxonomy_revision=taxonomy.revision)
    if loaded is None:
        row = _untrained(taxonomy)
        row.status = Classifier.Status.RETIRED
        row.save()
        loaded = _load(row, taxonomy)
    return loaded


def in_place_of(classifier_id: int, taxonomy_revision: int) -> Loaded | None:
    """What this process answers with in place of a classifier that is too new for it; None where it is not."""
    found = _in_memory((classifier_id, taxonomy_revision))
    return found if found and found.id != classifier_id else None


def check_not_too_new(taxonomy: Taxonomy) -> None:
    """Raises TooNew where the active classifier is: what this process makes must not take its place."""
    row = Classifier.objects.active_of(taxonomy)
    with suppress(Unreadable):
        if row is not None:
            _loaded_or_load(row, taxonomy)


def _replace(damaged: Classifier, taxonomy: Taxonomy, reason: str) -> Loaded:
    """Let another classifier answer in place of one that cannot be read, unless somebody else has just done so."""
    logger.error("The active classifier cannot be read", extra={"id": damaged.pk, "version": damaged.version})
    with transaction.atomic():
        lock(taxonomy)
        if Classifier.objects.active_of(taxonomy) == damaged:
            Classifier.objects.filter(pk=damaged.pk).update(error=reason)
            loaded = _newest_sound(taxonomy, training_size__gt=0)
            if loaded is None:
                row = _make_untrained(taxonomy, instead_of=damaged)
                loaded = _loaded_or_load(row, taxonomy)
            else:
                put_in_charge(
                    Classifier.objects.without_artefact().get(pk=loaded.id), Activation.Reason.REPAIR
                )
            logger.error("Version %s answers in its place", loaded.version, extra={"taxonomy": taxonomy.code})
            return loaded
    return active(taxonomy)


def _newest_sound(taxonomy: Taxonomy, **conditions: Any) -> Loaded | None:
    """The newest classifier that answers no more and that every process can read, not only this one from memory."""
    rows = Classifier.objects.without_artefact().filter(
        taxonomy=taxonomy, status=Classifier.Status.RETIRED, **conditions
    )
    for row in rows.order_by("-version")[:MOST_TRIED]:
        with suppress(Unreadable, TooNew):
            return _load(row, taxonomy)
    return None


def put_in_charge(
    classifier: Classifier, reason: Activation.Reason, *, user_id: int | None = None
) -> Classifier:
    """Let a classifier answer for its taxonomy from now on, and note why. Call it under the lock."""
    Classifier.objects.filter(taxonomy=classifier.taxonomy_id, status=Classifier.Status.ACTIVE).update(
        status=Classifier.Status.RETIRED
    )
    classifier.status, classifier.activated_at = Classifier.Status.ACTIVE, timezone.now()
    classifier.error = ""
    classifier.save(update_fields=["status", "activated_at", "error"] if classifier.pk else None)
    Activation.objects.create(
        taxonomy_id=classifier.taxonomy_id, classifier=classifier, reason=reason, activated_by_id=user_id
    )
    return classifier


def answering(reference: str | None) -> tuple[Loaded, Sources]:
    """The active classifier of the taxonomy that a caller means, and what there is to answer from beside it.

    One query where this process has the classifier in memory. Raises as `taxonomy_of` and `active` do.
    """
    code, _, version = (reference or "").partition("@")
    given = [code, version] if version else [code] if code else []
    rows = _keys_of_active(len(given)).run(Classifier.Status.ACTIVE, *given)
    if rows:
        classifier_id, revision, rules_revision, has_precedents = rows[0]
        found = _in_memory((classifier_id, revision))
        if found and not found.is_outdated:
            return found, Sources(rules_revision or 0, bool(has_precedents))
    loaded = active(taxonomy_of(reference))
    return loaded, sources_of(loaded.taxonomy.pk)


@cache
def _keys_of_active(parts: int) -> Prepared:
    """What `answering` asks about the taxonomy that a reference of so many parts means."""
    reference = "@".join(["code", "version"][:parts])
    is_active = Q(classifiers__status=Classifier.Status.ACTIVE)
    return Prepared(
        Taxonomy.objects.meant_by(reference)
        .annotate(active=FilteredRelation("classifiers", condition=is_active))
        .values_list(
            "active", "revision", "answer_sources__rules_revision", "answer_sources__has_precedents"
        )[:1]
    )


def warm_up() -> None:
    """Load the active classifiers before the first request asks for them. Without a database, the first one does."""
    try:
        for taxonomy in Taxonomy.objects.filter(
            is_current=True, classifiers__status=Classifier.Status.ACTIVE
        ):
            active(taxonomy)
    except (DatabaseError, Problem) as error:
        logger.warning("The classifiers are not loaded yet: %s", error)
    finally:
        connection.close()


def _is_outdated(row: Classifier, taxonomy: Taxonomy) -> bool:
    """Whether a classifier knows nothing but the taxonomy, and that as it was before."""
    return row.training_size == 0 and row.taxonomy_revision != taxonomy.revision


def load(classifier_id: int) -> Loaded:
    """Any classifier that has been trained. Raises NotFound, Unreadable, and TooNew."""
    row = _trained(classifier_id)
    return _loaded_or_load(row, row.taxonomy)


def _trained(classifier_id: int) -> Classifier:
    row = Classifier.objects.without_artefact().select_related("taxonomy").filter(pk=classifier_id).first()
    if row is None or row.status in {Classifier.Status.TRAINING, Classifier.Status.FAILED}:
        raise NotFound("classifier_not_found", f"There is no trained classifier {classifier_id}.")
    return row


def _loaded_or_load(row: Classifier, taxonomy: Taxonomy) -> Loaded:
    found = _in_memory((row.pk, taxonomy.revision))
    return found if found and found.id == row.pk else _load(row, taxonomy)


def _in_memory(key: tuple[int, int]) -> Loaded | None:
    with _lock:
        found = _loaded.get(key)
        if found is not None:
            _loaded.move_to_end(key)
        return found


def _load(row: Classifier, taxonomy: Taxonomy) -> Loaded:
    artefact = Classifier.objects.values_list("artefact", flat=True).get(pk=row.pk)
    rows = taxonomy.categories.order_by("id").values_list("id", "code", "name", "path", "level")
    loaded = Loaded(
        id=row.pk,
        version=row.version,
        taxonomy=taxonomy,
        engine=_read(row, bytes(artefact or b"")),
        categories={
            pk: {"id": pk, "code": code, "name": name, "path": path, "taxonomy": taxonomy.code}
            for pk, code, name, path, _ in rows
        },
        levels={pk: level for pk, *_, level in rows},
        is_outdated=_is_outdated(row, taxonomy),
    )
    _remember((row.pk, taxonomy.revision), loaded)
    logger.info("Classifier loaded", extra={"taxonomy": taxonomy.code, "version": row.version})
    return loaded


def _remember(key: tuple[int, int], loaded: Loaded) -> None:
    with _lock:
        _loaded[key] = loaded
        while len(_loaded) > KEPT_IN_MEMORY:
            _loaded.popitem(last=False)


def _read(row: Classifier, artefact: bytes) -> engine.Classifier:
    try:
        return engine.Classifier.from_bytes(artefact)
    except engine.NewerFormatError as error:
        raise TooNew(
            "classifier_too_new",
            f"Version {row.version} was made by a later version of Nexus than this server runs. Upgrade the server.",
        ) from error
    except ValueError as error:
        raise Unreadable(
            "classifier_unreadable", f"Version {row.version} cannot be read ({error}). Train a new one."
        ) from error


def _make_untrained(taxonomy: Taxonomy, instead_of: Classifier | None) -> Classifier:
    """Make and activate a classifier that knows the taxonomy alone, unless somebody else has just done so."""
    with transaction.atomic():
        lock(taxonomy)
        existing = Classifier.objects.active_of(taxonomy)
        if existing and existing != instead_of:
            return existing
        return put_in_charge(_untrained(taxonomy), Activation.Reason.FIRST)


def _untrained(taxonomy: Taxonomy) -> Classifier:
    """The next version of a taxonomy's classifier, unsaved, from names alone. Call it under the lock."""
    fitted = fit_untrained(taxonomy)
    return Classifier(
        taxonomy=taxonomy,
        version=next_version(taxonomy),
        taxonomy_revision=taxonomy.revision,
        artefact=fitted.to_bytes(),
        metrics={name: value for name, value in fitted.metrics.items() if name != "report"},
    )


def lock(taxonomy: Taxonomy) -> None:
    """Let one transaction at a time change the classifiers of a taxonomy."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, taxonomy.pk])


def next_version(taxonomy: Taxonomy) -> int:
    """The number of the taxonomy's next classifier. Call it under the lock."""
    newest = Classifier.objects.filter(taxonomy=taxonomy).aggregate(newest=Max("version"))["newest"]
    return int(newest or 0) + 1


def fit_untrained(taxonomy: Taxonomy) -> engine.Classifier:
    """A classifier from the names, paths and keywords of a taxonomy alone."""
    return engine.fit(categories_of(taxonomy))


def categories_of(taxonomy: Taxonomy) -> list[engine.Category]:
    """The nodes of a taxonomy as the engine takes them. Raises Conflict when there are none."""
    rows = taxonomy.categories.order_by("id").values_list("id", "code", "name", "path", "keywords", "is_leaf")
    categories = [
        engine.Category(pk, code, name, path, tuple(keywords), is_leaf)
        for pk, code, name, path, keywords, is_leaf in rows
    ]
    if not categories:
        raise Conflict("taxonomy_empty", f"The taxonomy {taxonomy.code!r} has no categories yet.")
    return categories


def taxonomy_of(reference: str | None) -> Taxonomy:
    """The taxonomy that a caller means; without a reference the oldest current one.

    Raises NotFound, and Conflict when there is no taxonomy at all.
    """
    taxonomy = Taxonomy.objects.meant_by(reference).first()
    if taxonomy is not None:
        return taxonomy
    if reference:
        raise NotFound("taxonomy_not_found", f"There is no current taxonomy {reference!r}.")
    raise Conflict("no_taxonomy", "There is no taxonomy yet. 'manage.py seed' loads nexus-hardware.")
