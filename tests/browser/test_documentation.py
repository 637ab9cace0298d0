"""The pages that show the API, in a real browser: no other server is asked, and nothing is blocked."""

from typing import Any

from playwright.sync_api import APIRequestContext, Page, expect

from tests.browser.conftest import Complaints
from tests.live import Live


def token(request: APIRequestContext, live: Live) -> str:
    """An access token of the viewer."""
    answer = request.post(
        f"{live.url}/auth/login", data={"email": "viewer@example.com", "password": "nexus-demo"}
    )
    body: dict[str, Any] = answer.json()
    return str(body["access_token"])


def test_swagger_ui_sends_a_request_with_a_token(page: Page, live: Live, complaints: Complaints) -> None:
    page.goto(f"{live.url}/docs")
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".modal-ux")
    bearer = dialog.locator(".auth-container").filter(has_text="accessToken")
    bearer.get_by_role("textbox").fill(token(page.request, live))
    bearer.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close", exact=True).first.click()

    listing = page.locator(".opblock").filter(has=page.get_by_text("List products", exact=True))
    listing.locator(".opblock-summary-control").click()
    listing.get_by_role("button", name="Try it out").click()
    listing.get_by_role("button", name="Execute").click()

    answer = listing.locator(".live-responses-table .response")
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(answer).to_contain_text('"results"')
    assert complaints == Complaints()


def test_redoc_shows_the_api(page: Page, live: Live, complaints: Complaints) -> None:
    page.goto(f"{live.url}/redoc")

    expect(page.locator("h2", has_text="List products")).to_be_attached()
    expect(page.get_by_text("Authentication", exact=True).first).to_be_visible()
    assert complaints == Complaints()
