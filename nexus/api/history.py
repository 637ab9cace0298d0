"""What every table of events has in common; see ``PGHISTORY_*`` in the settings."""

import pghistory.models
from django.db import models


class Event(pghistory.models.Event):
    """A row as it was after an insert or an update, or before a deletion.

    `pgh_context` says on whose behalf: ``{"source", "request_id", "user"}``, each where it is known.
    """

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        abstract = True
