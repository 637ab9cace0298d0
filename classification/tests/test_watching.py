"""How classifiers do in use, as operators see it."""

import logging
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from classification.models import Alarm, Classification, Review
from classification.observation import gauges
from classification.services import engines, watching
from conftest import ClientOf
from nexus.jobs.models import Job
from products.models import Taxonomy

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def answered(taxonomy: Taxonomy) -> Any:
    """Make answers of the active classifier, so many days old, and the decisions about them."""
    job = Job.objects.create(kind="classify", status="running")
    classifier = engines.active(taxonomy).id

    def make(number: int, decision: str, *, audit: bool = False, days: int = 1) -> None:
        first = Classification.objects.count()
        Classification.objects.bulk_create(
            Classification(
                job=job,
                position=first + index,
                input={},
                taxonomy=taxonomy,
                classifier_id=classifier,
                decision=decision,
                is_audit=audit,
            )
            for index in range(number)
        )
        made = Classification.objects.filter(position__gte=first)
        moment: datetime = NOW - timedelta(days=days)
        made.update(created_at=moment)
        if decision in DECISIONS:
            reviews = (Review(classification=answer, decision=DECISIONS[decision]) for answer in made)
            Review.objects.bulk_create(reviews)
            Review.objects.filter(classification__in=made).update(decided_at=moment)

    return make


DECISIONS = {"accepted": "accept", "corrected": "correct", "rejected": "reject"}


def kinds() -> set[str]:
    return {alarm["kind"] for alarm in watching.alarms()}


def test_the_live_error_rate_is_that_of_audits_alone(answered: Any) -> None:
    answered(95, "accepted", audit=True)
    answered(3, "corrected", audit=True)
    answered(2, "rejected", audit=True)
    answered(50, "rejected")
    answered(50, "auto_accepted", audit=True)
    assert watching.figures()["shop"]["live_error_rate"] == {
        "count": 5,
        "of": 100,
        "share": 0.05,
        # Wilson's interval, by hand.
        "interval": [0.0215, 0.1118],
    }


def test_the_answers_of_a_classifier_that_was_replaced_do_not_count(
    answered: Any, taxonomy: Taxonomy
) -> None:
    answered(10, "rejected", audit=True)
    Classification.objects.update(classifier=None)
    assert watching.figures()["shop"]["live_error_rate"]["of"] == 0


def test_what_people_decided_about_a_classifier_is_told_with_it(
    answered: Any, taxonomy: Taxonomy, client_of: ClientOf, viewer: User
) -> None:
    answered(8, "accepted", audit=True)
    answered(2, "corrected", audit=True)
    answered(1, "accepted")
    answered(3, "rejected")
    body = client_of(viewer).get(f"/api/v1/classifiers/{engines.active(taxonomy).id}").json()["decided"]
    assert body["audits"] == {
        "reviewed": 10,
        "accepted": 8,
        "corrected": 2,
        "rejected": 0,
        "precision": 0.8,
        "interval": [0.4902, 0.9433],
    }
    assert (body["doubtful"]["reviewed"], body["doubtful"]["precision"]) == (4, 0.25)


def test_the_rates_of_the_last_week_are_counted(answered: Any) -> None:
    answered(60, "auto_accepted")
    answered(10, "auto_accepted", audit=True)
    answered(20, "needs_review")
    answered(6, "accepted")
    answered(4, "corrected")
    answered(1, "failed")
    answered(99, "needs_review", days=8)
    watching.watch_all()
    figures = watching.figures()["shop"]
    assert (figures["abstention_rate"]["count"], figures["abstention_rate"]["of"]) == (30, 100)
    assert (figures["correction_rate"]["count"], figures["correction_rate"]["of"]) == (4, 10)


def test_more_corrections_than_before_raise_an_alarm(answered: Any) -> None:
    answered(190, "accepted", days=20)
    answered(10, "corrected", days=20)
    answered(40, "accepted")
    answered(20, "corrected")
    assert watching.watch_all() == 1
    (alarm,) = watching.alarms()
    assert (alarm["taxonomy"], alarm["kind"]) == ("shop", "corrections")
    assert (alarm["week"]["share"], alarm["before"]["share"]) == (0.3333, 0.05)


def test_more_abstentions_than_before_raise_an_alarm(answered: Any) -> None:
    answered(190, "auto_accepted", days=20)
    answered(10, "needs_review", days=20)
    answered(40, "auto_accepted")
    answered(20, "needs_review")
    watching.watch_all()
    assert kinds() == {"abstentions"}


@pytest.mark.parametrize(
    ("before", "week"),
    [
        # As before; more, but so little that chance does it; far more, but of too few.
        ((190, 10), (95, 5)),
        ((190, 10), (92, 8)),
        ((190, 10), (20, 20)),
        ((40, 0), (40, 40)),
    ],
)
def test_what_may_be_chance_raises_none(
    answered: Any, before: tuple[int, int], week: tuple[int, int]
) -> None:
    answered(before[0], "auto_accepted", days=20)
    answered(before[1], "needs_review", days=20)
    answered(week[0], "auto_accepted")
    answered(week[1], "needs_review")
    watching.watch_all()
    assert kinds() == set()


def test_a_promise_that_is_broken_raises_an_alarm(answered: Any) -> None:
    answered(40, "accepted", audit=True, days=60)
    answered(12, "rejected", audit=True, days=60)
    watching.watch_all()
    assert kinds() == {"promise"}


def test_an_alarm_is_logged_once_and_ends_when_its_cause_has_gone(
    answered: Any, taxonomy: Taxonomy, caplog: pytest.LogCaptureFixture
) -> None:
    answered(190, "auto_accepted", days=20)
    answered(10, "needs_review", days=20)
    answered(40, "auto_accepted")
    answered(20, "needs_review")
    with caplog.at_level(logging.WARNING):
        watching.watch_all()
        watching.watch_all()
    assert [record.message for record in caplog.records] == [
        "Alarm: more answers are left to reviewers than before"
    ]
    watching.watch(taxonomy, NOW + timedelta(days=30))
    assert kinds() == set()
    assert Alarm.objects.get().ended_at is not None


def test_what_is_asked_again_and_again_has_its_index(answered: Any, taxonomy: Taxonomy) -> None:
    answered(300, "auto_accepted")
    answered(5, "accepted", audit=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE classification_classification")
        cursor.execute("SET LOCAL enable_seqscan = off")
    answers, classifier = Classification.objects, engines.active(taxonomy).id
    for index, asked in (
        ("classification_review_queue", answers.filter(awaits_review=True).order_by("review_priority", "id")),
        (
            "classification_decided",
            answers.filter(classifier=classifier, is_audit=True, decision="accepted").order_by(),
        ),
        ("classification_by_day", answers.filter(created_at__gte=NOW).order_by()),
    ):
        assert index in asked.explain()


@pytest.fixture
def alarmed(answered: Any) -> None:
    answered(40, "accepted", audit=True)
    answered(20, "rejected", audit=True)
    watching.watch_all()


@pytest.mark.usefixtures("alarmed")
def test_operators_see_it_at_status(client_of: ClientOf, viewer: User) -> None:
    body = client_of(viewer).get("/status").json()
    assert [alarm["kind"] for alarm in body["alarms"]] == ["promise"]
    assert body["watching"]["shop"]["live_error_rate"]["share"] == 0.3333
    assert "training" in body["queues"]


@pytest.mark.usefixtures("alarmed")
def test_prometheus_reads_it() -> None:
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in gauges()
        for sample in metric.samples
    }
    assert samples["nexus_classifier_alarm", "shop", "promise"] == 1
    assert samples["nexus_classifier_live_error_rate", "shop", "estimate"] == 0.3333
    assert samples["nexus_classifier_live_error_rate", "shop", "lower"] < 0.3333
    assert samples["nexus_classifier_correction_rate", "shop", "estimate"] == 0.3333


@pytest.mark.usefixtures("alarmed")
@pytest.mark.parametrize(
    "page", ["/admin/", "/admin/classification/classifier/", "/admin/classification/classification/"]
)
def test_staff_see_it_at_the_head_of_their_pages(client: Client, administrator: User, page: str) -> None:
    client.force_login(administrator)
    assert "more of the accepted answers are wrong" in client.get(page).content.decode()
