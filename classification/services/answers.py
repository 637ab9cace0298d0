"""One answer for each item: from what people have decided or ruled, and else from the classifier.

In this order, of which docs/architecture.md says why: an earlier decision about the same text, rules, an earlier
decision about nearly the same text, the classifier.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from time import perf_counter
from typing import Any

from classification import engine
from classification.engine.rules import Rule, deciding
from classification.models import Classification
from classification.services import precedents, rules
from classification.services.engines import Loaded, load
from classification.services.precedents import Decided, Precedents
from classification.services.rules import Rulebook, expected_precision
from classification.services.sources import Sources
from nexus.api.errors import Problem
from nexus.api.saving import like
from nexus.jobs.models import Job
from nexus.ops.metrics import CLASSIFIER_SECONDS

logger = logging.getLogger(__name__)

ERROR_LENGTH = 500
PLACES = 10_000
SAME_TEXT = "The same text was decided in a review."
SIMILAR_TEXT = "Nearly the same text was decided in a review."

Decision, Source = Classification.Decision, Classification.Source


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to classify: the text of a product, and its id when it is one of the catalogue."""

    position: int
    text: Mapping[str, Any]
    product_id: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out about an item, from where, and by which rule."""

    prediction: engine.Prediction
    source: str = Source.CLASSIFIER
    rule_id: int | None = None


def answers_to(
    items: Sequence[Item], job: Job, loaded: Loaded, sources: Sources, *, top_k: int, explain: bool = True
) -> list[Classification]:
    """The answers of a job to some items, unsaved; those with an error fail.

    Without `explain`, those of the classifier have no reasons yet: these take it several times as long as the answer,
    and of a large job few are ever looked at. `explain_all` works them out then.
    """
    good = [item for item in items if not item.error]
    began = perf_counter()
    found = _found([engine.Text(**item.text) for item in good], loaded, sources, top_k)
    if good:
        CLASSIFIER_SECONDS.observe((perf_counter() - began) / len(good))
    by_position = dict(zip((item.position for item in good), found, strict=True))
    blank = Classification(
        job_id=job.pk,
        taxonomy_id=loaded.taxonomy.pk,
        classifier_id=loaded.id,
        decision=Decision.FAILED,
    )
    return [_answer(item, by_position.get(item.position), blank, loaded, explain) for item in items]


def _found(texts: Sequence[engine.Text], loaded: Loaded, sources: Sources, top_k: int) -> list[Found]:
    decided = (
        precedents.look_up(loaded.taxonomy.pk, texts)
        if sources.has_precedents and texts
        else [precedents.NOTHING] * len(texts)
    )
    book = rules.rulebook(loaded.taxonomy.pk, sources.rules_revision)
    promised = loaded.promised_precision
    found = [
        _by_people(text, known, book, promised, top_k) for text, known in zip(texts, decided, strict=True)
    ]
    rest = [text for text, one in zip(texts, found, strict=True) if one is None]
    predictions = iter(loaded.engine.predict(rest, top_k=top_k) if rest else ())
    return [
        _checked(one or Found(next(predictions)), known) for one, known in zip(found, decided, strict=True)
    ]


def _by_people(
    text: engine.Text, known: Precedents, book: Rulebook | None, promised: float, top_k: int
) -> Found | None:
    """The answer that people have given already, if they have."""
    if known.same:
        return _by_precedent(known.same, promised, SAME_TEXT)
    if book and (hits := deciding(book.rules.hits(text))):
        return _by_rules(hits, book, promised, top_k)
    if known.similar:
        return _by_precedent(known.similar, promised, SIMILAR_TEXT)
    return None


def _by_precedent(decided: Decided, promised: float, because: str) -> Found:
    confidence = expected_precision(decided.agreed, decided.agreed, promised)
    neighbours = (
        (engine.Neighbour(decided.product_id, decided.category_id, 1.0),) if decided.product_id else ()
    )
    return Found(
        engine.Prediction(
            decided.category_id,
            confidence,
            (engine.Candidate(decided.category_id, confidence),),
            is_certain=True,
            reasons=engine.GivenReasons((engine.Evidence(because, 1.0),), neighbours=neighbours),
        ),
        Source.PRECEDENT,
    )


def _by_rules(hits: Sequence[Rule], book: Rulebook, promised: float, top_k: int) -> Found:
    """The answer of the rule that decides; of rules that contradict each other at most one is right, and none wins."""
    precision = {rule.id: book.precision(rule.id, promised) for rule in hits}
    ranked = sorted(hits, key=lambda rule: -precision[rule.id])
    shares = _shares([precision[rule.id] for rule in ranked]) if len(hits) > 1 else list(precision.values())
    candidates = tuple(map(engine.Candidate, [rule.category_id for rule in ranked], shares))[:top_k]
    first = ranked[0]
    return Found(
        engine.Prediction(
            first.category_id,
            candidates[0].confidence,
            candidates,
            is_certain=len(hits) == 1 and precision[first.id] >= promised,
            reasons=engine.GivenReasons(tuple(engine.Evidence(rule.name, 1.0) for rule in ranked)),
        ),
        Source.RULE,
        first.id if len(hits) == 1 else None,
    )


def _shares(parts: Sequence[float]) -> list[float]:
    """What each part is of all, rounded down, so that together they are never more than one."""
    return [floor(part / sum(parts) * PLACES) / PLACES for part in parts]


def _checked(found: Found, known: Precedents) -> Found:
    """Nothing that a reviewer has rejected, or that reviewers are divided about, is accepted without one."""
    prediction = found.prediction
    is_doubtful = prediction.category_id in known.wrong or (
        known.is_disputed and found.source == Source.CLASSIFIER
    )
    if not (prediction.is_certain and is_doubtful):
        return found
    return Found(prediction._replace(is_certain=False), found.source, found.rule_id)


def _answer(
    item: Item, found: Found | None, blank: Classification, loaded: Loaded, explain: bool
) -> Classification:
    answer = like(
        blank,
        position=item.position,
        product_id=item.product_id,
        input=dict(item.text),
        error=item.error[:ERROR_LENGTH],
        explanation=None if found else [],
    )
    if found is not None:
        _write(answer, found, loaded)
        if explain or found.source != Source.CLASSIFIER:
            _explain(answer, found.prediction)
    return answer


def _write(answer: Classification, found: Found, loaded: Loaded) -> None:
    """Write what was found into an answer. A category may have gone since the classifier learned it."""
    prediction = found.prediction
    answer.source, answer.rule_id = found.source, found.rule_id
    answer.candidates = _candidates(prediction.candidates, loaded)
    answer.back_off = _back_off(prediction.back_off, loaded)
    if prediction.category_id in loaded.categories:
        answer.category_id, answer.confidence = prediction.category_id, round(prediction.confidence, 4)
    certain = prediction.is_certain and answer.category_id is not None
    answer.decision = Decision.AUTO_ACCEPTED if certain else Decision.NEEDS_REVIEW
    answer.awaits_review = not certain


def _explain(answer: Classification, prediction: engine.Prediction) -> None:
    """Write the reasons for an answer into it."""
    answer.explanation, answer.contrast = _terms(prediction.evidence), _terms(prediction.contrast)
    answer.neighbours = [
        {
            "product_id": one.example_id,
            "category_id": one.category_id,
            "similarity": round(one.similarity, 4),
        }
        for one in prediction.neighbours
    ]


def explain_all(answers: Iterable[Classification]) -> None:
    """Work out the reasons of those answers, as they are in memory, that were given without.

    The classifier that gave them is asked again: it never changes, so it says the same. One that is there no more,
    or that a later version of Nexus cannot read or reads differently, leaves an answer without reasons.
    """
    by_classifier: dict[int | None, list[Classification]] = {}
    for answer in answers:
        if answer.explanation is None:
            by_classifier.setdefault(answer.classifier_id, []).append(answer)
    for classifier_id, unexplained in by_classifier.items():
        for answer, prediction in zip(unexplained, _again(classifier_id, unexplained), strict=True):
            answer.explanation = []
            if prediction and prediction.category_id == answer.category_id:
                _explain(answer, prediction)


def _again(
    classifier_id: int | None, answers: Sequence[Classification]
) -> Sequence[engine.Prediction | None]:
    if classifier_id is None:
        return [None] * len(answers)
    try:
        loaded = load(classifier_id)
    except Problem as problem:
        logger.warning("Answers have no reasons: %s", problem.detail, extra={"classifier": classifier_id})
        return [None] * len(answers)
    return loaded.engine.predict([engine.Text(**answer.input) for answer in answers], top_k=2)


def _candidates(candidates: Sequence[engine.Candidate], loaded: Loaded) -> list[dict[str, Any]]:
    return [
        {"category_id": one.category_id, "confidence": round(one.confidence, 4)}
        for one in candidates
        if one.category_id in loaded.categories
    ]


def _terms(evidence: Sequence[engine.Evidence]) -> list[dict[str, Any]]:
    return [{"term": one.term, "weight": round(one.weight, 4)} for one in evidence]


def _back_off(back_off: engine.BackOff | None, loaded: Loaded) -> dict[str, Any] | None:
    if back_off is None or back_off.category_id not in loaded.categories:
        return None
    return {
        "category_id": back_off.category_id,
        "confidence": round(back_off.confidence, 4),
        "candidates": _candidates(back_off.candidates, loaded),
    }
