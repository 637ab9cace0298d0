"""Child processes that never outlive their parent, and the accounts they run under."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
NOBODY = 65534


@dataclass(frozen=True)
class Account:
    """Who runs a process: the user of this process unless it says otherwise."""

    owner: int
    user: int | None = None
    group: int | None = None
    in_namespace: bool = False

    def popen_arguments(self) -> dict[str, Any]:
        """What `subprocess.Popen` needs to run a process under this account."""
        if self.user is None:
            return {}
        return {"user": self.user, "group": self.group, "extra_groups": []}


def accounts() -> list[Account]:
    """The accounts that may run PostgreSQL, which refuses root; the most convenient first."""
    if os.geteuid() != 0:
        return [Account(owner=os.geteuid())]
    return (
        [Account(owner=0, in_namespace=True), unprivileged()] if sys.platform == "linux" else [unprivileged()]
    )


def unprivileged() -> Account:
    """The account ``postgres``, or ``nobody`` on a machine without one."""
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_uid, entry.pw_gid)
    return Account(NOBODY, NOBODY, NOBODY)


def start(
    command: Sequence[str | Path],
    account: Account | None = None,
    dying_wish: signal.Signals = signal.SIGTERM,
    **popen_arguments: Any,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own; on Linux it gets `dying_wish` when this process dies."""
    account = account or Account(owner=os.geteuid())
    return subprocess.Popen(  # noqa: S603
        [str(part) for part in command],
        stdin=popen_arguments.pop("stdin", subprocess.DEVNULL),
        start_new_session=True,
        preexec_fn=_preparation(account, dying_wish),
        **account.popen_arguments(),
        **popen_arguments,
    )


def succeeds(command: Sequence[str | Path], account: Account) -> bool:
    """Whether a short command ends well under an account."""
    try:
        child = start(command, account, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return False
    return child.wait() == 0


def stop(child: subprocess.Popen[bytes], wish: signal.Signals = signal.SIGTERM, seconds: float = 5) -> None:
    """Ask a child to end; after `seconds`, kill it and whatever it started."""
    with suppress(ProcessLookupError):
        child.send_signal(wish)
    with suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def stop_all(children: Iterable[subprocess.Popen[bytes]], seconds: float) -> None:
    """Ask children to end, all at once; after `seconds`, kill the rest and whatever any of them started."""
    children = list(children)
    deadline = time.monotonic() + seconds
    for child in children:
        with suppress(ProcessLookupError):
            child.terminate()
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, deadline - time.monotonic()))
        stop(child, signal.SIGKILL)


def end_stray(process: int, marks: Sequence[str], seconds: float = 10) -> None:
    """End a process that an earlier run left behind, known by the `marks` that its command line must have."""
    deadline = time.monotonic() + seconds
    wish = signal.SIGINT
    while _is(process, marks):
        with suppress(ProcessLookupError):
            os.kill(process, wish)
        wish = signal.SIGINT if time.monotonic() < deadline else signal.SIGKILL
        time.sleep(0.1)


def _is(process: int, marks: Sequence[str]) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_text(errors="replace")
    except OSError:
        if sys.platform == "linux":
            return False
        listing = ["/bin/ps", "-o", "args=", "-p", str(process)]
        command = subprocess.run(listing, capture_output=True, text=True, check=False).stdout  # noqa: S603
    return all(mark in command for mark in marks)


def _preparation(account: Account, dying_wish: signal.Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec. None where the system has nothing of the kind."""
    if sys.platform != "linux":
        return None
    parent = os.getpid()

    def prepare() -> None:
        if account.in_namespace:
            _enter_namespace()
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(dying_wish))
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def _enter_namespace() -> None:
    """Become nobody in a user namespace where root's files are nobody's (user_namespaces(7))."""
    group = os.getegid()
    if _LIBC.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{NOBODY} 0 1")
    _write("/proc/self/gid_map", f"{NOBODY} {group} 1")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:  # noqa: PTH123 (nothing more than needed between fork and exec)
        file.write(text)


def log_file(path: Path) -> IO[bytes]:
    """An empty file for the output of a child."""
    file = path.open("wb")
    path.chmod(0o600)
    return file
