"""``manage.py confirm_mappings``: what a person decided about the steps between two taxonomies, from a CSV file."""

import csv
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pghistory
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from nexus.api.errors import Problem
from products.files.formulas import restore
from products.management.references import taxonomy_named
from products.models import Category, Taxonomy
from products.services import mapping

SOURCE, TARGET = "source_code", "target_code"


class Command(BaseCommand):
    """Decides every line, or nothing where one is wrong; all that is wrong is told."""

    help = (
        "Decide steps between two taxonomies: a line says to which target_code a source_code leads; "
        "an empty one says that nothing takes its place. What was decided before about a source_code that the file "
        "names, and is not in it, is taken back. Other columns are passed over."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """From where to where, and the decisions."""
        parser.add_argument("source", help="code@version")
        parser.add_argument("target", help="code@version")
        parser.add_argument(
            "file", type=Path, help="CSV with source_code and target_code, as list_mappings writes"
        )
        parser.add_argument("--user", help="the email address of whom the decisions are to name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, check and keep. Raises CommandError when a line is wrong."""
        source, target = taxonomy_named(options["source"]), taxonomy_named(options["target"])
        user = _user(options["user"])
        # A line that is there twice is one decision.
        decisions = list(dict.fromkeys(self._decisions(options["file"], source, target)))
        nowhere = {one.pk for one, other in decisions if other is None}
        if contradicted := [one.code for one, other in decisions if other and one.pk in nowhere]:
            raise CommandError(
                f"{', '.join(contradicted)}: leads somewhere and nowhere at once; nothing was decided."
            )
        try:
            with pghistory.context(source="confirm_mappings"):
                decided = mapping.decide_all(source, target, decisions, user_id=user.pk if user else None)
        except Problem as problem:
            raise CommandError(str(problem.detail)) from None
        taken_back = f", {decided.taken_back} taken back" if decided.taken_back else ""
        unchanged = "; the others were so before" if decided.kept < len(decisions) else ""
        self.stdout.write(f"{decided.kept} of {len(decisions)} decided{taken_back}{unchanged}.")

    def _decisions(
        self, path: Path, source: Taxonomy, target: Taxonomy
    ) -> Iterator[tuple[Category, Category | None]]:
        """The categories of each line. Raises CommandError after all of them when one is unknown."""
        sources, targets = _by_code(source), _by_code(target)
        wrong = 0
        for number, code, aim in _lines(path):
            unknown = [
                name for name, known in ((code, sources), (aim, targets)) if name and name not in known
            ]
            if unknown or not code:
                wrong += 1
                reason = f"there is no category {', '.join(unknown)}" if unknown else "it names no category"
                self.stderr.write(f"Line {number}: {reason}.")
            else:
                yield sources[code], targets.get(aim)
        if wrong:
            raise CommandError(f"{wrong} lines are wrong; nothing was decided.")


def _user(email: str | None) -> User | None:
    user = User.objects.filter(email__iexact=email).first() if email else None
    if email and user is None:
        raise CommandError(f"There is no user {email!r}.")
    return user


def _by_code(taxonomy: Taxonomy) -> Mapping[str, Category]:
    found = taxonomy.categories.only("code", "taxonomy").order_by()
    return {category.code: category for category in found.iterator()}


def _lines(path: Path) -> Iterator[tuple[int, str, str]]:
    """The number of each line, and its two codes."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if missing := {SOURCE, TARGET} - set(reader.fieldnames or ()):
                raise CommandError(f"The file has no column {' and no column '.join(sorted(missing))}.")
            for row in reader:
                code, aim = (restore((row[name] or "").strip()) for name in (SOURCE, TARGET))
                yield reader.line_num, code, aim
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from None
