"""Files of jobs: kept in blocks, read as streams, for their owners and administrators alone."""

import hashlib
import os
from collections.abc import Iterator

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from conftest import ClientOf
from nexus.jobs import files
from nexus.jobs.models import File, FileBlock
from nexus.jobs.tests.conftest import MakeJob

CONTENT = os.urandom(files.BLOCK_BYTES * 2 + 17)


@pytest.fixture
def file(make_job: MakeJob) -> File:
    parts = (CONTENT[start : start + 700_000] for start in range(0, len(CONTENT), 700_000))
    return files.save(make_job(), parts, name="größe.csv", media_type="text/csv")


def address(file: File) -> str:
    return f"/api/v1/jobs/{file.job_id}/files/{file.name}"


def test_a_file_is_kept_in_blocks_with_its_size_and_digest(file: File) -> None:
    assert (file.size, file.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert file.blocks.count() == 3
    assert b"".join(files.stream(file)) == CONTENT


def test_a_file_is_read_from_any_place(file: File) -> None:
    with files.opened(file) as reader:
        reader.seek(-20, os.SEEK_END)
        assert reader.read() == CONTENT[-20:]
        reader.seek(files.BLOCK_BYTES - 5)
        assert reader.read(10) == CONTENT[files.BLOCK_BYTES - 5 : files.BLOCK_BYTES + 5]


def test_the_owner_downloads_it(file: File, editor: User, client_of: ClientOf) -> None:
    answer = client_of(editor).get(address(file))

    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == CONTENT  # type: ignore[attr-defined]
    assert answer["Content-Length"] == str(len(CONTENT))
    assert "gr%C3%B6%C3%9Fe.csv" in answer["Content-Disposition"]
    listed = client_of(editor).get(f"/api/v1/jobs/{file.job_id}/files").json()["results"]
    assert [(one["name"], one["size"]) for one in listed] == [(file.name, file.size)]


def test_an_administrator_does_too_and_nobody_else(
    file: File, administrator: User, viewer: User, client_of: ClientOf
) -> None:
    assert client_of(administrator).get(address(file)).status_code == 200
    assert client_of(viewer).get(address(file)).status_code == 404
    assert APIClient().get(address(file)).status_code == 401


def test_a_file_that_is_not_whole_is_not_there(make_job: MakeJob, editor: User, client_of: ClientOf) -> None:
    def parts() -> Iterator[bytes]:
        yield CONTENT
        raise RuntimeError

    job = make_job()
    with pytest.raises(RuntimeError):
        files.save(job, parts(), name="half", media_type="text/csv")
    file = File.objects.get(name="half")

    assert client_of(editor).get(address(file)).status_code == 404


def test_it_is_copied_for_another_job_and_deleted_with_its_own(file: File, make_job: MakeJob) -> None:
    copied = files.copy(file, make_job())
    file.job.delete()

    assert b"".join(files.stream(copied)) == CONTENT
    assert FileBlock.objects.count() == 3
