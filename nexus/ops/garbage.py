"""How often Python looks for garbage in the processes that serve requests and work on jobs."""

import gc
from typing import Any

# Requests and chunks leave few cycles behind. The default of 700 looks for them several times a request, and at
# every answer of a batch.
_NEW_OBJECTS = 50_000
_RARER_FOR_OLDER = 20


def collect_rarely(**_: Any) -> None:
    """Leave what is loaded now out of garbage collection, and look through the rest rarely.

    For a process that is about to fork; its children keep it so. Also a receiver of Celery's ``worker_init``.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _RARER_FOR_OLDER, _RARER_FOR_OLDER)
