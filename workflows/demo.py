"""Three workflows to begin with; `manage.py seed` makes them."""

from typing import Any

from workflows.models import Workflow
from workflows.services.definitions import create_workflow

NEW_PRODUCTS: dict[str, Any] = {
    "name": "Classify new products",
    "description": "Every night, and by hand: products without a category get one where the classifier is certain. "
    "When some need a review, a reviewer says when they are published.",
    "definition": {
        "on": {"manual": {}, "schedule": {"cron": "0 2 * * *", "timezone": "Europe/Berlin"}},
        "steps": [
            {"id": "pick", "uses": "products.select", "with": {"filter": {"category__isnull": True}}},
            {
                "id": "classify",
                "uses": "classification.classify",
                "needs": ["pick"],
                "with": {
                    "taxonomy": "nexus-hardware",
                    "products": "${{ steps.pick.output.product_ids }}",
                },
            },
            {
                "id": "gate",
                "uses": "approval",
                "needs": ["classify"],
                "if": "steps.classify.output.needs_review > 0",
                "with": {
                    "role": "reviewer",
                    "message": "${{ steps.classify.output.needs_review }} products need a review. Publish all?",
                },
            },
            {
                "id": "publish",
                "uses": "products.update",
                "needs": ["gate"],
                "with": {"set": {"status": "active"}},
                "retry": {"max_attempts": 3, "backoff_s": 10},
                "timeout_s": 600,
            },
        ],
    },
}
CERTAIN_DRAFTS: dict[str, Any] = {
    "name": "Publish certain drafts",
    "description": "Classifies drafts, and publishes at once those whose category is certain; the others stay drafts "
    "and wait in the queue of reviews. Nobody need be asked.",
    "definition": {
        "on": {"manual": {}},
        "steps": [
            {
                "id": "drafts",
                "uses": "products.select",
                "with": {"filter": {"status": "draft", "category__isnull": True}, "limit": 1000},
            },
            {"id": "classify", "uses": "classification.classify", "needs": ["drafts"]},
            {
                "id": "publish",
                "uses": "products.update",
                "needs": ["classify"],
                "if": "steps.classify.output.auto_accepted > 0",
                "with": {
                    "products": "${{ steps.classify.output.accepted_product_ids }}",
                    "set": {"status": "active"},
                },
            },
        ],
    },
}
DISCONTINUED: dict[str, Any] = {
    "name": "Archive a manufacturer",
    "description": "Archives all active products of the manufacturer given as input, such as "
    '{"manufacturer": "Makita"}, once an administrator has seen how many there are.',
    "definition": {
        "on": {"manual": {}},
        "steps": [
            {
                "id": "find",
                "uses": "products.select",
                "with": {"filter": {"status": "active", "manufacturer": "${{ input.manufacturer }}"}},
            },
            {
                "id": "confirm",
                "uses": "approval",
                "needs": ["find"],
                "if": "steps.find.output.count > 0",
                "with": {
                    "role": "administrator",
                    "message": "Archive ${{ steps.find.output.count }} products of ${{ input.manufacturer }}?",
                },
            },
            {
                "id": "archive",
                "uses": "products.update",
                "needs": ["confirm"],
                "with": {
                    "products": "${{ steps.find.output.product_ids }}",
                    "set": {"status": "archived"},
                },
            },
        ],
    },
}
DEMO_WORKFLOWS = (NEW_PRODUCTS, CERTAIN_DRAFTS, DISCONTINUED)


def create_demo_workflows() -> int:
    """Create the demo workflows whose name no workflow has, or ever had; say how many that were.

    A second time creates none: what users have made of the first ones stays, and what they archived stays away.
    """
    names = [workflow["name"] for workflow in DEMO_WORKFLOWS]
    known = set(Workflow.objects.filter(name__in=names).values_list("name", flat=True))
    missing = [workflow for workflow in DEMO_WORKFLOWS if workflow["name"] not in known]
    for workflow in missing:
        create_workflow(**workflow)
    return len(missing)
