"""Whether a new classifier is worse than the active one, measured on decisions that neither has learned from.

Their own figures cannot be compared: they come from different products. So the newest decisions, which the active
classifier has never seen, are held back; a twin of the new classifier that is fitted without them, and the active one,
answer the same products. The new classifier itself then learns from them too.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from classification import engine
from classification.engine.calibration import expected_calibration_error
from classification.models import Classifier, Policy
from classification.services import engines, examples
from classification.services.fitting import Held
from products.models import Taxonomy

# Fewer decisions tell nothing. Of two equally good classifiers, one has the smaller calibration error by chance.
FEWEST_COMPARED = 50
CALIBRATION_TOLERANCE = 0.02

Answers = Sequence[tuple[int | None, float]]


class Trial:
    """A comparison of the active classifier with one that is being fitted."""

    def __init__(self, active: Classifier | None, is_held: Callable[[examples.Labelled], bool]) -> None:
        self._active = active
        self._is_held = is_held
        self._held: list[engine.Example] = []

    def read(self, labelled: Iterable[examples.Labelled]) -> Iterator[Held]:
        """The same examples, with those marked that are held back; these are kept for `outcome`."""
        for one in labelled:
            is_held = self._is_held(one)
            if is_held:
                self._held.append(one.example)
            yield Held(one.example, is_held)

    def outcome(self, answers: Answers) -> dict[str, Any]:
        """What came of it; empty when nothing was to be compared.

        ``with`` (the active one's id), ``examples``, ``accuracy`` and ``ece`` of both, ``is_not_worse`` and, where
        there were too few examples, ``reason``.
        """
        if self._active is None:
            return {}
        found: dict[str, Any] = {"with": self._active.pk, "examples": len(self._held)}
        if len(self._held) < FEWEST_COMPARED:
            reason = f"Only {len(self._held)} of {FEWEST_COMPARED} decisions are new to the active one."
            return found | {"is_not_worse": False, "reason": reason}
        truth = [example.category_id for example in self._held]
        new, old = _figures(answers, truth), _figures(self._answers_of_active(), truth)
        is_not_worse = new["accuracy"] >= old["accuracy"] and new["ece"] <= old["ece"] + CALIBRATION_TOLERANCE
        found |= new | {f"{name}_of_active": value for name, value in old.items()}
        return found | {"is_not_worse": is_not_worse}

    def _answers_of_active(self) -> Answers:
        assert self._active
        active = engines.load(self._active.pk).engine
        predictions = active.predict([example.text for example in self._held], top_k=1)
        return [(prediction.category_id, prediction.confidence) for prediction in predictions]


def trial_of(taxonomy: Taxonomy, policy: Policy) -> Trial:
    """The comparison that a policy asks for; one that compares nothing where people decide.

    Where none was active yet, the one that is made of the taxonomy alone is what there is to beat.
    """
    if policy.activation == Policy.Activation.MANUAL:
        return Trial(None, lambda one: False)
    active = Classifier.objects.active_of(taxonomy)
    if active is None:
        active = Classifier.objects.without_artefact().get(pk=engines.active(taxonomy).id)
    return Trial(active, examples.held_back(taxonomy, active))


def _figures(answers: Answers, truth: Sequence[int]) -> dict[str, float]:
    right = np.array([answer == category for (answer, _), category in zip(answers, truth, strict=True)])
    confidence = np.array([confidence for _, confidence in answers])
    ece = expected_calibration_error(confidence, right)
    return {"accuracy": round(float(right.mean()), 4), "ece": round(ece, 4)}
