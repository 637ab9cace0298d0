"""What commands that wait for a job have in common."""

import sys
from time import sleep

from tqdm import tqdm

from nexus.api.errors import Problem
from nexus.jobs import services as jobs
from nexus.jobs.models import Job

# Between two looks at a job whose rest is in the hands of workers.
PAUSE_S = 0.1


def run_to_end(job: Job) -> None:
    """Work with whatever workers there are; the rows of the job see to it that nothing is done twice."""
    tell(job)
    with tqdm(total=job.total, unit=" products", file=sys.stderr, disable=None) as bar:
        while not job.is_finished:
            if not jobs.work_on(job.pk):
                sleep(PAUSE_S)
            job.refresh_from_db()
            bar.total = job.total
            bar.update(job.processed - bar.n)


def tell(job: Job) -> None:
    """Say on the terminal which job it is, and why."""
    tqdm.write(f"Job {job.pk}: {job.reason}", file=sys.stderr)


def text_of(problem: Problem) -> str:
    """A problem for people: its places, or what it is about."""
    lines = [f"{error['pointer']}: {error['detail']}" for error in problem.errors]
    return "\n".join(lines or [str(problem.detail)])
