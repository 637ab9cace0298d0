"""``/api/v1/taxonomies/{id}/policy``."""

from typing import Any

import pytest

from accounts.models import User
from classification.models import Policy
from conftest import ClientOf
from products.models import Taxonomy

pytestmark = pytest.mark.django_db

DEFAULTS = {
    "promised_precision": 0.95,
    "audit_share": 0.01,
    "retrain_after_decisions": 200,
    "retrain_cron": "0 3 * * *",
    "activation": "manual",
}


@pytest.fixture
def path(taxonomy: Taxonomy) -> str:
    return f"/api/v1/taxonomies/{taxonomy.pk}/policy"


@pytest.fixture
def client(client_of: ClientOf, administrator: User) -> Any:
    return client_of(administrator)


def test_where_nobody_has_decided_the_defaults_hold(client_of: ClientOf, viewer: User, path: str) -> None:
    assert client_of(viewer).get(path).json() == DEFAULTS
    assert not Policy.objects.exists()


def test_an_administrator_changes_it(client: Any, path: str) -> None:
    answer = client.patch(path, {"audit_share": 0.05, "activation": "when_not_worse"}, format="json")
    assert answer.status_code == 200
    assert client.get(path).json() == DEFAULTS | {"audit_share": 0.05, "activation": "when_not_worse"}


def test_null_and_empty_mean_never(client: Any, path: str) -> None:
    never = {"retrain_after_decisions": None, "retrain_cron": ""}
    assert client.put(path, DEFAULTS | never, format="json").json() == DEFAULTS | never


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"promised_precision": 1}, "/promised_precision"),
        ({"promised_precision": 0.2}, "/promised_precision"),
        ({"audit_share": 1.5}, "/audit_share"),
        ({"audit_share": None}, "/audit_share"),
        ({"retrain_after_decisions": 0}, "/retrain_after_decisions"),
        ({"retrain_cron": "every night"}, "/retrain_cron"),
        ({"retrain_cron": "0 0 30 2 *"}, "/retrain_cron"),
        ({"retrain_cron": "* * * * * *"}, "/retrain_cron"),
        ({"activation": "always"}, "/activation"),
        ({"taxonomy": 1}, "/taxonomy"),
    ],
)
def test_nonsense_is_refused_with_the_place(
    client: Any, path: str, change: dict[str, Any], pointer: str
) -> None:
    answer = client.patch(path, change, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_a_put_names_everything(client: Any, path: str) -> None:
    assert client.put(path, {"audit_share": 0.05}, format="json").status_code == 400


def test_what_has_changed_since_it_was_read_is_not_written_over(client: Any, path: str) -> None:
    tag = client.get(path).headers["ETag"]
    client.patch(path, {"audit_share": 0.05}, format="json")
    answer = client.patch(path, {"audit_share": 0.5}, format="json", headers={"If-Match": tag})
    assert answer.status_code == 412


def test_only_administrators_change_it(client_of: ClientOf, reviewer: User, path: str) -> None:
    assert client_of(reviewer).patch(path, {"audit_share": 1}, format="json").status_code == 403


def test_an_unknown_taxonomy_has_none(client: Any) -> None:
    assert client.get("/api/v1/taxonomies/999999/policy").status_code == 404
