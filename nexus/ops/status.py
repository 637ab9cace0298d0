"""What ``/status`` tells an operator. Upper packages add their part when their application is ready."""

import logging
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import django
from django.conf import settings

from nexus import __version__
from nexus.ops import requests, workers

logger = logging.getLogger(__name__)

Section = Callable[[], Any]

_started = time.monotonic()
_sections: dict[str, Section] = {}
_counts: dict[str, Section] = {}


def register_section(name: str, read: Section) -> None:
    """Have `/status` show under `name` whatever JSON `read` returns, or null when it fails."""
    _sections[name] = read


def register_count(name: str, read: Section) -> None:
    """Have `/status` show ``counts.<name>``: a number, or numbers by status, or null when `read` fails."""
    _counts[name] = read


def build_status() -> dict[str, Any]:
    """The body of ``GET /status``. A part that cannot be told is null; the others are told all the same."""
    return {
        "version": __version__,
        "commit": commit(),
        "uptime_s": round(time.monotonic() - _started),
        "python": platform.python_version(),
        "django": django.get_version(),
        "counts": {name: _told(name, read) for name, read in _counts.items()},
        "workers": _told("workers", workers.workers),
        "queues": _told("queues", workers.queue_depths),
        "requests": _told("requests", requests.recent),
    } | {name: _told(name, read) for name, read in _sections.items()}


def _told(name: str, read: Section) -> Any:
    try:
        return read()
    except Exception:
        logger.exception("The status of %s could not be read", name)
        return None


@lru_cache(maxsize=1)
def commit() -> str | None:
    """The commit that runs: ``NEXUS_COMMIT``, else that of the checkout when it was first asked for."""
    named = os.environ.get("NEXUS_COMMIT")
    git = shutil.which("git")
    if named or git is None or not (settings.BASE_DIR / ".git").exists():
        return named or None
    command = [git, "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(  # noqa: S603
            command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=2, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
