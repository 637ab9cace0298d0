"""Requests made up from the OpenAPI schema, thousands of them, and every answer held against it: ``make fuzz``."""

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from tests.live import Live, database, fill, redis_url, serving, url_of

CONFIGURATION = Path(__file__).with_suffix(".toml")
ROLES = ("admin", "reviewer", "viewer")
# These end the session that the requests are made in, or take its user's rights away.
LEFT_OUT = (
    "logout",
    "change_password",
    "end_my_session",
    "update_user",
    "replace_user",
    "deactivate_user",
)


def main() -> None:
    """Fuzz a Nexus of its own in each role; exit code 1 when an answer was not as the schema says."""
    with tempfile.TemporaryDirectory() as logs, database() as name:
        fill(url_of(name))
        with serving(url_of(name), redis_url(9), Path(logs)) as live:
            codes = [
                fuzz(live, role, "--max-examples", "50", "--max-time", "600", "--continue-on-failure")
                for role in ROLES
            ]
    sys.exit(max(codes))


def fuzz(live: Live, role: str, *options: str) -> int:
    """Run schemathesis as a demo user against a running Nexus; its exit code, 0 when nothing was found."""
    left_out = [part for operation in LEFT_OUT for part in ("--exclude-operation-id", operation)]
    command = [
        "--config-file",
        str(CONFIGURATION),
        "run",
        f"{live.url}/openapi.json",
        "--no-color",
        *left_out,
    ]
    return subprocess.run(
        [
            Path(sys.executable).with_name("st"),
            *command,
            "--header",
            f"Authorization: Bearer {token(live, role)}",
            *options,
        ],
        cwd=live.logs,
        check=False,
    ).returncode


def token(live: Live, role: str) -> str:
    """An access token of a demo user."""
    credentials = json.dumps({"email": f"{role}@example.com", "password": "nexus-demo"}).encode()
    request = urllib.request.Request(
        f"{live.url}/auth/login", credentials, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["access_token"])


if __name__ == "__main__":
    main()
