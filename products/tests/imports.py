"""What tests of imports share."""

import io
from typing import Any

from rest_framework.test import APIClient

from nexus.jobs.models import Job
from nexus.jobs.tests.conftest import work_off

URL = "/api/v1/products/import"
CSV = "sku,name,gtin\nA-1,Drill,4006381333931\nA-2,Saw,\n"


def send(
    client: APIClient,
    content: str | bytes = CSV,
    name: str = "file.csv",
    headers: Any = None,
    path: str = URL,
    **form: Any,
) -> Any:
    """The answer to a file that is sent to be imported."""
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    file.name = name
    return client.post(path, {"file": file, **form}, format="multipart", headers=headers)


def import_file(client: APIClient, content: str | bytes = CSV, **form: Any) -> Job:
    """A file imported to the end of its job."""
    answer = send(client, content, **form)
    assert answer.status_code == 202, answer.content
    return work_off(Job.objects.get(pk=answer.json()["id"]))


def counts(job: Job) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, failed."""
    return tuple(job.result[name] for name in ("created", "updated", "unchanged", "failed"))


def errors(client: APIClient, job: Job) -> list[tuple[int, str, str]]:
    """Row, column and code of every error."""
    page = client.get(f"{URL}/{job.pk}/errors", {"page_size": 500})
    assert page.status_code == 200, page.content
    return [(one["row"], one["column"], one["code"]) for one in page.json()["results"]]


def content_of(answer: Any) -> str:
    """The text of a download."""
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content).decode("utf-8-sig")
