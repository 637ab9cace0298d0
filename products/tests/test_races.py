"""Two at once, on real connections of their own."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from accounts.models import User
from conftest import ClientOf
from products.counting import state
from products.models import Product, Taxonomy
from products.services.loading import faults, load_taxonomy
from products.taxonomy_files.reading import CategoryRow
from products.tests.conftest import URL, MakeProduct, Tree, places

pytestmark = pytest.mark.django_db(transaction=True)

Call = Callable[[], Any]


def at_once(*calls: Call) -> list[Any]:
    """The answers of some calls that begin at the same moment, each on a thread with its own connection."""
    barrier = Barrier(len(calls))

    def run(call: Call) -> Any:
        barrier.wait(timeout=10)
        return closing(call)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def closing(call: Call) -> Any:
    """The answer of a call on a thread, whose connection is closed then."""
    try:
        return call()
    finally:
        connection.close()


def wait_until_one_waits() -> None:
    """Return as soon as some transaction waits for another."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT FROM pg_locks WHERE NOT granted")
            if cursor.rowcount:
                return


def statuses(answers: list[Any]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


@pytest.fixture
def two(client_of: ClientOf, administrator: User) -> Iterator[list[APIClient]]:
    return [client_of(administrator), client_of(administrator)]  # type: ignore[return-value]


def test_of_two_creations_with_one_sku_one_succeeds(two: list[APIClient]) -> None:
    for number in range(10):
        body = {"sku": f"S{number}", "name": "x"}
        answers = at_once(*(partial(client.post, URL, body) for client in two))
        assert statuses(answers) == [201, 409]
    assert Product.objects.count() == state().total == 10


def test_of_two_changes_to_what_both_have_read_one_succeeds(
    two: list[APIClient], make_product: MakeProduct
) -> None:
    url = f"{URL}/{make_product().pk}"
    for number in range(10):
        headers = {"If-Match": two[0].get(url).headers["ETag"]}
        changes = [{"name": f"{number} a"}, {"name": f"{number} b"}]
        answers = at_once(
            *(
                partial(client.patch, url, change, headers=headers)
                for client, change in zip(two, changes, strict=True)
            )
        )
        assert statuses(answers) == [200, 412]


def test_two_requests_with_one_idempotency_key_are_done_once(two: list[APIClient]) -> None:
    for number in range(5):
        body, headers = {"sku": f"S{number}", "name": "x"}, {"Idempotency-Key": f"key-{number}"}
        answers = at_once(*(partial(client.post, URL, body, headers=headers) for client in two))
        assert statuses(answers) == [201, 201]
        assert answers[0].content == answers[1].content
        assert sorted(answer.headers.get("Idempotent-Replayed", "") for answer in answers) == ["", "true"]
    assert Product.objects.count() == 5


def test_moves_that_would_make_a_circle_together_never_do(
    two: list[APIClient], tree: Tree, taxonomy: Taxonomy
) -> None:
    def move(client: APIClient, category: str, parent: str) -> Any:
        url = f"/api/v1/categories/{tree[category].pk}"
        return client.patch(url, {"parent": tree[parent].pk})

    for _ in range(5):
        answers = at_once(
            lambda: move(two[0], "drills", "safety"),
            lambda: move(two[1], "safety", "drills"),
        )
        assert statuses(answers) == [200, 400]
        assert faults(taxonomy) == []
        for code in ("safety", "drills"):
            two[0].patch(f"/api/v1/categories/{tree[code].pk}", {"parent": None})


def test_a_tree_stays_sound_under_any_mixture_of_writes(
    two: list[APIClient], tree: Tree, taxonomy: Taxonomy
) -> None:
    codes = list(tree)

    def shuffle(client: APIClient, seed: int) -> list[int]:
        chance = random.Random(seed)
        seen = []
        for number in range(15):
            url = f"/api/v1/categories/{tree[chance.choice(codes)].pk}"
            parent = chance.choice([None, *(tree[code].pk for code in codes)])
            change = chance.choice([{"parent": parent}, {"name": f"Name {seed} {number}"}])
            seen.append(client.patch(url, change).status_code)
        return seen

    answers = at_once(lambda: shuffle(two[0], 1), lambda: shuffle(two[1], 2))
    assert {status for seen in answers for status in seen} <= {200, 400}
    assert faults(taxonomy) == []


def test_a_category_that_gets_a_product_is_not_deleted_under_it(two: list[APIClient], tree: Tree) -> None:
    url = f"/api/v1/categories/{tree['saws'].pk}"
    created, deleted = at_once(
        lambda: two[0].post(URL, {"sku": "S", "name": "x", "category_id": tree["saws"].pk}),
        lambda: two[1].delete(url),
    )
    assert (created.status_code, deleted.status_code) in {(201, 409), (400, 204)}


def test_bulks_over_the_same_products_wait_for_each_other(
    two: list[APIClient], make_product: MakeProduct
) -> None:
    ids = [make_product().pk for _ in range(20)]

    def update(client: APIClient, order: list[int], name: str) -> Any:
        return client.post(f"{URL}/bulk", {"update": [{"id": pk, "name": name} for pk in order]})

    for number in range(5):
        answers = at_once(
            partial(update, two[0], ids, f"a{number}"), partial(update, two[1], ids[::-1], f"b{number}")
        )
        assert statuses(answers) == [200, 200]


def test_bulks_that_create_the_same_products_in_another_order_are_refused_not_stopped(
    two: list[APIClient],
) -> None:
    def create(client: APIClient, skus: list[str]) -> Any:
        return client.post(f"{URL}/bulk", {"create": [{"sku": sku, "name": "x"} for sku in skus]})

    for number in range(5):
        skus = [f"S{number}-{place:03}" for place in range(200)]
        answers = at_once(partial(create, two[0], skus), partial(create, two[1], skus[::-1]))
        assert statuses(answers) == [200, 409]
    assert Product.objects.count() == 1000


def test_two_versions_that_are_made_current_at_once_leave_one_current(two: list[APIClient]) -> None:
    for number in range(5):
        bodies = [{"code": f"t{number}", "version": version, "name": "x"} for version in ("1", "2")]
        answers = at_once(
            *(
                partial(client.post, "/api/v1/taxonomies", body)
                for client, body in zip(two, bodies, strict=True)
            )
        )
        assert statuses(answers) == [201, 201]
        assert Taxonomy.objects.filter(code=f"t{number}", is_current=True).count() == 1
        urls = [f"/api/v1/taxonomies/{answer.json()['id']}" for answer in answers]
        answers = at_once(
            *(partial(client.patch, url, {"is_current": True}) for client, url in zip(two, urls, strict=True))
        )
        assert statuses(answers) == [200, 200]
        assert Taxonomy.objects.filter(code=f"t{number}", is_current=True).count() == 1


def test_a_taxonomy_that_gets_a_product_is_not_deleted_under_it(
    two: list[APIClient], tree: Tree, taxonomy: Taxonomy
) -> None:
    for number in range(5):
        code = f"t{number}"
        other = load_taxonomy(code, "1", code, [CategoryRow("a", "A")])
        body = {"sku": code, "name": "x", "category_id": other.categories.get().pk}
        created, deleted = at_once(
            partial(two[0].post, URL, body), partial(two[1].delete, f"/api/v1/taxonomies/{other.pk}")
        )
        assert (created.status_code, deleted.status_code) in {(201, 409), (400, 204)}


def test_a_taxonomy_that_is_deleted_takes_no_more_categories(two: list[APIClient]) -> None:
    for number in range(5):
        code = f"t{number}"
        other = load_taxonomy(code, "1", code, [])
        body = {"taxonomy": code, "code": "a", "name": "A"}
        created, deleted = at_once(
            partial(two[0].post, "/api/v1/categories", body),
            partial(two[1].delete, f"/api/v1/taxonomies/{other.pk}"),
        )
        assert deleted.status_code == 204
        assert created.status_code in {201, 400, 404}


def test_counts_add_up_whoever_writes_and_whenever_they_are_folded(two: list[APIClient]) -> None:
    def write(client: APIClient, name: str) -> None:
        for number in range(80):
            created = client.post(URL, {"sku": f"{name}{number}", "name": "x"})
            if number % 3 == 0:
                client.delete(created.headers["Location"])

    at_once(lambda: write(two[0], "a"), lambda: write(two[1], "b"))
    assert state().total == Product.objects.count() == 2 * (80 - 27)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM products_productcountdelta")
        assert cursor.fetchone()[0] < 2 * (80 + 27)


def test_a_category_that_is_gone_is_refused_whatever_writes_the_product(
    two: list[APIClient], make_product: MakeProduct, tree: Tree
) -> None:
    """No transaction holds the category here: the foreign key speaks when the statement ends."""
    url, gone = f"{URL}/{make_product().pk}", tree["saws"].pk
    tree["saws"].delete()
    for write in (partial(two[0].post, URL), partial(two[0].put, url), partial(two[0].patch, url)):
        answer = write({"sku": "A", "name": "x", "category_id": gone})
        assert answer.status_code == 400
        assert places(answer) == {"/category_id": "does_not_exist"}
    assert not Product.objects.filter(sku="A").exists()


def test_a_category_that_a_replaced_product_gets_is_not_deleted_under_it(
    two: list[APIClient], make_product: MakeProduct, tree: Tree
) -> None:
    category = tree["saws"].pk
    replaced, deleted = at_once(
        partial(two[0].put, f"{URL}/{make_product().pk}", {"sku": "S", "name": "x", "category_id": category}),
        partial(two[1].delete, f"/api/v1/categories/{category}"),
    )
    assert (replaced.status_code, deleted.status_code) in {(200, 409), (400, 204)}


def test_two_replacements_at_once_are_both_done_and_told_of_in_their_order(
    two: list[APIClient], make_product: MakeProduct
) -> None:
    url = f"{URL}/{make_product(sku='S').pk}"
    for number in range(5):
        bodies = [{"sku": "S", "name": f"{number} {letter}"} for letter in "ab"]
        answers = at_once(*(partial(client.put, url, body) for client, body in zip(two, bodies, strict=True)))
        assert statuses(answers) == [200, 200]
    names = [entry["changes"]["name"] for entry in two[0].get(f"{url}/history").json()["results"]]
    assert len(names) == 11
    assert names[0]["after"] == two[0].get(url).json()["name"]
    assert [name["before"] for name in names[:-1]] == [name["after"] for name in names[1:]]


def test_of_two_replacements_of_what_both_have_read_one_succeeds(
    two: list[APIClient], make_product: MakeProduct
) -> None:
    url = f"{URL}/{make_product(sku='S').pk}"
    for number in range(5):
        headers = {"If-Match": two[0].get(url).headers["ETag"]}
        bodies = [{"sku": "S", "name": f"{number} {letter}"} for letter in "ab"]
        answers = at_once(
            *(
                partial(client.put, url, body, headers=headers)
                for client, body in zip(two, bodies, strict=True)
            )
        )
        assert statuses(answers) == [200, 412]


def test_a_product_that_is_deleted_is_not_replaced(two: list[APIClient], make_product: MakeProduct) -> None:
    for number in range(5):
        url = f"{URL}/{make_product().pk}"
        replaced, deleted = at_once(
            partial(two[0].put, url, {"sku": f"S{number}", "name": "x"}), partial(two[1].delete, url)
        )
        assert (replaced.status_code, deleted.status_code) in {(200, 204), (404, 204)}
        assert two[0].put(url, {"sku": f"S{number}", "name": "x"}).status_code == 404
    assert state().total == 0


@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}])
@pytest.mark.parametrize(("freed", "status"), [(True, 200), (False, 409)])
def test_a_replacement_that_is_stopped_in_a_deadlock_is_done_again(
    two: list[APIClient], make_product: MakeProduct, headers: dict[str, str], freed: bool, status: int
) -> None:
    """It waits for a SKU that another transaction may give up, which waits for its row; PostgreSQL stops it."""
    product, other = make_product(sku="A"), make_product(sku="B")

    def replace() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '200ms'")
        return two[0].put(f"{URL}/{product.pk}", {"sku": "B", "name": "x"}, headers=headers)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Product.objects.filter(pk=other.pk).update(sku="C")
            answer = pool.submit(partial(closing, replace))
            wait_until_one_waits()
            Product.objects.filter(pk=product.pk).update(name="y")
            transaction.set_rollback(not freed)
        assert answer.result().status_code == status
