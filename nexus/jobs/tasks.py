"""The tasks of jobs: thin shells around `nexus.jobs.services`."""

from celery import shared_task

from nexus.jobs import messages, services


@shared_task(name=messages.WORK_ON_JOB)
def work_on_job(job_id: str) -> None:
    """Do the next chunk of a job, and pass the message on while there are more."""
    if services.work_on(job_id):
        services.pass_on(job_id)


@shared_task(name="nexus.jobs.recover_jobs")
def recover_jobs() -> int:
    """Find work that nobody does."""
    return services.recover()
