"""What can be wrong with an installation, and the command that mends it.

Upper packages add checks of their own with `register` when their application is ready.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu import Connection

from nexus.ops import workers
from nexus.ops.redis import client

LEAST_FREE_BYTES = 1024**3
OLDEST_POSTGRESQL = 140_000


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check. `mend` is what to type or to change; it is empty when nothing is wrong."""

    name: str
    detail: str
    mend: str = ""
    is_fatal: bool = True

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.mend


Check = Callable[[], Finding]

_checks: list[Check] = []


def register(check: Check) -> None:
    """Have a check run after those that were registered before it."""
    _checks.append(check)


def findings() -> Iterator[Finding]:
    """The outcome of every check. Those that need the database are left out when it does not answer."""
    database = check_database()
    yield database
    if database.is_well:
        yield check_migrations()
    yield check_redis()
    yield check_broker()
    yield check_workers()
    yield check_static_files()
    yield check_disk()
    if database.is_well:
        for check in _checks:
            yield _safely(check)


def _safely(check: Check) -> Finding:
    try:
        return check()
    except DatabaseError as error:
        return Finding(check.__name__, str(error).strip(), "python manage.py migrate")


def check_database() -> Finding:
    """Whether PostgreSQL answers, and is new enough."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('server_version_num')::int, current_setting('server_version')"
            )
            number, version = cursor.fetchone()
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        return Finding("database", reason, "Start PostgreSQL, or correct DATABASE_URL.")
    if number < OLDEST_POSTGRESQL:
        return Finding("database", f"PostgreSQL {version} is too old.", "Upgrade PostgreSQL to 14 or later.")
    return Finding("database", f"PostgreSQL {version}")


def check_migrations() -> Finding:
    """Whether the tables are those of this version."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        missing = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:3])
        return Finding("migrations", f"{len(plan)} not applied ({missing} ...)", "python manage.py migrate")
    return Finding("migrations", "all applied")


def check_redis() -> Finding:
    """Whether Redis answers. Without it Nexus works, slower."""
    try:
        version = client().info("server")["redis_version"]
    except Exception as error:
        mend = "Start Redis, or correct REDIS_URL."
        return Finding("redis", f"{type(error).__name__}: {error}", mend, is_fatal=False)
    return Finding("redis", f"answers as {version}")


def check_broker() -> Finding:
    """Whether the broker of the workers answers."""
    try:
        with Connection(settings.CELERY_BROKER_URL, connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except Exception as error:
        mend = "Start the broker, or correct CELERY_BROKER_URL."
        return Finding("broker", f"{type(error).__name__}: {error}", mend)
    return Finding("broker", "answers")


def check_workers() -> Finding:
    """Whether a Celery worker has reported lately."""
    alive = workers.workers()["alive"]
    if alive:
        return Finding("workers", f"{alive} alive")
    mend = "celery -A nexus worker (and once: celery -A nexus beat)"
    return Finding("workers", "none has reported in the last 30 seconds", mend)


def check_static_files() -> Finding:
    """Whether the files of the admin and the docs are where gunicorn serves them from."""
    if settings.DEVELOPMENT:
        return Finding("static files", "served from the packages in development")
    if not any(Path(settings.STATIC_ROOT).glob("staticfiles*.json")):
        return Finding("static files", "not collected", "python manage.py collectstatic --no-input")
    return Finding("static files", "collected")


def check_disk() -> Finding:
    """Whether there is room for uploads and logs."""
    free = shutil.disk_usage(settings.BASE_DIR).free
    detail = f"{free / 1024**3:.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        return Finding("disk", detail, "Make room: less than 1 GiB is left.", is_fatal=False)
    return Finding("disk", detail)
