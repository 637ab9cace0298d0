"""When a cron line is next due; expected moments are in UTC."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from workflows.engine import next_run


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def runs(cron: str, timezone_name: str, after: str, count: int) -> list[str]:
    moment, found = utc(after), []
    for _ in range(count):
        moment = next_run(cron, timezone_name, moment)
        found.append(moment.strftime("%m-%d %H:%M"))
    return found


def test_the_time_of_the_line_is_that_of_its_timezone() -> None:
    assert next_run("0 2 * * *", "Europe/Berlin", utc("2026-01-10 00:00")) == utc("2026-01-10 01:00")
    assert next_run("0 2 * * *", "Europe/Berlin", utc("2026-07-10 00:30")) == utc("2026-07-11 00:00")
    assert next_run("0 2 * * *", "UTC", utc("2026-07-10 00:00")) == utc("2026-07-10 02:00")


def test_the_answer_is_in_utc_whatever_the_question_is_in() -> None:
    after = datetime(2026, 1, 10, 5, tzinfo=timezone(timedelta(hours=5)))
    due = next_run("0 2 * * *", "Europe/Berlin", after)
    assert (due, due.tzinfo) == (utc("2026-01-10 01:00"), UTC)


def test_a_line_due_at_the_very_moment_is_next_due_later() -> None:
    assert next_run("0 2 * * *", "UTC", utc("2026-01-10 02:00")) == utc("2026-01-11 02:00")
    assert next_run("* * * * *", "UTC", utc("2026-01-10 02:00:30")) == utc("2026-01-10 02:01")


def test_a_time_the_clock_leaps_over_is_due_right_after_the_leap() -> None:
    # Berlin, 29 March 2026: 02:00 becomes 03:00, which is 01:00 UTC.
    expected = ["03-28 01:30", "03-29 01:00", "03-30 00:30"]
    assert runs("30 2 * * *", "Europe/Berlin", "2026-03-27 12:00", 3) == expected


def test_a_time_that_comes_twice_is_due_once() -> None:
    # Berlin, 25 October 2026: 03:00 becomes 02:00, so 02:30 is 00:30 and 01:30 UTC.
    expected = ["10-24 00:30", "10-25 00:30", "10-26 01:30"]
    assert runs("30 2 * * *", "Europe/Berlin", "2026-10-23 12:00", 3) == expected


@pytest.mark.parametrize("minute", range(0, 60, 7))
def test_asking_within_the_hour_that_comes_twice_never_answers_with_the_past(minute: int) -> None:
    for hour in ("00", "01"):
        after = utc(f"2026-10-25 {hour}:{minute:02}")
        assert next_run("15,45 2 * * *", "Europe/Berlin", after) > after
    assert next_run("45 2 * * *", "Europe/Berlin", utc("2026-10-25 01:10")) == utc("2026-10-26 01:45")


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_line_by_the_quarter_hour_goes_on_through_the_change(day: str) -> None:
    moments = [utc(f"{day} 00:00")]
    while len(moments) < 20:
        moments.append(next_run("*/15 * * * *", "Europe/Berlin", moments[-1]))
    assert {later - earlier for earlier, later in pairwise(moments)} == {timedelta(minutes=15)}


def test_a_change_of_the_clock_at_midnight_loses_no_day() -> None:
    # Cairo, 24 April 2026: midnight becomes 01:00.
    assert runs("0 0 * * *", "Africa/Cairo", "2026-04-22 12:00", 3) == [
        "04-22 22:00",
        "04-23 22:00",
        "04-24 21:00",
    ]


def test_a_change_of_half_an_hour_is_kept_too() -> None:
    # Lord Howe, 4 October 2026: 02:00 becomes 02:30, which is 15:30 UTC the day before.
    assert runs("10 2 * * *", "Australia/Lord_Howe", "2026-10-03 00:00", 2) == ["10-03 15:30", "10-04 15:10"]


def test_a_leap_day_is_waited_for() -> None:
    assert next_run("0 0 29 2 *", "UTC", utc("2026-01-01 00:00")) == utc("2028-02-29 00:00")
