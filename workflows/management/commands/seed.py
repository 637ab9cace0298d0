"""``manage.py seed``: the built-in taxonomy, and something to try Nexus on."""

from typing import Any

import pghistory
from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.demo import create_demo_users
from accounts.models import User
from classification.services import engines
from products.demo import TAXONOMY, VERSION, load_demo_products, load_demo_taxonomy
from products.models import Category, Product, Taxonomy
from workflows.demo import create_demo_workflows


class Command(BaseCommand):
    """Fills an installation; what is there already is left as it is."""

    help = (
        "Load the built-in taxonomy, demo products and workflows and, in development only, a demo user for each "
        "role. A second run changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load what is missing, and say what that was."""
        with pghistory.context(source="seed"):
            made = [
                self._load_taxonomy(),
                self._told("demo products", load_demo_products(), Product.objects.count()),
                self._told("demo workflows", create_demo_workflows()),
                self._create_users(),
            ]
        engines.active(Taxonomy.objects.get(code=TAXONOMY, version=VERSION))
        if not any(made):
            self.stdout.write("Everything was there already; nothing has changed.")

    def _load_taxonomy(self) -> int:
        before = set(Category.objects.values_list("pk", "taxonomy__revision"))
        taxonomy = load_demo_taxonomy()
        categories = set(taxonomy.categories.values_list("pk", "taxonomy__revision"))
        return self._told(f"categories of {taxonomy.code}", len(categories - before), len(categories))

    def _told(self, what: str, made: int, total: int | None = None) -> int:
        there = f" ({total} in all)" if total is not None else ""
        self.stdout.write(f"{made} {what} written{there}.")
        return made

    def _create_users(self) -> int:
        if settings.DEMO_PASSWORD is None:
            self.stdout.write(
                "No demo users: this is production. 'manage.py create_admin' makes an administrator."
            )
            return 0
        before = User.objects.count()
        users = create_demo_users(settings.DEMO_PASSWORD)
        made = self._told("demo users", User.objects.count() - before)
        addresses = ", ".join(user.email for user in users.values())
        self.stdout.write(f"Sign in as {addresses}; a new one has the password {settings.DEMO_PASSWORD}.")
        return made
