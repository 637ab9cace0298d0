"""PostgreSQL and Redis of development: they start by themselves, are shared, and leave nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
import redis

from nexus.devservices import Services, ServicesError, cluster, ensure
from nexus.devservices.processes import Account, unprivileged
from nexus.devservices.servers import Postgres, Redis, free_port

PROJECT = Path(__file__).resolve().parent.parent
USER_OF_SERVICES = """
import sys
from pathlib import Path
from nexus import devservices
if sys.argv[1] == "throw-away":
    services = devservices.throw_away(Path(sys.argv[2]))
else:
    services = devservices.ensure(Path(sys.argv[2]))
print(services.database_url, services.redis_url, flush=True)
sys.stdin.read()
"""

Start = Callable[..., "User"]


class User:
    """A process that uses the services of a directory until its standard input ends."""

    def __init__(self, directory: Path, way: str = "ensure") -> None:
        environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER_OF_SERVICES, way, str(directory)],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._services: Services | None = None

    @property
    def services(self) -> Services:
        """The services that the process was given."""
        if self._services is None:
            assert self.process.stdout is not None
            self._services = Services(*self.process.stdout.readline().split())
        return self._services

    def leave(self) -> None:
        """Let the process end in peace."""
        self.process.communicate()

    def die(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start_user() -> Iterator[Start]:
    """Starts users, and ends them after the test."""
    users: list[User] = []

    def start(directory: Path, way: str = "ensure") -> User:
        users.append(User(directory, way))
        return users[-1]

    yield start
    for user in users:
        user.die()
    until(lambda: not any(answers(user.services) for user in users if user._services))


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for a condition; fail if it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def answers(services: Services) -> bool:
    """Whether either of two services still answers."""
    return not (Postgres.problem(services.database_url) and Redis.problem(services.redis_url))


def query(services: Services, text: str) -> list[tuple[object, ...]]:
    """The rows of a query, committed."""
    connection = psycopg2.connect(services.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(text)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def processes_of(directory: Path) -> list[int]:
    """The processes that were started for a directory, users excepted."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_text()
        except OSError:
            continue
        if str(directory) in command and USER_OF_SERVICES not in command:
            found.append(int(file.parent.name))
    return found


def test_postgresql_and_redis_start_on_ports_of_their_own_and_ask_for_a_password(
    tmp_path: Path, start_user: Start
) -> None:
    services = start_user(tmp_path).services
    extensions = query(services, "SELECT name FROM pg_available_extensions WHERE name = 'pg_trgm'")
    assert extensions == [("pg_trgm",)]
    port = redis.Redis.from_url(services.redis_url).connection_pool.connection_kwargs["port"]
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=port).ping()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(services.database_url, password="wrong")


def test_the_next_run_finds_its_data_again(tmp_path: Path, start_user: Start) -> None:
    first = start_user(tmp_path)
    query(first.services, "CREATE TABLE kept AS SELECT 7 AS number")
    first.leave()
    until(lambda: not answers(first.services))
    assert query(start_user(tmp_path).services, "SELECT number FROM kept") == [(7,)]


def test_two_processes_that_start_at_once_share_one_pair_until_the_last_one_leaves(
    tmp_path: Path, start_user: Start
) -> None:
    first, second = start_user(tmp_path), start_user(tmp_path)
    assert first.services == second.services
    first.die()
    time.sleep(1)
    assert query(second.services, "SELECT 1") == [(1,)]
    assert redis.Redis.from_url(second.services.redis_url).ping()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_killed_process_leaves_no_process_behind(tmp_path: Path, start_user: Start) -> None:
    user = start_user(tmp_path)
    assert user.services
    assert processes_of(tmp_path)
    user.die()
    until(lambda: not processes_of(tmp_path))
    assert not answers(user.services)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_after_everything_was_killed_the_data_is_found_again(tmp_path: Path, start_user: Start) -> None:
    user = start_user(tmp_path)
    query(user.services, "CREATE TABLE kept AS SELECT 7 AS number")
    for process in [user.process.pid, *processes_of(tmp_path)]:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
    assert (tmp_path / "postgres.url").exists()
    assert query(start_user(tmp_path).services, "SELECT number FROM kept") == [(7,)]


def test_a_server_that_dies_comes_back_at_the_same_address(tmp_path: Path, start_user: Start) -> None:
    services = start_user(tmp_path).services
    os.kill(int((tmp_path / "redis.pid").read_text()), signal.SIGKILL)
    postmaster = next(tmp_path.glob("pg*/postmaster.pid")).read_text().split()[0]
    os.kill(int(postmaster), signal.SIGKILL)
    time.sleep(0.3)
    until(lambda: Postgres.problem(services.database_url) == Redis.problem(services.redis_url) == "")


def test_a_number_in_a_stale_postmaster_pid_that_is_another_process_is_no_obstacle(
    tmp_path: Path, start_user: Start
) -> None:
    first = start_user(tmp_path)
    assert first.services
    first.leave()
    until(lambda: not answers(first.services))
    data = next(tmp_path.glob("pg*/PG_VERSION")).parent
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    assert query(start_user(tmp_path).services, "SELECT 1") == [(1,)]


def test_throw_away_services_are_separate_and_take_their_data_with_them(
    tmp_path: Path, start_user: Start
) -> None:
    first, second = start_user(tmp_path, "throw-away"), start_user(tmp_path, "throw-away")
    assert first.services != second.services
    first.leave()
    second.die()
    until(lambda: not list(tmp_path.glob("run-*")))


def test_what_a_power_cut_left_of_a_throw_away_run_is_removed_by_the_next(
    tmp_path: Path, start_user: Start
) -> None:
    (tmp_path / "run-lost" / "pg18").mkdir(parents=True)
    assert start_user(tmp_path, "throw-away").services
    assert not (tmp_path / "run-lost").exists()


def test_named_services_are_used_and_nothing_is_started(
    tmp_path: Path, start_user: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = start_user(tmp_path / "there").services
    monkeypatch.setenv("DATABASE_URL", services.database_url)
    monkeypatch.setenv("REDIS_URL", services.redis_url)
    assert ensure(tmp_path / "here") == services
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "url", "title"),
    [
        ("DATABASE_URL", "postgresql://nexus@127.0.0.1:{port}/nexus", "PostgreSQL"),
        ("REDIS_URL", "redis://127.0.0.1:{port}/0", "Redis"),
    ],
)
def test_a_named_service_that_does_not_answer_ends_the_program_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, url: str, title: str
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv(variable, url.format(port=free_port()))
    with pytest.raises(ServicesError, match=f"{variable} is set, but {title} does not answer") as caught:
        ensure(tmp_path)
    assert "\n" not in str(caught.value)


def test_data_of_a_postgresql_that_is_not_installed_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "pg9").mkdir()
    (tmp_path / "pg9" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServicesError, match="the data of PostgreSQL 9, which is not installed"):
        Postgres(tmp_path, throw_away=True)


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that every user can reach, in the place of the one below /var/lib."""
    folder = Path(tempfile.mkdtemp(prefix="nexus-test-", dir="/var/tmp"))
    folder.chmod(0o711)
    monkeypatch.setattr(cluster, "REACHABLE", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
@pytest.mark.parametrize(
    "way", [Account(owner=0, in_namespace=True), unprivileged()], ids=["namespace", "user"]
)
def test_root_runs_postgresql_below_a_closed_home(
    tmp_path: Path, reachable: Path, monkeypatch: pytest.MonkeyPatch, way: Account
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(cluster, "accounts", lambda: [way])
    for _ in range(2):
        server = Postgres(tmp_path, throw_away=False)
        server.start()
        try:
            assert Postgres.problem(server.url) == ""
        finally:
            server.stop()
    assert (tmp_path / "pg18" / "PG_VERSION").exists()
