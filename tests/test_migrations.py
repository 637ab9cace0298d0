"""Every migration can be taken back, and done again."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

# Without a transaction around them: indexes of large tables are built concurrently.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "label", ["accounts", "nexus_api", "nexus_jobs", "products", "classification", "workflows"]
)
def test_an_application_can_be_taken_back_to_nothing_and_made_again(label: str) -> None:
    own = {model._meta.db_table for model in apps.get_app_config(label).get_models()}

    call_command("migrate", label, "zero", verbosity=0)
    assert own.isdisjoint(connection.introspection.table_names())

    call_command("migrate", verbosity=0)
    assert own <= set(connection.introspection.table_names())
