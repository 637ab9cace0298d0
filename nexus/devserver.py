"""What ``make run`` runs: services, migrations, demo data, then gunicorn, two Celery workers and their clock.

Everything ends together: on Ctrl-C, on SIGTERM, and when a part cannot be started. A part that has run for a while and
ends by itself is started again, as Docker does with its restart policy.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import NoReturn

from nexus import devservices
from nexus.devservices.locks import FileLock
from nexus.devservices.processes import start, stop, stop_all

PROJECT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_SECONDS = 90
STOP_SECONDS = 5
# What ends sooner than this would only end again.
LASTING_SECONDS = 10
DEMO_ACCOUNTS = ("viewer", "editor", "reviewer", "admin")


def main() -> None:
    """Run Nexus for development until it is told to stop; exit code 1 when a part of it failed."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    os.chdir(PROJECT)
    os.environ["NEXUS_ENVIRONMENT"] = "development"
    port = _port()
    lock = _only_one(port)
    try:
        _start_services()
        _prepare()
        serve(port)
    except KeyboardInterrupt:
        sys.stdout.write("\nNexus has stopped.\n")
    finally:
        lock.release()


@dataclass
class Part:
    """One of the processes of a running Nexus."""

    name: str
    command: list[str]
    # What ends it at once.
    dying_wish: signal.Signals
    process: "subprocess.Popen[bytes]" = field(init=False)
    started: float = field(init=False)

    def start(self) -> None:
        """Start the process."""
        command = [sys.executable, "-m", *self.command]
        self.process = start(command, dying_wish=self.dying_wish, env=_environment(self.command))
        self.started = time.monotonic()

    def check(self) -> None:
        """Start the process again if it has ended; raises SystemExit when it did so soon after its start."""
        code = self.process.poll()
        if code is None:
            return
        if time.monotonic() - self.started < LASTING_SECONDS:
            sys.exit(f"{self.name} has ended (exit code {code}), so everything stops; see above.")
        sys.stderr.write(f"{self.name} has ended (exit code {code}), and is started again.\n")
        # With whatever it has left behind.
        stop(self.process, signal.SIGKILL)
        self.start()


def serve(port: int) -> None:
    """Run the server processes and watch over them; raises SystemExit when one of them does not run."""
    started: list[Part] = []
    try:
        for part in _parts(port):
            part.start()
            started.append(part)
        _wait_until_healthy(port, started)
        sys.stdout.write(_greeting(port) + "\n")
        sys.stdout.flush()
        parent = os.getppid()
        # A make that is killed tells nobody; its place as the parent is then taken by another process.
        while "MAKELEVEL" not in os.environ or os.getppid() == parent:
            _check(started)
            time.sleep(0.5)
    finally:
        stop_all([part.process for part in started], STOP_SECONDS)


def _parts(port: int) -> list[Part]:
    """The parts of a running Nexus."""
    web = ["gunicorn", "-c", "nexus/gunicorn.py", "--bind", f"{HOST}:{port}", "nexus.wsgi:application"]
    worker = ["celery", "--quiet", "-A", "nexus", "worker", "--without-gossip", "--without-mingle"]
    trainer = [*worker, "--queues", "training", "--concurrency", "1", "--hostname", "trainer@%h"]
    clock = ["celery", "--quiet", "-A", "nexus", "beat", "--schedule", ".nexus/beat", "--pidfile="]
    return [
        Part("The web server", web, signal.SIGTERM),
        Part("The Celery worker", [*worker, "--queues", "interactive,bulk"], signal.SIGKILL),
        Part("The Celery worker that trains", trainer, signal.SIGKILL),
        Part("The Celery clock", clock, signal.SIGTERM),
    ]


def _environment(command: list[str]) -> dict[str, str]:
    """The environment of a part. The web server's processes add up their metrics below ``.nexus``."""
    if command[0] != "gunicorn":
        return dict(os.environ)
    return {"PROMETHEUS_MULTIPROC_DIR": str(devservices.DIRECTORY / "metrics"), **os.environ}


def _port() -> int:
    text = os.environ.get("NEXUS_PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        sys.exit(f"NEXUS_PORT is {text!r}; it must be a number from 1 to 65535.")
    return int(text)


def _only_one(port: int) -> FileLock:
    """Hold the checkout's lock, and make sure that the port is free."""
    devservices.DIRECTORY.mkdir(mode=0o711, exist_ok=True)
    lock = FileLock(devservices.DIRECTORY / "run.lock")
    if not lock.try_to_take():
        sys.exit("Nexus already runs from this checkout. Stop it first (Ctrl-C in its terminal).")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            sys.exit(f"Port {port} is taken. Stop what uses it, or type: make run NEXUS_PORT={port + 1}")
    return lock


def _start_services() -> None:
    services = devservices.ensure()
    os.environ.update(DATABASE_URL=services.database_url, REDIS_URL=services.redis_url)


def _prepare() -> None:
    """Bring the database up to date and fill an empty one with the demo data."""
    for command in (["migrate", "--verbosity", "0"], ["seed"]):
        code = subprocess.run([sys.executable, "manage.py", *command], check=False).returncode  # noqa: S603
        if code != 0:
            sys.exit(f"manage.py {command[0]} failed; see above.")


def _wait_until_healthy(port: int, parts: list[Part]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_healthy(port):
        _check(parts)
        if time.monotonic() > deadline:
            sys.exit(f"Nexus did not become healthy within {START_SECONDS} seconds; see above.")
        time.sleep(0.1)


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _check(parts: list[Part]) -> None:
    for part in parts:
        part.check()


def _greeting(port: int) -> str:
    address = f"http://{HOST}:{port}"
    accounts = ", ".join(f"{name}@example.com" for name in DEMO_ACCOUNTS)
    password = os.environ.get("NEXUS_DEMO_PASSWORD") or "nexus-demo"
    lines = (
        "",
        f"Nexus runs at {address}",
        f"  API docs  {address}/docs",
        f"  admin     {address}/admin/",
        f"  accounts  {accounts}",
        f"  password  {password}",
        "Ctrl-C stops everything.",
    )
    return "\n".join(lines)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
