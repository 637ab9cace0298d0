"""`http.post`: tells another system, and nothing of the network that Nexus itself runs in.

The name is resolved once; every address it has must be a public one, and the connection is made to that address, so
that a name which changes its mind meanwhile leads nowhere else. Redirects are answers like any other.
"""

import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from nexus import __version__
from workflows.engine.limits import limit_errors
from workflows.steps.base import Done, StepFailedError, StepKind, Task, inputs_schema, outputs_schema

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024
PORTS = {"http": 80, "https": 443}
# Other refusals would come again; these ask to be tried later (RFC 9110, RFC 6585).
WORTH_ANOTHER_ATTEMPT = {408, 425, 429}
# Addresses that stand for IPv4 ones: through a translator (RFC 6052, RFC 8215) they may lead anywhere.
TRANSLATED = [ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48")]


class HttpPost(StepKind):
    """Posts JSON to an address."""

    uses = "http.post"
    description = (
        "Posts `json` to an http or https address on the public internet, and succeeds when the answer is 2xx within "
        f"{TIMEOUT_S:.0f} seconds. `body` is the answer's JSON, or else its text, up to {MAX_ANSWER_BYTES // 1024} KiB "
        "of it. The header `Idempotency-Key` is the same for all attempts of the step: when a worker dies, the "
        "request may come twice."
    )
    transactional = False
    input_schema = inputs_schema(
        required=["url"],
        url={
            "description": "An address that begins with http:// or https://.",
            "type": "string",
            "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
            "maxLength": 2000,
            "examples": ["https://example.com/hook"],
        },
        json={"description": "Any JSON; null when left out."},
    )
    output_schema = outputs_schema(status={"type": "integer"}, body={})

    def run(self, inputs: Mapping[str, Any], task: Task) -> Done:
        """Post and read the answer."""
        url = _checked(inputs["url"])
        body = json.dumps(inputs.get("json")).encode()
        try:
            status, content = _post(url, public_address(url.hostname or "", _port(url)), body, task.key)
        except (OSError, http.client.HTTPException) as error:
            raise StepFailedError(f"{url.hostname} gave no answer: {type(error).__name__}.") from error
        if not 200 <= status < 300:
            final = status < 500 and status not in WORTH_ANOTHER_ATTEMPT
            raise StepFailedError(f"{url.hostname} answered with status {status}.", final=final)
        return Done({"status": status, "body": _readable(content)})


def _checked(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        good = url.scheme in PORTS and bool(url.hostname) and url.username is None and _port(url) > 0
    except ValueError:
        good = False
    if not good or not text.isascii() or not text.isprintable() or " " in text:
        raise StepFailedError(
            f"{text[:200]!r} is not an http or https address without a password.", final=True
        )
    return url


def _port(url: SplitResult) -> int:
    return PORTS[url.scheme] if url.port is None else url.port


def public_address(host: str, port: int) -> str:
    """An address of a host. Raises StepFailedError when it has none, or one that is not public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise StepFailedError(f"{host} has no address.") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(map(is_public, addresses)):
        raise StepFailedError(f"{host} is not on the public internet.", final=True)
    return addresses[0]


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet: not private, local, reserved, multicast or translated."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if address.sixtofour or address.teredo or any(address in network for network in TRANSLATED):
            return False
    return address.is_global and not address.is_multicast


class _Connection(http.client.HTTPConnection):
    """A connection to an address that has been chosen, whatever the host's name leads to by now."""

    def __init__(self, url: SplitResult, address: str) -> None:
        super().__init__(url.hostname or "", _port(url), timeout=TIMEOUT_S)
        self.address = address
        self.tls = ssl.create_default_context() if url.scheme == "https" else None

    def connect(self) -> None:
        """Connect to the address; the certificate is that of the host."""
        self.sock = socket.create_connection((self.address, self.port), self.timeout)
        if self.tls is not None:
            self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.host)


def _post(url: SplitResult, address: str, body: bytes, key: str) -> tuple[int, bytes]:
    connection = _Connection(url, address)
    headers = {
        "Host": url.netloc,
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": f"Nexus/{__version__}",
        "Idempotency-Key": key,
        "Connection": "close",
    }
    try:
        connection.connect()
        with _cut_off(connection.sock):
            target = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(MAX_ANSWER_BYTES)
    finally:
        connection.close()


@contextmanager
def _cut_off(sock: socket.socket) -> Iterator[None]:
    """End the connection after the time limit: one for each read would let a slow answer drip for ever."""

    def end() -> None:
        # The other side may have ended it at the same moment.
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(TIMEOUT_S, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _readable(content: bytes) -> Any:
    """The JSON of an answer where it is such that it can be kept, or else its text."""
    text = content.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if limit_errors(value) else value
