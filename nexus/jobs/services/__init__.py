"""The life of a job: created, prepared, worked off chunk by chunk, ended by counting, cancelled, retried, recovered.

Messages to workers only say that there is something to do. A worker that gets one claims the next chunk in the
database; when it is done it offers the chunk after those that have been offered. So a job of a million items gives
way to others after every chunk, and any message may be lost or come twice.
"""

from nexus.jobs.services.lifecycle import cancel, create_job, fail, job_finished, retry, save_chunks
from nexus.jobs.services.recovery import recover
from nexus.jobs.services.working import claim, run, work_on

__all__ = [
    "cancel",
    "claim",
    "create_job",
    "fail",
    "job_finished",
    "recover",
    "retry",
    "run",
    "save_chunks",
    "work_on",
]
