"""The client's address behind proxies."""

import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from nexus.ops.address import client_address


def address(forwarded: str | None = None, connection: str = "10.0.0.1") -> str | None:
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=connection))


def test_without_proxies_it_is_the_address_of_the_connection(settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = 0
    assert address(forwarded="192.0.2.7") == "10.0.0.1"


def test_a_unix_socket_has_no_address(settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = 0
    assert address(connection="") is None


def test_what_the_client_wrote_into_the_header_is_not_believed(settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = 1
    assert address("192.0.2.66, 198.51.100.7") == "198.51.100.7"


def test_each_trusted_proxy_counts_one_from_the_right(settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = 2
    assert address("192.0.2.66, 198.51.100.7, 10.0.0.9") == "198.51.100.7"


def test_a_request_past_the_proxies_is_known_by_its_connection(settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = 2
    assert address(None) == "10.0.0.1"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("unknown", "10.0.0.1"),
        ("'; drop table users", "10.0.0.1"),
    ],
)
def test_an_address_is_brought_into_one_form(settings: LazySettings, written: str, meant: str) -> None:
    settings.TRUSTED_PROXIES = 1
    assert address(written) == meant
