"""The staff site in a real browser: every list opens, and the daily work can be done."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import APIRequestContext, Page, expect

from tests.browser.conftest import Complaints
from tests.live import Live

LISTS = (
    "accounts/user/",
    "accounts/session/",
    "products/product/",
    "products/category/",
    "products/taxonomy/",
    "products/productevent/",
    "products/categoryevent/",
    "classification/classification/",
    "classification/classification/?review=open",
    "classification/classifier/",
    "classification/review/",
    "nexus_jobs/job/",
    "nexus_jobs/chunk/",
    "workflows/workflow/",
    "workflows/workflowversion/",
    "workflows/execution/",
    "workflows/steprun/",
)


class Api:
    """The API, as an administrator uses it to prepare a test."""

    def __init__(self, request: APIRequestContext, url: str) -> None:
        self.request, self.url = request, url
        session = self.send("post", "/auth/login", {"email": "admin@example.com", "password": "nexus-demo"})
        self.headers = {"Authorization": f"Bearer {session['access_token']}"}

    headers: dict[str, str] = {}

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request; its answer, which must be a success."""
        answer = getattr(self.request, method)(f"{self.url}{path}", data=body, headers=self.headers)
        assert answer.ok, answer.text()
        return answer.json() if answer.status != 204 else None


@pytest.fixture
def api(page: Page, live: Live) -> Api:
    """The API, used as an administrator."""
    return Api(page.request, live.url)


@pytest.fixture
def product(api: Api, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A product of the test's own."""
    sku = f"BROWSER-{abs(hash(request.node.nodeid)) % 10**9}"
    made = api.send("post", "/api/v1/products", {"sku": sku, "name": "Box of 10", "status": "active"})
    yield made
    api.send("delete", f"/api/v1/products/{made['id']}")


@pytest.fixture
def staff(page: Page, live: Live, complaints: Complaints) -> Page:
    """The admin, signed in to as an administrator."""
    sign_in(page, live, "admin@example.com")
    expect(page.locator("#user-tools")).to_contain_text("Ada Administrator")
    return page


def sign_in(page: Page, live: Live, email: str) -> None:
    """Fill in the form of the admin."""
    page.goto(f"{live.url}/admin")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill("nexus-demo")
    page.get_by_role("button", name="Log in").click()


def test_every_list_opens(staff: Page, live: Live, complaints: Complaints) -> None:
    statuses = {}
    for name in LISTS:
        answer = staff.goto(f"{live.url}/admin/{name}")
        statuses[name] = answer.status if answer else 0
        expect(staff.locator("#changelist")).to_be_visible()

    assert statuses == dict.fromkeys(LISTS, 200)
    assert complaints == Complaints()


def test_a_review_is_accepted_by_an_action(
    staff: Page, live: Live, api: Api, product: Any, complaints: Complaints
) -> None:
    text = {"name": "Universal adapter for cable"}
    api.send("patch", f"/api/v1/products/{product['id']}", text)
    answer = api.send("post", "/api/v1/classify", {"product_id": product["id"]})["results"]["results"][0]
    assert answer["decision"] == "needs_review"

    staff.goto(f"{live.url}/admin/classification/classification/?review=open&q={product['sku']}")
    staff.locator("#result_list tbody input[type=checkbox]").check()
    staff.locator("select[name=action]").select_option(label="Accept the answer")
    staff.get_by_role("button", name="Go").click()

    expect(staff.locator(".messagelist")).to_contain_text("1")
    decided = api.send("get", f"/api/v1/products/{product['id']}")
    assert (decided["category"], decided["category_source"]) == (answer["category"], "reviewed")
    assert complaints == Complaints()


def test_a_product_is_edited_and_its_history_tells(
    staff: Page, live: Live, product: Any, complaints: Complaints
) -> None:
    staff.goto(f"{live.url}/admin/products/product/{product['id']}/change/")
    staff.get_by_label("Name:").fill("Box of 12")
    staff.get_by_role("button", name="Save and continue editing").click()

    latest = staff.locator(".field-changes tbody tr").first
    expect(latest).to_contain_text("admin@example.com")
    expect(latest).to_contain_text("Box of 10 → Box of 12")
    assert complaints == Complaints()


def test_a_category_is_found_by_typing(staff: Page, live: Live, product: Any, complaints: Complaints) -> None:
    staff.goto(f"{live.url}/admin/products/product/{product['id']}/change/")
    staff.locator(".field-category .select2-selection").click()
    staff.locator(".select2-search__field").last.fill("water pump pliers")
    staff.locator(".select2-results__option", has_text="Water pump").click()
    staff.get_by_role("button", name="Save and continue editing").click()

    expect(staff.locator(".field-category_source")).to_contain_text("chosen by a user")
    assert complaints == Complaints()


def test_a_workflow_is_described_anew_and_keeps_its_definition(
    staff: Page, live: Live, api: Api, complaints: Complaints
) -> None:
    workflow = api.send("get", "/api/v1/workflows?search=classify+new")["results"][0]
    staff.goto(f"{live.url}/admin/workflows/workflow/{workflow['id']}/change/")
    expect(staff.get_by_label("Definition:")).to_have_value(re.compile(r'^\{\n  "on": \{'))
    staff.get_by_label("Description:").fill("Every night.")
    staff.get_by_role("button", name="Save and continue editing").click()

    expect(staff.locator(".messagelist .success")).to_be_visible()
    saved = api.send("get", f"/api/v1/workflows/{workflow['id']}")
    assert (saved["description"], saved["version"]) == ("Every night.", 1)
    assert saved["definition"] == workflow["definition"]
    assert complaints == Complaints()


def test_a_job_shows_its_progress(staff: Page, live: Live, api: Api, product: Any) -> None:
    job = api.send("post", "/api/v1/classify", {"product_id": product["id"]})["job_id"]

    staff.goto(f"{live.url}/admin/nexus_jobs/job/?q={job}")

    expect(staff.locator("#result_list tbody tr")).to_contain_text("1 / 1")


def test_a_viewer_cannot_enter(page: Page, live: Live) -> None:
    sign_in(page, live, "viewer@example.com")

    expect(page.locator(".errornote")).to_be_visible()
    expect(page.locator("#user-tools")).to_have_count(0)
