"""``manage.py suggest_mappings``: steps between two taxonomies as the target's classifier reads names."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classification.services import mapping_suggestions
from nexus.api.errors import Problem
from nexus.jobs.models import Job
from nexus.jobs.running import run_to_end, text_of
from products.management.references import taxonomy_named


class Command(BaseCommand):
    """Suggests in this process, together with whatever workers there are."""

    help = "Suggest a step for every category without one, by the target's classifier; a person decides."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From where to where."""
        parser.add_argument("source", help="code@version")
        parser.add_argument("target", help="code@version")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the job to its end. Raises CommandError when it fails."""
        source, target = taxonomy_named(options["source"]), taxonomy_named(options["target"])
        try:
            job = mapping_suggestions.suggest(source, target, user_id=None)
        except Problem as problem:
            raise CommandError(text_of(problem)) from None
        run_to_end(job)
        job.refresh_from_db()
        if job.status != Job.Status.SUCCEEDED:
            raise CommandError(job.error or f"Job {job.pk} is {job.status}.")
        self.stdout.write(
            f"{job.result['suggestions']} suggestions are open; list_mappings --open shows them."
        )
