"""``manage.py create_admin``: the first administrator of an installation, or one more."""

import getpass
import os
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from accounts.models import User
from accounts.roles import ADMINISTRATOR
from accounts.services.users import create_user, update_user

VARIABLE = "NEXUS_ADMIN_PASSWORD"


class Command(BaseCommand):
    """Makes an administrator."""

    help = (
        "Make an administrator who may use the API and the admin site: a new user, or one there is. The password "
        f"is asked for, or taken from the environment variable {VARIABLE}."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command line."""
        parser.add_argument("--email", help="the e-mail address to sign in with; asked for when left out")
        parser.add_argument("--name", default="", help="the name to show")

    def handle(self, *args: Any, email: str | None, name: str, **options: Any) -> None:
        """Make the user, or promote the one with this address."""
        email = User.objects.normalize_email(email or _ask("E-mail address: "))
        password = os.environ.get(VARIABLE) or _ask_password()
        try:
            validate_email(email)
            with transaction.atomic():
                made = make_administrator(email=email, name=name, password=password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(self.style.SUCCESS(f"{email} {'is a new' if made else 'is now an'} administrator."))


def make_administrator(*, email: str, name: str, password: str) -> bool:
    """Make an active administrator and member of staff with a password, and say whether the user is new.

    Raises ValidationError for a password that is too easy to guess.
    """
    user = User.objects.select_for_update().filter(email=email).first()
    if user is None:
        create_user(email=email, name=name, password=password, roles=[ADMINISTRATOR], is_staff=True)
        return True
    update_user(
        user,
        name=name or user.name,
        roles={*user.roles, ADMINISTRATOR},
        is_active=True,
        is_staff=True,
        password=password,
    )
    return False


def _ask(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        raise CommandError("There is nobody to ask: give --email.") from None


def _ask_password() -> str:
    try:
        password = getpass.getpass("Password: ")
        if getpass.getpass("Password again: ") != password:
            raise CommandError("The two passwords differ. Nothing was changed.")
    except EOFError:
        raise CommandError(f"There is nobody to ask: set {VARIABLE}.") from None
    return password
