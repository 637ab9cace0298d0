"""What people decide about the doubtful answers."""

from django.db import IntegrityError, transaction

from classification.models import Classification, Review
from classification.services import precedents, rules
from nexus.api.errors import Conflict, Problem, invalid
from products.models import Category, Product
from products.services.products import set_reviewed_category, take_back_automatic_category

Decision = Review.Decision

OUTCOME = {
    Decision.ACCEPT: Classification.Decision.ACCEPTED,
    Decision.CORRECT: Classification.Decision.CORRECTED,
    Decision.REJECT: Classification.Decision.REJECTED,
}


def decide(
    answer: Classification, *, decision: str, category_id: int | None, note: str, user_id: int | None
) -> Classification:
    """Take a person's decision about an answer, and write the category they chose to its product.

    Raises Conflict when somebody else has decided, or a later answer has taken the place of this one; Problem (400)
    when the category does not go with the decision.
    """
    with transaction.atomic():
        answer = Classification.objects.select_for_update(of=("self",)).get(pk=answer.pk)
        _check_open(answer)
        category = _category(answer, decision, category_id)
        review = Review(
            classification=answer, decision=decision, category=category, note=note, decided_by_id=user_id
        )
        try:
            with transaction.atomic():
                review.save(force_insert=True)
        except IntegrityError:
            raise _decided() from None
        answer.decision, answer.awaits_review = OUTCOME[Decision(decision)], False
        answer.save(update_fields=["decision", "awaits_review"])
        answer.review = review
        rules.count_review(answer, decision)
        precedents.record(answer, review)
        _write_to_product(answer, category)
    return answer


def _write_to_product(answer: Classification, category: Category | None) -> None:
    """Write the category that is right; where none is, take back the one that was accepted automatically."""
    product = Product.objects.select_for_update().filter(pk=answer.product_id or 0).first()
    if product is None:
        return
    if category:
        set_reviewed_category(product, category)
    elif answer.category_id:
        take_back_automatic_category(product, answer.category_id)


def _check_open(answer: Classification) -> None:
    if answer.awaits_review:
        return
    if answer.decision in {Classification.Decision.NEEDS_REVIEW, Classification.Decision.AUTO_ACCEPTED}:
        raise Conflict("superseded", "The product has been classified again since; review the later answer.")
    raise _decided()


def _decided() -> Problem:
    return Conflict("already_decided", "This answer has been decided already.")


def _category(answer: Classification, decision: str, category_id: int | None) -> Category | None:
    if decision == Decision.CORRECT:
        return _corrected(answer, category_id)
    if category_id is not None and not (decision == Decision.ACCEPT and category_id == answer.category_id):
        raise invalid("/category_id", "unexpected", "A category is given with the decision 'correct' only.")
    if decision == Decision.ACCEPT and answer.category is None:
        raise invalid("/decision", "nothing_to_accept", "There is no category to accept: correct or reject.")
    return answer.category if decision == Decision.ACCEPT else None


def _corrected(answer: Classification, category_id: int | None) -> Category:
    if category_id is None:
        raise invalid("/category_id", "required", "Say which category is right.")
    category = Category.objects.filter(pk=category_id, taxonomy=answer.taxonomy_id).first()
    if category is None:
        raise invalid(
            "/category_id", "does_not_exist", f"The taxonomy of this answer has no category {category_id}."
        )
    return category
