"""The random sample of certain answers that people look at: it alone tells how often certain answers are wrong."""

from collections.abc import Iterable
from functools import cache
from hashlib import blake2b, sha256

from django.conf import settings

from classification.models import Classification
from classification.services import policies

Decision = Classification.Decision
_WHOLE = 2**64


def draw(answers: Iterable[Classification]) -> None:
    """Mark the new answers that are audited, and give those that await a review their place in the queue.

    Doubtful ones stand in the order of their confidence. An audited one takes a place by lot among them: by its
    confidence it would always be the last, and at the head a large job would keep reviewers from all that is doubtful.
    """
    for answer in answers:
        answer.review_priority = answer.confidence
        if answer.decision != Decision.AUTO_ACCEPTED:
            continue
        lot, place = lots(answer.job_id, answer.position)
        answer.is_audit = lot < policies.audit_share(answer.taxonomy_id)
        if answer.is_audit:
            answer.awaits_review, answer.review_priority = True, place


def lots(job_id: object, position: int) -> tuple[float, float]:
    """Two numbers from 0 up to 1, the same whenever they are drawn for an item, and known to nobody before."""
    drawn = blake2b(f"{job_id}:{position}".encode(), key=_key(settings.SECRET_KEY), digest_size=16).digest()
    return int.from_bytes(drawn[:8], "big") / _WHOLE, int.from_bytes(drawn[8:], "big") / _WHOLE


@cache
def _key(secret: str) -> bytes:
    return sha256(b"classification.auditing:" + secret.encode()).digest()
