"""Run a command with empty services that go with it: ``python -m nexus.devservices <command> [argument...]``."""

import os
import subprocess
import sys

from nexus.devservices import throw_away


def main() -> None:
    """Run the command and end with its exit code."""
    if len(sys.argv) < 2:
        sys.exit("Which command? python -m nexus.devservices <command> [argument...]")
    services = throw_away()
    os.environ.update(DATABASE_URL=services.database_url, REDIS_URL=services.redis_url)
    sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)


if __name__ == "__main__":
    main()
