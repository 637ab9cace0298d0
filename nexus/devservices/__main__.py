"""Run a command with empty services that go when it ends.

Usage: ``python -m nexus.devservices <command> [argument...]``
"""

import os
import sys

from nexus.devservices import throw_away
from nexus.devservices.sharing import outlive_exec


def main() -> None:
    """Become the command, with ``DATABASE_URL`` and ``REDIS_URL`` set."""
    if len(sys.argv) < 2:
        sys.exit("Which command? python -m nexus.devservices <command> [argument...]")
    services = throw_away()
    os.environ.update(DATABASE_URL=services.database_url, REDIS_URL=services.redis_url)
    outlive_exec()
    try:
        os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 (the command is the caller's own)
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error.strerror}")


if __name__ == "__main__":
    main()
