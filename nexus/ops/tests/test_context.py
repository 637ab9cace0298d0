"""On whose behalf a thread works."""

import contextlib
import uuid

from nexus.ops.context import bind, current_job_id, current_request_id, current_user_id, work_context


def test_a_task_works_under_the_request_that_asked_for_it() -> None:
    with work_context(request_id="the-request", user=7, job="the-job"):
        assert (current_request_id(), current_user_id(), current_job_id()) == ("the-request", 7, "the-job")


def test_work_that_nobody_asked_for_gets_an_id_of_its_own() -> None:
    with work_context() as first:
        pass
    with work_context() as second:
        pass
    assert uuid.UUID(first) != uuid.UUID(second)


def test_work_within_work_keeps_its_request_and_user() -> None:
    with work_context(request_id="the-request", user=7), work_context(job=uuid.UUID(int=1)) as request_id:
        assert (request_id, current_user_id()) == ("the-request", 7)
        assert current_job_id() == "00000000-0000-0000-0000-000000000001"


def test_what_was_bound_within_is_forgotten_even_after_an_error() -> None:
    with work_context(request_id="the-request"):
        with contextlib.suppress(ValueError), work_context(request_id="another"):
            bind(user=7, job="the-job")
            raise ValueError("broken")
        assert (current_request_id(), current_user_id(), current_job_id()) == ("the-request", None, None)
