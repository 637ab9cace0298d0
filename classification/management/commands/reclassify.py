"""``manage.py reclassify``: classify again what a change touches, and nothing else."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classification.services import reclassification, touched
from nexus.api.errors import Problem
from nexus.jobs.models import Job
from nexus.jobs.running import run_to_end, text_of


class Command(BaseCommand):
    """Classifies in this process, as the workers would."""

    help = "Classify again the products that a rule, another active classifier or a changed taxonomy touches."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The change, and what is done with the answers."""
        because = parser.add_mutually_exclusive_group(required=True)
        because.add_argument("--rule", type=int, metavar="ID", help="a rule that was made or changed")
        because.add_argument("--classifier", type=int, metavar="ID", help="the classifier that is active now")
        because.add_argument("--taxonomy", metavar="CODE", help="a taxonomy that has changed")
        parser.add_argument("--apply", action="store_true", help="write accepted categories to the products")
        parser.add_argument("--dry-run", action="store_true", help="only say how many products it touches")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many products the change touches, or run the job to its end."""
        because = {cause: options[cause] for cause in touched.CAUSES if options[cause] is not None}
        try:
            if options["dry_run"]:
                products, is_exact = touched.count(because)
                at_least = "" if is_exact else "At least "
                self.stdout.write(f"{at_least}{products} products would be classified again.")
                return
            job = reclassification.reclassify(because, apply=options["apply"], user_id=None)
        except Problem as problem:
            raise CommandError(text_of(problem)) from None
        run_to_end(job)
        self.stdout.write(f"{job.processed} of {job.total} classified again. Job {job.pk} is {job.status}.")
        if job.status != Job.Status.SUCCEEDED:
            raise CommandError("Not everything could be classified; the results of the job say why.")
