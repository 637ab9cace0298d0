"""Cron lines in a timezone."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)


class InvalidScheduleError(ValueError):
    """A cron line cannot be read, or never comes due."""


def check_cron(cron: str) -> None:
    """Raise InvalidScheduleError, saying why, unless the line has five good fields and comes due some day."""
    if len(cron.split()) != 5:
        message = "a cron line has five fields: minute, hour, day of month, month, day of week"
        raise InvalidScheduleError(message)
    try:
        next(CronSim(cron, _ANY_DAY))
    except CronSimError as error:
        raise InvalidScheduleError(f"{error} in cron line {cron!r}") from error
    except StopIteration as error:
        raise InvalidScheduleError(f"cron line {cron!r} never comes due") from error


def is_timezone(name: str) -> bool:
    """Whether the name is in the IANA timezone database of this machine."""
    return name in _timezones()


def next_run(cron: str, timezone: str, after: datetime) -> datetime:
    """Return the first moment (UTC) later than `after`, an aware time, at which a checked cron line is due.

    Changes of the clock follow Debian's cron. A line for set times (`30 2 * * *`) is due once a day: after
    the gap when its time is left out, at the first of two when its time comes twice. A line with `*` first
    in its minute or hour field goes on by elapsed time through the change.
    """
    local = after.astimezone(ZoneInfo(timezone))
    # In the hour that comes twice cronsim counts from the first of the two, so it may answer with the past.
    for due in CronSim(cron, local):
        moment = due.astimezone(UTC)
        if moment > after:
            return moment
    raise InvalidScheduleError(f"cron line {cron!r} never comes due")


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())
