"""``manage.py train_classifier``: train a new version here, and say how good it is."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from classification.models import Classifier
from classification.services import activation, engines, training
from nexus.api.errors import Problem
from nexus.jobs import services as jobs
from nexus.jobs.models import Job
from nexus.jobs.running import tell

# Between two looks at a job that a worker has taken.
PAUSE_S = 0.1
SECOND = 1.0


class Command(BaseCommand):
    """Trains as the workers would, through the same job."""

    help = "Train a new classifier for a taxonomy in this process, and say how good it is."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which taxonomy, and whether the new version is to answer from now on."""
        parser.add_argument("taxonomy", help="code or code@version")
        parser.add_argument("--activate", action="store_true", help="let the new version answer at once")

    def handle(self, *args: Any, **options: Any) -> None:
        """Train, report, and activate."""
        try:
            accepted = training.train(engines.taxonomy_of(options["taxonomy"]), user_id=None)
            assert accepted.job
            tell(accepted.job)
            self._run(accepted.job, options["taxonomy"])
            classifier = Classifier.objects.without_artefact().select_related("taxonomy").get(pk=accepted.pk)
            if classifier.status == Classifier.Status.FAILED:
                raise CommandError(f"Version {classifier.version} was not trained: {classifier.error}")
            if options["activate"]:
                classifier = activation.activate(classifier, user_id=None)
        except Problem as problem:
            raise CommandError(str(problem.detail)) from None
        self._report(classifier)

    def _run(self, job: Job, taxonomy: str) -> None:
        """Work with whatever workers there are: one of them may have taken the job."""
        with (
            tqdm(total=job.total, desc=f"Training {taxonomy}", file=sys.stderr, disable=None) as bar,
            _clock(bar),
        ):
            while not job.is_finished:
                if not jobs.work_on(job.pk):
                    sleep(PAUSE_S)
                job.refresh_from_db()
                bar.update(job.processed - bar.n)

    def _report(self, classifier: Classifier) -> None:
        metrics = classifier.metrics
        self.stdout.write(
            f"Version {classifier.version} of {classifier.taxonomy.code} is {classifier.status}. "
            f"It has learned from {classifier.training_size} labelled products of "
            f"{metrics['labelled_categories']} of {metrics['categories']} categories."
        )
        if metrics.get("accuracy") is None:
            self.stdout.write("There was nothing to measure it with.")
            return
        self.stdout.write(f"On products it had not seen: {metrics['accuracy']:.1%} right at first", ending="")
        if metrics.get("coverage") is None:
            self.stdout.write("; too few of them to promise anything.")
            return
        of_these = f", {metrics['precision']:.1%} of these right" if metrics["precision"] is not None else ""
        self.stdout.write(
            f", {metrics['coverage']:.1%} certain{of_these} ({metrics['promised_precision']:.1%} were promised)."
        )


@contextmanager
def _clock(bar: Any) -> Iterator[None]:
    """Show the time that has passed every second, since the fitting itself tells nothing."""
    done = Event()

    def tick() -> None:
        while not done.wait(SECOND):
            bar.refresh()

    thread = Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
