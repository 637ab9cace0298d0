"""Workflows to try things on, and workers: those of the test itself, and real ones."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from nexus.celery import app
from products.models import Category, Product, Taxonomy
from products.services.products import create_product
from workflows.models import Workflow
from workflows.services.definitions import create_workflow

MakeWorkflow = Callable[..., Workflow]


class Workers:
    """Works off the messages that wait in the broker, as workers do, in the process of the test."""

    def __init__(self) -> None:
        self.delayed: list[str] = []
        app.loader.import_default_modules()
        with app.connection_for_read() as broker:
            channel: Any = broker.default_channel
            for queue in settings.QUEUES:
                channel.queue_purge(queue)

    def work(self) -> list[str]:
        """Work until no message is left; say which tasks ran. Messages for later are set aside."""
        ran = []
        while (message := self._next()) is not None:
            name, arguments, due = message
            if due is not None and due > timezone.now():
                self.delayed.append(name)
                continue
            app.tasks[name](*arguments)
            ran.append(name)
        return ran

    def lose_messages(self) -> None:
        """Forget every message, as a broker that is restarted without its memory does."""
        while self._next() is not None:
            pass

    def _next(self) -> tuple[str, list[Any], datetime | None] | None:
        with app.connection_for_read() as broker:
            channel: Any = broker.default_channel
            waiting = (channel.basic_get(queue, no_ack=True) for queue in settings.QUEUES)
            message = next((one for one in waiting if one is not None), None)
        if message is None:
            return None
        arguments, _, _ = json.loads(message.body)
        eta = message.headers.get("eta")
        return message.headers["task"], arguments, datetime.fromisoformat(eta) if eta else None


@pytest.fixture
def workers(transactional_db: None) -> Workers:
    """Workers that work when they are told to."""
    return Workers()


@pytest.fixture
def worker_process(transactional_db: None) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start real Celery workers on the database of the test: call it for one more."""
    name = connection.settings_dict["NAME"]
    environment = os.environ | {
        "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl(),
        "CELERY_BROKER_URL": settings.CELERY_BROKER_URL,
    }
    Workers()
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        options = ["--pool", "solo", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "nexus.celery", "worker", *options],
            env=environment,
            cwd=settings.BASE_DIR,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def definition(*steps: dict[str, Any], on: dict[str, Any] | None = None) -> dict[str, Any]:
    """A definition of some steps, started by hand."""
    return {"on": on or {"manual": {}}, "steps": list(steps)}


def select(step_id: str = "pick", **filters: Any) -> dict[str, Any]:
    """A step that selects products."""
    return {"id": step_id, "uses": "products.select", "with": {"filter": filters}}


def publish(*needs: str, **values: Any) -> dict[str, Any]:
    """A step that makes products active."""
    return {
        "id": "publish",
        "uses": "products.update",
        "needs": list(needs),
        "with": {"set": {"status": "active"}},
    } | values


def gate(*needs: str, **values: Any) -> dict[str, Any]:
    """A step that waits for an approval."""
    return {"id": "gate", "uses": "approval", "needs": list(needs)} | values


@pytest.fixture
def make_workflow(db: None) -> MakeWorkflow:
    """Make workflows: ``make_workflow(*steps, name=..., on=...)``."""

    def make(*steps: dict[str, Any], on: dict[str, Any] | None = None, **fields: Any) -> Workflow:
        fields = {"name": f"Workflow {Workflow.objects.count() + 1}"} | fields
        return create_workflow(definition=definition(*(steps or (select(),)), on=on), **fields)

    return make


def start(client: Any, workflow: Workflow, **body: Any) -> str:
    """Start a workflow through the API, and say where its execution can be watched."""
    answer = client.post(f"/api/v1/workflows/{workflow.pk}/executions", body)
    assert answer.status_code == 202, answer.content
    return str(answer["Location"])


def states(execution: dict[str, Any]) -> dict[str, str]:
    """The states of the steps of an execution, by id."""
    return {step["id"]: step["status"] for step in execution["steps"]}


@pytest.fixture
def taxonomy(db: None) -> Taxonomy:
    """A small taxonomy with two categories that are easy to tell apart."""
    taxonomy = Taxonomy.objects.create(code="shop", name="Shop")
    for code, name, keywords in (
        ("drills", "Hammer drills", ["hammer drill", "combi drill", "sds"]),
        ("paints", "Masonry paints", ["masonry paint", "exterior paint", "emulsion"]),
    ):
        _category(taxonomy, code, name, keywords)
    return taxonomy


def _category(taxonomy: Taxonomy, code: str, name: str, keywords: list[str]) -> Category:
    category = Category.objects.create(
        taxonomy=taxonomy, code=code, name=name, keywords=keywords, path=name, level=1, lineage=""
    )
    Category.objects.filter(pk=category.pk).update(lineage=f"{category.pk}/")
    return category


@pytest.fixture
def products(db: None) -> list[Product]:
    """Two drills and one thing that nobody can name, all drafts."""
    names = ("18V brushless hammer drill", "SDS hammer drill 800 W", "Gift voucher")
    return [create_product({"sku": f"P-{index}", "name": name}) for index, name in enumerate(names)]
