"""The kinds of steps that there are; one file each."""

from workflows.engine import StepKindRegistry
from workflows.steps.approval import Approval
from workflows.steps.base import StepKind
from workflows.steps.classify import Classify
from workflows.steps.http_post import HttpPost
from workflows.steps.products_select import SelectProducts
from workflows.steps.products_update import UpdateProducts

registry: StepKindRegistry[StepKind] = StepKindRegistry()
for kind in (Approval(), Classify(), HttpPost(), SelectProducts(), UpdateProducts()):
    registry.register(kind)
