"""The address a request came from."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The client's IP address, or None when the server does not know it (as behind a Unix socket).

    Each of the ``TRUSTED_PROXIES`` appends the address it was called from to ``X-Forwarded-For``, so the
    client's is that many from the right; what stands left of it the client wrote, and is worth nothing.
    """
    connection = _parsed(request.META.get("REMOTE_ADDR", ""))
    if not settings.TRUSTED_PROXIES:
        return connection
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return _parsed(forwarded[-min(settings.TRUSTED_PROXIES, len(forwarded))].strip()) or connection


@lru_cache(maxsize=4096)
def _parsed(text: str) -> str | None:
    """The canonical address in `text`, which may carry a port (``[2001:db8::1]:443``, ``192.0.2.1:443``)."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)
