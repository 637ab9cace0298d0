"""What accounts does now and then."""

import logging

from celery import shared_task
from django.core.management import call_command

from accounts.services import sessions
from nexus.api import idempotency

logger = logging.getLogger(__name__)


@shared_task(name="accounts.delete_expired")
def delete_expired() -> None:
    """Forget sessions, sign-ins at the admin site and answers to idempotency keys that are long over."""
    call_command("clearsessions")
    logger.info("Deleted %d sessions and %d answers", sessions.delete_expired(), idempotency.delete_expired())
