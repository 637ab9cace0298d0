"""Structured logs: one JSON object a line on stderr, or plain coloured lines where a terminal reads them.

Nothing that a client sends can start a line of its own: control characters are escaped in both forms.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from nexus.ops.context import current_job_id, current_request_id, current_user_id

# What every LogRecord has; whatever else is on one came in by `extra`.
STANDARD_ATTRIBUTES = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
    # What Django adds to its records of errors; the request would show its query, secrets and all.
    "request",
    "status_code",
}
# Characters that end a line, move the cursor or turn the text around, for one reader or another.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Extras that the line's own message says already.
SAID_BY_MESSAGE = frozenset({"method", "path", "status"})
COLOURS = {
    "DEBUG": "\x1b[2m",
    "INFO": "\x1b[32m",
    "WARNING": "\x1b[33m",
    "ERROR": "\x1b[31m",
    "CRITICAL": "\x1b[41m",
}
RESET, FAINT = "\x1b[0m", "\x1b[2m"
# Loggers that would repeat what the request line says, or talk too much.
LEVELS = {
    "django": logging.INFO,
    "django.security.DisallowedHost": logging.CRITICAL,
    # Says of every single miss what the breaker of nexus.ops.redis says once.
    "django_redis.cache": logging.CRITICAL,
    # Complains about every connection to a Redis that is none of Redis Ltd.'s own.
    "redis": logging.INFO,
    "celery.worker.strategy": logging.WARNING,
    # Tells of every message that was done; jobs and executions tell of their ends themselves.
    "celery.app.trace": logging.WARNING,
    # Tells of every entry that is due, which is every few seconds.
    "celery.beat": logging.WARNING,
    "kombu": logging.WARNING,
    "amqp": logging.WARNING,
    "urllib3": logging.WARNING,
    "asyncio": logging.WARNING,
}


class StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever ``sys.stderr`` is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The stream to write to."""
        return sys.stderr


class JSONFormatter(logging.Formatter):
    """A record as one line of JSON: time (RFC 3339, UTC), level, logger, message, work, extras, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its newline."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry.update(work_of_this_thread())
        entry.update(extras(record))
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return _json_line(entry)


class TerminalFormatter(logging.Formatter):
    """A record for human eyes: time of day, level, logger, message and the extras in one coloured line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, followed by the indented traceback if there is one."""
        details = work_of_this_thread() | extras(record)
        said = " ".join(f"{key}={value}" for key, value in details.items() if key not in SAID_BY_MESSAGE)
        clock = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        line = (
            f"{clock} {COLOURS.get(record.levelname, '')}{record.levelname:<8}{RESET} {record.name}: "
            f"{escaped(record.getMessage())} {FAINT}{escaped(said)}{RESET}"
        )
        if record.exc_info:
            trace = self.formatException(record.exc_info).splitlines()
            line += "".join(f"\n    {escaped(part)}" for part in trace)
        return line


def escaped(text: str) -> str:
    """`text` with every unprintable character written as ``\\uXXXX``."""
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def work_of_this_thread() -> dict[str, Any]:
    """The request, user and job at work, without those that are not known."""
    work = {"request_id": current_request_id(), "user": current_user_id(), "job": current_job_id()}
    return {key: value for key, value in work.items() if value is not None}


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller gave by `extra`."""
    return {key: value for key, value in record.__dict__.items() if key not in STANDARD_ATTRIBUTES}


def _json_line(entry: dict[str, Any]) -> str:
    try:
        line = orjson.dumps(entry, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        # Lone surrogates and integers beyond 64 bits are more than orjson takes.
        entry["time"] = entry["time"].isoformat().replace("+00:00", "Z")
        return json.dumps(entry, default=str, skipkeys=True)
    return line if line.isascii() and "\x7f" not in line else escaped(line)


def only_tracebacks(record: logging.LogRecord) -> bool:
    """Whether a record of django.request says more than the request line does: an exception nobody caught."""
    return bool(record.exc_info) and record.levelno >= logging.ERROR


def configure(config: dict[str, Any]) -> None:
    """Set the process's logging up; `config` is ``settings.LOGGING``: ``{"level": "INFO"}``."""
    handler = StderrHandler()
    handler.setFormatter(TerminalFormatter() if sys.stderr.isatty() else JSONFormatter())
    root = logging.getLogger()
    root.handlers = [old for old in root.handlers if not isinstance(old, StderrHandler)] + [handler]
    root.setLevel(config["level"])
    logging.captureWarnings(True)
    # Spares the lookups of what no line says.
    logging.logProcesses = logging.logThreads = logging.logMultiprocessing = False
    logging._srcfile = None
    _quieten_libraries()


def _quieten_libraries() -> None:
    for name, level in LEVELS.items():
        logging.getLogger(name).setLevel(level)
    # Django's own set-up mails errors to the administrators and has runserver log each request a second time.
    logging.getLogger("django").handlers = []
    logging.getLogger("django.server").handlers = [logging.NullHandler()]
    logging.getLogger("django.request").filters = [only_tracebacks]


def keep_celery_off(**_: Any) -> None:
    """Receive Celery's ``setup_logging``: with a receiver there, Celery leaves logging alone."""
