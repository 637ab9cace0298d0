"""The requests that are compared, and the load of wrk (https://github.com/wg/wrk)."""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.catalogue import gtin

SCRIPT = Path(__file__).with_name("request.lua")
PRODUCT = {
    "sku": "{unique}",
    "name": "Corvane cordless drill 18V {unique}",
    "description": "Cordless drill by Corvane. Rated 18 V, 1450 g. Made for daily use by professionals; spare "
    "parts are kept for ten years.",
    "manufacturer": "Corvane",
    "part_number": "COR-20417",
    "gtin": gtin(400638133393),
    "attributes": {"voltage": 18, "mass_g": 1450, "colour": "red", "warranty_months": 24, "rohs": True},
    "status": "active",
    "category_id": 20,
}
TITLE = "Corvane 18V cordless combi drill, 2 x 5.0Ah, {unique}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind of request; the body is the same for both servers unless the peer wants another."""

    name: str
    method: str
    path: str
    status: int = 200
    body: dict[str, Any] | None = None
    peer_body: dict[str, Any] | None = None


ENDPOINTS = (
    Endpoint("GET /health", "GET", "/health"),
    Endpoint("GET /auth/me", "GET", "/auth/me"),
    Endpoint("GET product", "GET", "/api/v1/products/{id}"),
    Endpoint("GET products, 50 rows", "GET", "/api/v1/products?page_size=50"),
    Endpoint("GET products, search", "GET", "/api/v1/products?search=drill"),
    Endpoint("POST product", "POST", "/api/v1/products", 201, PRODUCT),
    Endpoint("PUT product", "PUT", "/api/v1/products/{id}", 200, PRODUCT),
    Endpoint("POST classify", "POST", "/api/v1/classify", 200, {"name": TITLE}, {"text": TITLE}),
)


@dataclass(frozen=True, slots=True)
class Target:
    """A running server, who it is, and the token of somebody who may do everything."""

    name: str
    url: str
    token: str
    highest_id: int

    def body(self, endpoint: Endpoint) -> str:
        """The body to send, with its placeholders; empty for none."""
        body = endpoint.peer_body if self.name == "peer" and endpoint.peer_body else endpoint.body
        return json.dumps(body) if body else ""


@dataclass(frozen=True, slots=True)
class Result:
    """What one run measured."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float


class MeasurementError(Exception):
    """Why a measurement is not worth its numbers."""


def require_wrk() -> None:
    """Exit with what to do when wrk is not installed."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed. On Debian and Ubuntu: apt-get install wrk")


def check(target: Target, endpoint: Endpoint, mark: str) -> None:
    """Send one request and look at the answer. Raises MeasurementError when it is not the work that is measured."""
    texts = (endpoint.path, target.body(endpoint))
    path, body = (text.replace("{id}", "1").replace("{unique}", mark) for text in texts)
    status, answer = call(target.url + path, endpoint.method, body, target.token)
    what = f"{target.name}, {endpoint.name}"
    if status != endpoint.status:
        raise MeasurementError(f"{what}: {status} instead of {endpoint.status}: {answer}")
    if "?" in path and (answer["count"] < len(answer["results"]) or len(answer["results"]) != 50):
        raise MeasurementError(
            f"{what}: {len(answer['results'])} of {answer['count']} products, not a page of 50"
        )


def call(url: str, method: str, body: str, token: str) -> tuple[int, Any]:
    """The status and the JSON that a server answers."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, body.encode() or None, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def run(target: Target, endpoint: Endpoint, connections: int, seconds: int, mark: str) -> Result:
    """Send as many requests as the server takes. Raises MeasurementError when one of them fails."""
    arguments = (
        endpoint.method,
        endpoint.path,
        target.body(endpoint),
        target.token,
        target.highest_id,
        mark,
    )
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    printed = subprocess.run(
        [*command, "-s", str(SCRIPT), target.url, "--", *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    measured = json.loads(printed.strip().splitlines()[-1])
    if measured["failed"] or not measured["requests"]:
        raise MeasurementError(
            f"{target.name}, {endpoint.name}: {measured['failed']} requests failed\n{printed}"
        )
    return Result(
        measured["requests"] / measured["microseconds"] * 1_000_000, measured["p50_ms"], measured["p99_ms"]
    )
