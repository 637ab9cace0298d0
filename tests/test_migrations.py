"""Every migration can be taken back, and done again."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

pytestmark = pytest.mark.django_db

# From the top of the house to the bottom: each is taken back while those below it stand.
APPLICATIONS = ("workflows", "classification", "products", "nexus_jobs", "nexus_api", "accounts")


def test_every_application_can_be_taken_back_to_nothing_and_made_again() -> None:
    made = set(connection.introspection.table_names())
    for label in APPLICATIONS:
        own = {model._meta.db_table for model in apps.get_app_config(label).get_models()}
        assert own <= made
        call_command("migrate", label, "zero", verbosity=0)
        assert own.isdisjoint(connection.introspection.table_names())

    call_command("migrate", verbosity=0)
    assert set(connection.introspection.table_names()) == made
