"""What was measured of classifiers, as tables for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from classification import results

# The weakest categories and the most frequent confusions; the API has all of them.
MOST_ROWS = 30
NOTHING = "-"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> SafeString | str:
    """An HTML table; a dash when there are no rows."""
    body = format_html_join("", "<tr>{}</tr>", ((_cells("td", row),) for row in rows))
    if not body:
        return NOTHING
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", _cells("th", head), body)


def _cells(tag: str, values: Iterable[object]) -> SafeString:
    return format_html_join("", f"<{tag}>{{}}</{tag}>", ((value,) for value in values))


def percent(value: object) -> str:
    """A share as a percentage."""
    return f"{value:.1%}" if isinstance(value, int | float) else NOTHING


def overview(metrics: Mapping[str, Any]) -> SafeString | str:
    """The small figures, one a row."""
    return overviews({"": metrics})


def overviews(measured: Mapping[str, Mapping[str, Any]]) -> SafeString | str:
    """The small figures of several classifiers beside each other, by what is above the columns."""
    names = dict.fromkeys(name for metrics in measured.values() for name in metrics)
    rows = (
        (name.replace("_", " "), *[_figure(name, metrics.get(name)) for metrics in measured.values()])
        for name in names
    )
    return table(("measured at training", *measured), rows)


def _figure(name: str, value: object) -> object:
    if isinstance(value, float):
        return f"{value:.4f}" if name in {"ece", "threshold"} else percent(value)
    return value if isinstance(value, str | int) else NOTHING


def levels(report: Mapping[str, Any]) -> SafeString | str:
    """Accuracy by level of the tree."""
    rows = ((row["level"], percent(row["accuracy"])) for row in report.get("levels", ()))
    return table(("level", "accuracy"), rows)


def weakest_categories(report: Mapping[str, Any]) -> SafeString | str:
    """The categories whose products are missed most often."""
    measured = [row for row in report.get("categories", ()) if row.get("recall") is not None]
    weakest = sorted(measured, key=lambda row: (row["recall"], -row["examples"]))[:MOST_ROWS]
    shown = results.represent_report({"categories": weakest})["categories"]
    rows = (
        (row["category"]["path"], row["examples"], percent(row["precision"]), percent(row["recall"]))
        for row in shown
    )
    return table(("category", "examples", "precision", "recall"), rows)


def confusions(report: Mapping[str, Any]) -> SafeString | str:
    """Which categories are taken for which, the most frequent first."""
    most = sorted(report.get("confusions", ()), key=lambda row: -row["count"])[:MOST_ROWS]
    shown = results.represent_report({"confusions": most})["confusions"]
    rows = ((row["category"]["path"], row["answered"]["path"], row["count"]) for row in shown)
    return table(("is", "was answered", "times"), rows)


def calibration(report: Mapping[str, Any]) -> SafeString | str:
    """How often answers of about the same confidence were right."""
    rows = (
        (
            f"{percent(row['from'])} to {percent(row['to'])}",
            percent(row["confidence"]),
            percent(row["accuracy"]),
            row["count"],
        )
        for row in report.get("calibration", ())
    )
    return table(("confidence", "on average", "were right", "answers"), rows)


def coverage(report: Mapping[str, Any]) -> SafeString | str:
    """How many answers would be certain under other promises."""
    rows = ((percent(row["precision"]), percent(row["coverage"])) for row in report.get("coverage", ()))
    return table(("promised precision", "certain answers"), rows)


def decided(numbers: Mapping[str, Mapping[str, Any]]) -> SafeString | str:
    """What people decided since, about doubtful answers and in audits."""
    rows = (
        (
            name,
            row["reviewed"],
            row["accepted"],
            row["corrected"],
            row["rejected"],
            percent(row["precision"]),
            " to ".join(map(percent, row["interval"] or ())) or NOTHING,
        )
        for name, row in numbers.items()
    )
    return table(("", "reviewed", "accepted", "corrected", "rejected", "right", "95 % interval"), rows)
