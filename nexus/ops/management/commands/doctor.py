"""``manage.py doctor``: what is wrong with this installation, and what mends it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from nexus.ops.doctor import Finding, findings


class Command(BaseCommand):
    """Checks an installation. Exit code 1 when something is wrong that keeps it from working."""

    help = "Say what is wrong with this installation, and the command that mends it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each check."""
        fatal = 0
        for finding in findings():
            self._print(finding)
            fatal += finding.is_fatal and not finding.is_well
        if fatal:
            raise CommandError(f"{fatal} to mend.")
        self.stdout.write("Nothing is wrong.")

    def _print(self, finding: Finding) -> None:
        if finding.is_well:
            self.stdout.write(f"{self.style.SUCCESS('ok'):8} {finding.name}: {finding.detail}")
            return
        word = self.style.ERROR("wrong") if finding.is_fatal else self.style.WARNING("warn")
        self.stdout.write(f"{word:8} {finding.name}: {finding.detail}")
        self.stdout.write(f"         mend: {finding.mend}")
