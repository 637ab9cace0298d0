"""Nexus as in production and, beside it, another server that does the same work."""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from benchmarks.load import MeasurementError, Target, call
from nexus import devservices
from nexus.devservices.processes import start, stop
from nexus.devservices.servers import HOST, free_port

PROJECT = Path(__file__).resolve().parent.parent
DIRECTORY = devservices.DIRECTORY / "benchmark"
WORKERS = "2"
START_SECONDS = 60
EMAIL = "bench@example.com"


@dataclass(frozen=True, slots=True)
class Server:
    """A server with its data, to be signed in to."""

    name: str
    url: str
    password: str
    highest_id: int

    def sign_in(self) -> Target:
        """The server with a fresh token. Raises MeasurementError when it gives none."""
        body = json.dumps({"email": EMAIL, "password": self.password})
        status, answer = call(f"{self.url}/auth/login", "POST", body, token="")
        if status != 200:
            raise MeasurementError(f"{self.name}: no login, {status}: {answer}")
        return Target(self.name, self.url, answer["access_token"], self.highest_id)


def start_nexus(stack: ExitStack, services: devservices.Services, products: int) -> Server:
    """Nexus under gunicorn with that many products; it ends with the stack."""
    password = secrets.token_urlsafe(24)
    port = free_port()
    environment = common(services) | {
        "NEXUS_ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": HOST,
        "CORS_ALLOWED_ORIGINS": "http://localhost:3000",
        "NEXUS_ADMIN_PASSWORD": password,
        "WEB_CONCURRENCY": WORKERS,
        # The requests of a minute are counted, but one user sends all of them here.
        "NEXUS_REQUESTS_PER_MINUTE": "100000000",
    }
    python = sys.executable
    for command in (
        ["manage.py", "migrate", "--verbosity", "0"],
        ["manage.py", "create_admin", "--email", EMAIL],
        ["-m", "benchmarks.catalogue", str(products)],
    ):
        prepare([python, *command], environment, PROJECT)
    web = ["gunicorn", "-c", "nexus/gunicorn.py", "--bind", f"{HOST}:{port}", "nexus.wsgi:application"]
    return serve(stack, "nexus", [python, "-m", *web], environment, PROJECT, port, password, products)


def start_peer(stack: ExitStack, services: devservices.Services, products: int, folder: Path) -> Server:
    """The FastAPI application of a folder (``app.py``, ``models.py --seed``) under uvicorn."""
    python = environment_of(folder)
    port = free_port()
    database_url = create_database(services.database_url, "peer")
    apart = devservices.Services(database_url, services.redis_url.removesuffix("0") + "1")
    environment = common(apart) | {
        "JWT_SECRET": secrets.token_urlsafe(48),
        # The folder is somebody else's: nothing is written into it.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    prepare([python, "models.py", "--seed", str(products)], environment, folder)
    web = ["uvicorn", "app:app", "--host", HOST, "--port", str(port), "--workers", WORKERS]
    web += ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    command: list[str | Path] = [python, "-m", *web]
    return serve(stack, "peer", command, environment, folder, port, "bench-password", products)


def common(services: devservices.Services) -> dict[str, str]:
    """The environment of both servers: one core a worker for numerical libraries, too."""
    return dict(os.environ) | {
        "DATABASE_URL": services.database_url,
        "REDIS_URL": services.redis_url,
        "OMP_NUM_THREADS": "1",
    }


def prepare(command: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> None:
    """Run a command that a server needs before it starts. Raises MeasurementError when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        env=dict(environment),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise MeasurementError(f"{' '.join(map(str, command[1:]))} failed:\n{done.stderr[-2000:]}")


def serve(
    stack: ExitStack,
    name: str,
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path,
    port: int,
    password: str,
    highest_id: int,
) -> Server:
    """Start a server, with its log in a file, and wait until it is healthy. Raises MeasurementError."""
    url = f"http://{HOST}:{port}"
    path = DIRECTORY / f"{name}.log"
    log = stack.enter_context(path.open("wb"))
    child = start(command, env=dict(environment), cwd=folder, stdout=log, stderr=log)
    stack.callback(stop, child)
    deadline = time.monotonic() + START_SECONDS
    while not is_healthy(url):
        if child.poll() is not None or time.monotonic() > deadline:
            raise MeasurementError(f"{name} did not start; see {path}")
        time.sleep(0.1)
    return Server(name, url, password, highest_id)


def is_healthy(url: str) -> bool:
    """Whether ``/health`` answers with 200."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def environment_of(folder: Path) -> Path:
    """The Python of a virtual environment with the requirements of a folder, made on the first call."""
    directory = DIRECTORY / "peer"
    python = directory / "bin" / "python"
    installed = directory / "requirements.txt"
    wanted = (folder / "requirements.txt").read_text()
    if not installed.exists() or installed.read_text() != wanted:
        venv.create(directory, with_pip=True)
        quiet = ["--quiet", "--disable-pip-version-check"]
        prepare([python, "-m", "pip", "install", *quiet, "-r", "requirements.txt"], dict(os.environ), folder)
        installed.write_text(wanted)
    return python


def create_database(url: str, name: str) -> str:
    """Make another database beside the one of an URL, and return its own."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    return f"{url.rpartition('/')[0]}/{name}"
