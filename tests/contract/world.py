"""A small world in which every address has something to show, and a good request for every operation."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.contrib.auth.models import Group

from accounts.models import Session, User
from accounts.roles import ADMINISTRATOR, EDITOR, ROLES, VIEWER
from accounts.services.sessions import open_session
from accounts.services.users import create_user
from accounts.tokens import token_pair
from classification.models import Classification, Classifier, Difference, Rule
from classification.services import activation, classify, rule_checks, rules, shadow, training
from nexus.jobs import files
from nexus.jobs import services as jobs
from nexus.jobs.models import Chunk, Job, LogLine
from nexus.jobs.tests.conftest import work_off
from products.models import Category, CategoryMapping, ImportProfile, Product, Taxonomy
from products.services import carrying, export_jobs, imports, mapping
from products.services.imports.profiles import save_profile
from products.services.loading import load_taxonomy
from products.services.products import create_product
from products.taxonomy_files.reading import CategoryRow
from workflows.models import Execution, StepRun, Workflow
from workflows.services import executions
from workflows.services.definitions import create_workflow, update_workflow

PASSWORD = "correct horse battery"
ROWS = [
    CategoryRow("tools", "Tools"),
    CategoryRow("drills", "Cordless drills", "tools", ["combi drill", "hammer drill", "18V"]),
    CategoryRow("saws", "Circular saws", "tools", ["circular saw", "plunge saw"]),
]
DEFINITION: dict[str, Any] = {
    "on": {"manual": {}},
    "steps": [
        {"id": "gate", "uses": "approval"},
        {"id": "pick", "uses": "products.select", "needs": ["gate"], "with": {"filter": {}}},
    ],
}
# Doubtful on purpose: it must wait for a review.
DOUBTFUL = "drill saw"


@dataclass
class World:
    """What there is at least two of, each list having more than one page of one."""

    administrator: User
    user: User
    session: Session
    taxonomy: Taxonomy
    category: Category
    product: Product
    job: Job
    export: Job
    imported: Job
    review: Classification
    classifier: Classifier
    active: Classifier
    rule: Rule
    workflow: Workflow
    execution: Execution
    next_version: Taxonomy
    step: CategoryMapping
    carried: Job

    def address(self, path: str) -> str:
        """An address with the ids of what there is."""
        if path.endswith("/retry"):
            self.end()
        return path.format(**self._parameters(path))

    def end(self) -> None:
        """Cancel the job and the execution, so that there is something to retry."""
        self.job.refresh_from_db()
        if not self.job.is_finished:
            jobs.cancel(self.job)
        self.execution.refresh_from_db()
        if self.execution.status in Execution.ACTIVE:
            executions.cancel(self.execution.pk)

    def _parameters(self, path: str) -> dict[str, object]:
        owners: dict[str, Any] = {
            "/auth/sessions": self.session,
            "/api/v1/jobs": self.job,
            "/api/v1/users": self.user,
            "/api/v1/products": self.product,
            "/api/v1/products/export": self.export,
            "/api/v1/products/import": self.imported,
            "/api/v1/import-profiles": ImportProfile.objects.first(),
            "/api/v1/taxonomies": self.taxonomy,
            "/api/v1/categories": self.category,
            "/api/v1/mappings": self.step,
            "/api/v1/classify": self.job,
            "/api/v1/classifiers": self.classifier,
            "/api/v1/reviews": self.review,
            "/api/v1/rules": self.rule,
            "/api/v1/workflows": self.workflow,
            "/api/v1/executions": self.execution,
        }
        start = path.partition("/{")[0]
        if path.startswith("/api/v1/taxonomies") and path.endswith(
            ("/changes", "/carry-over", "/carry-back")
        ):
            owners[start] = self.next_version
        if path.endswith("/return"):
            # Only the active one can be returned from.
            owners[start] = self.active
        pk = owners[start].pk if "{" in path else None
        return {"pk": pk, "workflow_id": pk, "step": "gate", "name": "one.csv"}


def make_world() -> World:
    """Something of everything, all of it the administrator's."""
    # Tests with real transactions leave an empty database behind, without what migrations put there.
    Group.objects.bulk_create([Group(name=role) for role in ROLES], ignore_conflicts=True)
    administrator = create_user(email="owner@example.org", password=PASSWORD, roles=[ADMINISTRATOR])
    for role in (VIEWER, EDITOR):
        user = create_user(email=f"other-{role}@example.org", password=PASSWORD, roles=[role])
    session = open_session(user=administrator, user_agent="another device")
    load_taxonomy("other", "1", "Other", ROWS)
    load_taxonomy("shop", "1", "Shop", ROWS)
    taxonomy = Taxonomy.objects.get(code="shop")
    leaf = taxonomy.categories.get(code="saws")
    for number in range(2):
        product = create_product({"sku": f"W-{number}", "name": DOUBTFUL, "category_id": leaf.pk})
        product.name += " again"
        product.save()
    review = _classified(product, administrator)
    for number in range(2):
        workflow = create_workflow(name=f"Workflow {number}", definition=DEFINITION, user_id=administrator.pk)
        workflow_versions(workflow, administrator)
    for _ in range(2):
        execution = executions.start(workflow_id=workflow.pk, user_id=administrator.pk)
    executions.advance(execution.pk)
    StepRun.objects.filter(execution=execution, step_id="gate").update(status=StepRun.Status.WAITING)
    job = classify.classify_items(
        [{"product_id": product.pk}], chosen=classify.options(taxonomy="shop"), user_id=administrator.pk
    )
    Chunk.objects.create(job=job, position=1, first=1, size=0)
    for message in ("Seen.", "Seen again."):
        LogLine.write(job, message)
    for name in ("one.csv", "two.csv"):
        files.save(job, [b"sku,name"], name=name, media_type="text/csv")
        save_profile(ImportProfile(), {"name": name, "mapping": {"Nr": "sku"}})
    imported = imports.accept(
        BytesIO(b"sku,name\n1,\n2,\n"), "one.csv", imports.Options(dry_run=True), user=administrator
    )
    work_off(imported)
    export = work_off(export_jobs.start({}, "csv", user_id=administrator.pk))
    step = _mapped()
    return World(
        administrator=administrator,
        export=export,
        imported=imported,
        user=user,
        session=session,
        taxonomy=Taxonomy.objects.get(code="shop"),
        category=leaf,
        product=product,
        job=job,
        review=review,
        active=Classifier.objects.get(taxonomy=taxonomy, status=Classifier.Status.ACTIVE),
        classifier=_seen_beside_the_active_one(taxonomy, administrator),
        rule=contradicting_rules(taxonomy, administrator),
        workflow=workflow,
        execution=execution,
        next_version=step.target_taxonomy,
        step=step,
        carried=work_off(
            carrying.carry_over(step.source_taxonomy, step.target_taxonomy, user_id=administrator.pk)
        ),
    )


def _mapped() -> CategoryMapping:
    """A step from one version of a taxonomy to the next."""
    load_taxonomy("other", "2", "Other", ROWS)
    versions = Taxonomy.objects.filter(code="other").order_by("id")
    mapping.propose(versions[0], versions[1])
    return CategoryMapping.objects.latest("id")


def _seen_beside_the_active_one(taxonomy: Taxonomy, user: User) -> Classifier:
    """A classifier that was activated and taken back, with differences from the one that is active."""
    classifier = activation.activate(
        Classifier.objects.get(taxonomy=taxonomy, status=Classifier.Status.CANDIDATE), user_id=user.pk
    )
    activation.step_back(classifier, user_id=user.pk)
    run = shadow.start(classifier, size=2, user_id=user.pk)
    Difference.objects.bulk_create(
        Difference(
            run=run,
            position=position,
            product_id=position,
            name=DOUBTFUL,
            is_other_category=True,
            before_confidence=0.5,
            before_certain=False,
            after_confidence=0.6,
            after_certain=False,
        )
        for position in range(2)
    )
    return Classifier.objects.get(pk=classifier.pk)


def contradicting_rules(taxonomy: Taxonomy, user: User) -> Rule:
    """Three rules of which two contradict the third, checked; the last of them, which has been changed once."""
    for number, code in enumerate(("drills", "drills", "saws")):
        fields = {
            "taxonomy": taxonomy,
            "name": f"Rule {number}",
            "conditions": [{"field": "name", "operator": "contains", "value": "drill saw again"}],
            "category_id": taxonomy.categories.get(code=code).pk,
        }
        rule = rules.create_rule(fields, user_id=user.pk)
    rules.update_rule(rule, {"position": 2})
    work_off(rule_checks.check_rules(taxonomy, user_id=user.pk))
    return Rule.objects.get(pk=rule.pk)


def workflow_versions(workflow: Workflow, user: User) -> None:
    """A second version of a workflow."""
    changed = DEFINITION | {"steps": DEFINITION["steps"][:1]}
    update_workflow(workflow, {"definition": changed}, user_id=user.pk)


def _classified(product: Product, user: User) -> Classification:
    """The latest of some answers about a product, by the first of two classifiers."""
    for item in ({"name": DOUBTFUL}, {"product_id": product.pk}, {"product_id": product.pk}):
        classify.classify_one(item, taxonomy="shop", user_id=user.pk)
    Classification.objects.update(awaits_review=True, decision=Classification.Decision.NEEDS_REVIEW)
    classify.classify_one({"name": DOUBTFUL}, taxonomy="other", user_id=user.pk)
    candidate = training.train(Taxonomy.objects.get(code="shop"), user_id=user.pk)
    assert candidate.job
    work_off(candidate.job)
    return Classification.objects.filter(product=product).latest("id")


Body = Callable[[World], Any]

PRODUCT = {"sku": "NEW-1", "name": "Hammer drill", "gtin": "4006381333931", "attributes": {"voltage_v": 18}}
USER = {"email": "new@example.org", "name": "New", "roles": ["viewer"], "password": PASSWORD}
WORKFLOW = {"name": "New", "description": "", "enabled": True, "definition": DEFINITION}
POLICY = {
    "promised_precision": 0.97,
    "audit_share": 0.02,
    "retrain_after_decisions": 100,
    "retrain_cron": "0 4 * * *",
    "activation": "when_not_worse",
}
TAXONOMY = {"code": "new", "version": "1", "name": "New", "description": "", "language": "en"}
PROFILE = {
    "name": "New",
    "mapping": {"Artikel": "sku"},
    "delimiter": ";",
    "encoding": "cp1252",
    "header": True,
}
RULE: dict[str, Any] = {
    "name": "New",
    "conditions": [
        {"field": "manufacturer", "operator": "one_of", "value": ["Makita", "Bosch"]},
        {"field": "text", "operator": "contains", "value": "combi drill*"},
        {"field": "attributes.voltage_v", "operator": ">=", "value": 18},
    ],
    "position": 1,
    "enabled": True,
}

# A good body for every operation that takes one; None for those that take none.
BODIES: dict[str, Body | None] = {
    "POST /auth/login": lambda world: {"email": world.user.email, "password": PASSWORD},
    "POST /auth/refresh": lambda world: {"refresh_token": token_pair(world.session).refresh},
    "POST /auth/logout": None,
    "PATCH /auth/me": lambda world: {"name": "Another"},
    "POST /auth/password": lambda world: {"current_password": PASSWORD, "new_password": f"{PASSWORD} staple"},
    "POST /api/v1/users": lambda world: USER,
    "PUT /api/v1/users/{pk}": lambda world: USER,
    "PATCH /api/v1/users/{pk}": lambda world: {"name": "Another"},
    "POST /api/v1/products": lambda world: PRODUCT | {"category_id": world.category.pk},
    "PUT /api/v1/products/{pk}": lambda world: PRODUCT | {"category_id": world.category.pk},
    "PATCH /api/v1/products/{pk}": lambda world: {"name": "Another"},
    "POST /api/v1/products/bulk": lambda world: {
        "create": [PRODUCT],
        "update": [{"id": world.product.pk, "name": "Another"}],
        "delete": [],
    },
    "POST /api/v1/products/import": lambda world: {"job": str(world.imported.pk), "mode": "create"},
    "POST /api/v1/products/import/preview": lambda world: {"job": str(world.imported.pk)},
    "POST /api/v1/import-profiles": lambda world: PROFILE,
    "PUT /api/v1/import-profiles/{pk}": lambda world: PROFILE,
    "PATCH /api/v1/import-profiles/{pk}": lambda world: {"name": "Another"},
    "POST /api/v1/taxonomies": lambda world: TAXONOMY,
    "PUT /api/v1/taxonomies/{pk}": lambda world: TAXONOMY,
    "PATCH /api/v1/taxonomies/{pk}": lambda world: {"name": "Another"},
    "POST /api/v1/taxonomies/import": lambda world: {
        "content": "code,parent,name\nnew,,New\n",
        "format": "plain",
        "code": "imported",
        "version": "1",
        "name": "Imported",
        "language": "en",
        "dry_run": False,
    },
    "POST /api/v1/taxonomies/{pk}/carry-over": lambda world: {"source": "other@1"},
    "POST /api/v1/taxonomies/{pk}/carry-back": lambda world: {"job": str(world.carried.pk)},
    "POST /api/v1/mappings": lambda world: {
        "source_id": world.category.pk,
        "target_id": world.step.target_id,
        "target_taxonomy": world.step.target_taxonomy_id,
    },
    "PUT /api/v1/mappings/{pk}": lambda world: {
        "source_id": world.step.source_id,
        "target_id": world.step.target_id,
    },
    "PATCH /api/v1/mappings/{pk}": lambda world: {"target_id": world.step.target_id},
    "POST /api/v1/mappings/propose": lambda world: {"source": "shop", "target": "other"},
    "POST /api/v1/mappings/suggest": lambda world: {"source": "shop", "target": "other"},
    "POST /api/v1/categories": lambda world: {
        "taxonomy": "shop",
        "parent": world.category.pk,
        "code": "new",
        "name": "New",
        "keywords": ["new"],
    },
    "PUT /api/v1/categories/{pk}": lambda world: {
        "taxonomy": "shop",
        "parent": world.category.parent_id,
        "code": "new",
        "name": "New",
    },
    "PATCH /api/v1/categories/{pk}": lambda world: {"name": "Another"},
    "POST /api/v1/classify": lambda world: {
        "name": "Makita 18V combi drill",
        "manufacturer": "Makita",
        "attributes": {"voltage_v": 18},
        "taxonomy": "shop",
        "top_k": 3,
        "apply": False,
    },
    "POST /api/v1/classify/batch": lambda world: {"product_ids": [world.product.pk], "taxonomy": "shop"},
    "POST /api/v1/classify/reclassify": lambda world: {
        "because": {"taxonomy": "shop"},
        "apply": True,
        "dry_run": False,
    },
    "POST /api/v1/classify/{pk}/cancel": None,
    "POST /api/v1/classify/{pk}/retry": None,
    "POST /api/v1/jobs/{pk}/cancel": None,
    "POST /api/v1/jobs/{pk}/retry": None,
    "POST /api/v1/classifiers": lambda world: {"taxonomy": "shop"},
    "POST /api/v1/classifiers/{pk}/activate": None,
    "POST /api/v1/classifiers/{pk}/return": None,
    "POST /api/v1/classifiers/{pk}/shadow": lambda world: {"size": 2},
    "PUT /api/v1/taxonomies/{pk}/policy": lambda world: POLICY,
    "PATCH /api/v1/taxonomies/{pk}/policy": lambda world: {"audit_share": 0.02},
    "POST /api/v1/rules": lambda world: RULE | {"taxonomy": "shop", "category_id": world.category.pk},
    "PUT /api/v1/rules/{pk}": lambda world: RULE | {"taxonomy": "shop", "category_id": world.category.pk},
    "PATCH /api/v1/rules/{pk}": lambda world: {"name": "Another"},
    "POST /api/v1/rules/preview": lambda world: {"conditions": RULE["conditions"]},
    "POST /api/v1/rules/check": lambda world: {"taxonomy": "shop"},
    "POST /api/v1/reviews/{pk}": lambda world: {
        "decision": "correct",
        "category_id": world.category.pk,
        "note": "Seen",
    },
    "POST /api/v1/workflows": lambda world: WORKFLOW,
    "PUT /api/v1/workflows/{pk}": lambda world: WORKFLOW,
    "PATCH /api/v1/workflows/{pk}": lambda world: {"description": "Another"},
    "POST /api/v1/workflows/{workflow_id}/executions": lambda world: {"input": {"a": 1}},
    "POST /api/v1/executions/{pk}/cancel": None,
    "POST /api/v1/executions/{pk}/retry": None,
    "POST /api/v1/executions/{pk}/steps/{step}/approve": lambda world: {"note": "Good"},
    "POST /api/v1/executions/{pk}/steps/{step}/reject": lambda world: {"note": "Bad"},
}
