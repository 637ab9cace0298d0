"""What the clock asks of classification: thin shells around its services."""

from celery import shared_task

from classification.services import retraining, watching


@shared_task(name="classification.retrain")
def retrain() -> int:
    """Begin the trainings that are due."""
    return retraining.retrain_where_due()


@shared_task(name="classification.watch")
def watch() -> int:
    """Count anew, and raise and end alarms."""
    return watching.watch_all()
