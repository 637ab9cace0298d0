"""``manage.py recover_jobs``: what the clock has done every ten seconds, for where it does not run."""

from typing import Any

from django.core.management.base import BaseCommand

from nexus.jobs import services


class Command(BaseCommand):
    """Finds the work that nobody does."""

    help = "Take back the chunks of dead workers, and send the messages that are missing. Safe at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        """Recover, and say how many jobs were woken."""
        self.stdout.write(f"{services.recover()} jobs were woken.")
