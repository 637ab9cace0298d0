"""Gives every pytest run, with or without make, empty services of its own; loaded by ``-p`` in pyproject.toml."""

import os

from nexus.devservices import throw_away

os.environ.setdefault("NEXUS_ENVIRONMENT", "development")
if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
    services = throw_away()
    os.environ.update(DATABASE_URL=services.database_url, REDIS_URL=services.redis_url)
