"""How gunicorn serves Nexus: ``gunicorn -c nexus/gunicorn.py nexus.wsgi:application``."""

import atexit
import json
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

from gunicorn import glogging, util
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.workers.base import Worker

from nexus.ops.context import work_context
from nexus.ops.garbage import collect_rarely
from nexus.ops.problems import CONTENT_TYPE, problem_body

MEMORY = Path("/dev/shm")  # noqa: S108


class Logger(glogging.Logger):
    """Sends gunicorn's own messages the way of all others; see nexus.ops.logging."""

    def setup(self, cfg: Config) -> None:
        """Take gunicorn's handler away again."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def write_problem(sock: socket.socket, status_int: int, reason: str, mesg: str) -> None:
    """Answer what is no HTTP, or too long for it, with problem details (RFC 9457), as everything is answered here.

    `mesg` is what gunicorn found wrong; it repeats what the client sent, and the log has it.
    """
    code = reason.lower().replace(" ", "_")
    detail = "The server could not read this request."
    with work_context() as request_id:
        body = json.dumps(problem_body(code=code, status=status_int, detail=detail, instance=""))
    head = (
        f"HTTP/1.1 {status_int} {reason}",
        "Connection: close",
        f"Content-Type: {CONTENT_TYPE}",
        f"Content-Length: {len(body)}",
        f"X-Request-ID: {request_id}",
    )
    util.write_nonblock(sock, "\r\n".join([*head, "", body]).encode())


# Gunicorn would send a page of HTML, and has no setting for it.
util.write_error = write_problem


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prepare_metrics_directory() -> None:
    """Give this master an empty directory in which the workers add up their metrics.

    prometheus_client reads the variable when it is first imported. A reload runs this file again in the same
    process, and must not take the numbers of living workers away.
    """
    owner = str(os.getpid())
    if os.environ.get("NEXUS_METRICS_OWNER") == owner:
        return
    os.environ["NEXUS_METRICS_OWNER"] = owner
    directory = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="nexus-metrics-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for file in directory.glob("*.db"):
        file.unlink()
    atexit.register(remove_metrics_directory)


def when_ready(server: Arbiter) -> None:
    """Before the first fork: share no connection, and leave the loaded code out of garbage collection."""
    from django.db import connections

    connections.close_all()
    collect_rarely()


def child_exit(server: Arbiter, worker: Worker) -> None:
    """Forget the gauges of a worker that is gone; its counters go on counting."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def remove_metrics_directory() -> None:
    """Leave nothing behind when the master ends; the workers, its copies, leave the directory alone."""
    if os.environ.get("NEXUS_METRICS_OWNER") == str(os.getpid()):
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


prepare_metrics_directory()

bind = "127.0.0.1:8000"
LINUX = sys.platform == "linux"
worker_class = "nexus.worker.Worker" if LINUX else "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or cores())
threads = 4
preload_app = True
# Each worker listens on a socket of its own, and the kernel spreads the connections over them. On one that is shared,
# whichever worker wakes first takes them all, and they stay with it for as long as they are kept open.
reuse_port = LINUX
backlog = 2048
keepalive = 75
timeout = 60
graceful_timeout = 20
# A worker shows that it lives by touching a file, which must not wait for a disk.
worker_tmp_dir = str(MEMORY) if MEMORY.is_dir() else None

limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 16_384

# Headers about the original request are believed only where TRUSTED_PROXIES says that a proxy writes them.
forwarded_allow_ips = "*" if int(os.environ.get("TRUSTED_PROXIES") or 0) else ""
forwarder_headers = ""

logger_class = Logger
accesslog = None
control_socket_disable = True
