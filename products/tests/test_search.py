"""GET /api/v1/products?search="""

import pytest
from rest_framework.test import APIClient

from products import search
from products.models import Product
from products.tests.conftest import URL, MakeProduct, Tree

CATALOGUE = [
    {
        "sku": "MK-DHP484Z",
        "name": "18V LXT brushless hammer driver drill",
        "manufacturer": "Makita",
        "part_number": "DHP484Z",
        "gtin": "0088381803328",
    },
    {
        "sku": "BO-GBH226",
        "name": "Rotary hammer SDS-plus",
        "manufacturer": "Bosch",
        "part_number": "GBH 2-26 F",
    },
    {
        "sku": "FI-50105",
        "name": "Nylon plug SX 8 x 40",
        "manufacturer": "fischer",
        "description": "Set with a hammer",
    },
    {
        "sku": "KN/87.01",
        "name": "Cobra water pump pliers",
        "manufacturer": "Knipex",
        "part_number": "87 01 250",
    },
    {"sku": "D'OR", "name": "Hinge, brass; 75 mm & screws | black", "manufacturer": "Würth"},
]


@pytest.fixture(autouse=True)
def _catalogue(make_product: MakeProduct) -> None:
    for fields in CATALOGUE:
        make_product(**fields)


def skus(client: APIClient, text: str, **query: str) -> list[str]:
    response = client.get(URL, {"search": text, **query})
    assert response.status_code == 200, response.content
    return [row["sku"] for row in response.json()["results"]]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "hammer driver",
            "DRIVER hammer",
            "makita 18v",
            "DHP484Z",
            "dhp484",
            "DHP48",
            "0088381803328",
            "mk-dhp484z",
        ),
        *("brushless drills", "makita ham", "makta drill", "brushles", "hamemr driver", "DHP-484Z"),
    ],
)
def test_words_numbers_their_beginnings_and_typing_errors_find_a_product(
    as_viewer: APIClient, text: str
) -> None:
    assert skus(as_viewer, text)[0] == "MK-DHP484Z"


@pytest.mark.parametrize(
    ("text", "sku"),
    [
        ("GBH 2-26 F", "BO-GBH226"),
        ("2-26", "BO-GBH226"),
        ("SDS+", "BO-GBH226"),
        ("sds plus", "BO-GBH226"),
        ("KN/87.01", "KN/87.01"),
        ("87 01 250", "KN/87.01"),
        ("D'OR", "D'OR"),
        ("würth", "D'OR"),
        ("WÜRTH", "D'OR"),
        ("8 x 40", "FI-50105"),
    ],
)
def test_numbers_are_found_as_people_write_them(as_viewer: APIClient, text: str, sku: str) -> None:
    assert skus(as_viewer, text) == [sku]


def test_the_best_come_first(as_viewer: APIClient, make_product: MakeProduct) -> None:
    make_product(sku="OTHER", name="Case for DHP484Z")
    assert skus(as_viewer, "DHP484Z") == ["MK-DHP484Z", "OTHER"]
    assert skus(as_viewer, "hammer")[-1] == "FI-50105"


def test_every_word_must_be_there(as_viewer: APIClient) -> None:
    assert skus(as_viewer, "bosch hammer") == ["BO-GBH226"]
    assert skus(as_viewer, "knipex hammer") == []


def test_filters_and_orderings_go_with_a_search(as_viewer: APIClient) -> None:
    assert skus(as_viewer, "hammer", manufacturer="bosch") == ["BO-GBH226"]
    assert skus(as_viewer, "hammer", ordering="-sku") == ["MK-DHP484Z", "FI-50105", "BO-GBH226"]


@pytest.mark.parametrize(
    "text", ["'", "\\", "\\'", "&", "| !", "(", ":*", "' | 'q", "<->", "a:b:*", "%", "\u0301", "💡"]
)
def test_signs_of_the_query_language_are_only_text(as_viewer: APIClient, text: str) -> None:
    assert skus(as_viewer, text) == []


def test_an_empty_search_finds_everything(as_viewer: APIClient) -> None:
    assert len(skus(as_viewer, "")) == len(skus(as_viewer, "  ")) == len(CATALOGUE)


def test_a_search_finds_what_was_written_just_now(as_editor: APIClient) -> None:
    assert skus(as_editor, "theodolite") == []
    as_editor.post(URL, {"sku": "T", "name": "Theodolite"})
    assert skus(as_editor, "theodolite") == skus(as_editor, "teodolite") == ["T"]


def test_a_search_shows_a_changed_category_and_taxonomy_at_once(
    as_administrator: APIClient, make_product: MakeProduct, tree: Tree
) -> None:
    make_product(tree["drills"], name="torque screwdriver")

    def shown() -> dict[str, str]:
        found: dict[str, str] = as_administrator.get(URL, {"search": "torque"}).json()["results"][0][
            "category"
        ]
        return found

    assert (shown()["path"], shown()["taxonomy"]) == ("Tools > Drills", "shop")
    parent = tree["tools"]
    assert as_administrator.patch(f"/api/v1/categories/{parent.pk}", {"name": "Power"}).status_code == 200
    assert shown()["path"] == "Power > Drills"
    url = f"/api/v1/taxonomies/{parent.taxonomy_id}"
    assert as_administrator.patch(url, {"code": "store"}).status_code == 200
    assert shown()["taxonomy"] == "store"


@pytest.mark.parametrize("ranked_at_most", [1, 5000])
def test_pages_of_a_search_hold_every_match_once(
    as_viewer: APIClient, monkeypatch: pytest.MonkeyPatch, ranked_at_most: int
) -> None:
    monkeypatch.setattr(search, "RANKED_AT_MOST", ranked_at_most)
    Product.objects.bulk_create(
        Product(sku=f"B{n}", name=f"Bolt {'zinc ' * (n % 3)}", description="bolt") for n in range(25)
    )
    url: str | None = f"{URL}?search=bolt&page_size=7"
    seen: list[str] = []
    while url:
        page = as_viewer.get(url)
        assert page.json()["count"] == 25
        seen += [row["sku"] for row in page.json()["results"]]
        url = page.json()["next"]
    assert sorted(seen) == sorted(f"B{n}" for n in range(25))
