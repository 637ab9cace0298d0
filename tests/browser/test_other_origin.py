"""A frontend on another origin, in a real browser: CORS lets it in, and nobody else."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.live import Live

PORT = 3000
# Development allows the first of them.
ALLOWED, OTHER = f"http://localhost:{PORT}", f"http://127.0.0.1:{PORT}"
FRONTEND = b"<!doctype html><title>A frontend</title><link rel=icon href='data:,'>"
# Sends a request as a frontend does, and gives back what its script may see of the answer.
ASK = """async ([url, method, token, body, headers]) => {
    const answer = await fetch(url, {
        method,
        headers: {
            ...(token ? {Authorization: `Bearer ${token}`} : {}),
            ...(body ? {"Content-Type": "application/json"} : {}),
            ...headers,
        },
        body: body ? JSON.stringify(body) : undefined,
    });
    const text = await answer.text();
    return {
        status: answer.status,
        body: text ? JSON.parse(text) : null,
        headers: Object.fromEntries(answer.headers.entries()),
    };
}"""


class Frontend(BaseHTTPRequestHandler):
    """Serves one page, whatever is asked for."""

    def do_GET(self) -> None:
        """Answer with the page."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(FRONTEND)))
        self.end_headers()
        self.wfile.write(FRONTEND)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module", autouse=True)
def frontend() -> Iterator[None]:
    """A web server for the frontend, on the port that development expects it on."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            pytest.skip(f"Port {PORT} is taken.")
    with ThreadingHTTPServer(("127.0.0.1", PORT), Frontend) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield
        server.shutdown()
        thread.join()


class Script:
    """The script of a frontend that is open in a browser."""

    def __init__(self, page: Page, live: Live) -> None:
        self.page, self.live, self.token = page, live, ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request from the page; what its script sees."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.page.evaluate(ASK, [f"{self.live.url}{path}", method, self.token, body, named])

    def log_in(self, email: str = "editor@example.com") -> None:
        """Log in, and use the token from now on."""
        answer = self.ask("POST", "/auth/login", {"email": email, "password": "nexus-demo"})
        assert answer["status"] == 200
        self.token = answer["body"]["access_token"]


@pytest.fixture
def script(page: Page, live: Live) -> Script:
    """The script of a frontend at the origin that is allowed."""
    page.goto(ALLOWED)
    return Script(page, live)


def test_a_frontend_logs_in_lists_classifies_and_logs_out(script: Script) -> None:
    script.log_in()

    products = script.ask("GET", "/api/v1/products?page_size=3")
    assert (products["status"], len(products["body"]["results"])) == (200, 3)

    answer = script.ask("POST", "/api/v1/classify", {"product_id": products["body"]["results"][0]["id"]})
    assert (answer["status"], answer["body"]["status"]) == (200, "succeeded")
    assert answer["body"]["results"]["results"][0]["candidates"]

    assert script.ask("POST", "/auth/logout")["status"] == 204
    assert script.ask("GET", "/auth/me")["body"]["code"] == "session_ended"


def test_the_script_may_read_the_headers_it_needs(script: Script) -> None:
    script.log_in()
    product = script.ask("GET", "/api/v1/products?page_size=1")["body"]["results"][0]["id"]

    read = script.ask("GET", f"/api/v1/products/{product}", X_Request_ID="from-the-frontend")
    assert read["headers"]["etag"]
    assert read["headers"]["x-request-id"] == "from-the-frontend"

    job = script.ask("POST", "/api/v1/classify/batch", {"product_ids": [product]})
    assert job["status"] == 202
    assert job["headers"]["location"] == f"{script.live.url}/api/v1/classify/{job['body']['job_id']}"


def test_conditional_and_repeated_writes_pass_the_preflight(script: Script) -> None:
    script.log_in()
    new = {"sku": "FRONTEND-1", "name": "Folding rule 2 m"}
    made = script.ask("POST", "/api/v1/products", new, Idempotency_Key="frontend-1")
    again = script.ask("POST", "/api/v1/products", new, Idempotency_Key="frontend-1")
    assert (made["status"], again["body"]) == (201, made["body"])
    assert again["headers"]["idempotent-replayed"] == "true"

    address = f"/api/v1/products/{made['body']['id']}"
    tag = made["headers"]["etag"]
    assert script.ask("PATCH", address, {"name": "Folding rule"}, If_Match=tag)["status"] == 200
    assert script.ask("DELETE", address, If_Match=tag)["body"]["code"] == "precondition_failed"
    assert script.ask("DELETE", address)["status"] == 204


def test_an_error_can_be_read_too(script: Script) -> None:
    answer = script.ask("GET", "/api/v1/products")

    assert answer["status"] == 401
    assert answer["body"]["request_id"] == answer["headers"]["x-request-id"]


def test_the_browser_keeps_another_origin_from_the_answers(page: Page, live: Live) -> None:
    page.goto(OTHER)

    refused = page.evaluate(
        "url => fetch(url, {headers: {Authorization: 'Bearer x'}}).then(() => '', error => error.message)",
        f"{live.url}/api/v1/products",
    )

    assert refused == "Failed to fetch"
