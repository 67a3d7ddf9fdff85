"""Addresses and URLs that a webhook may have."""

from ipaddress import ip_address

import pytest

from domain.webhooks.addresses import MAX_URL_CHARS, Addresses, is_public, url_refusal

NOT_PUBLIC = (
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.9.10",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::5db8:d822",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "5f00::1",
)
PUBLIC = (
    "93.184.216.34",
    "172.32.0.1",
    "100.128.0.1",
    "2606:2800:220:1:248:1893:25c8:1946",
    "::ffff:93.184.216.34",
    "64:ff9b::5db8:d822",
    "2002:5db8:d822::1",
)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_no_hosts_on_the_internet_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_hosts_address_is_public_also_when_it_is_wrapped(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://book.example/hook",
        "https://book.example:8443/hook?tenant=7&x=%20",
        "https://xn--bcher-kva.example/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/hook",
        "HTTPS://BOOK.EXAMPLE",
        "https://93.184.216.34",
    ],
)
def test_takes_an_https_url_everywhere(url: str) -> None:
    assert url_refusal(url, Addresses.PUBLIC) is None
    assert url_refusal(url, Addresses.ANY) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://book.example/hook",
        "http://127.0.0.1:8080/hook",
        "https://127.0.0.1/hook",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/latest",
        "https://10.0.0.1./",
        "https://localhost:8443/",
        "https://hook.LOCALHOST./",
    ],
)
def test_takes_some_urls_only_where_any_address_is_allowed(url: str) -> None:
    assert url_refusal(url, Addresses.ANY) is None
    assert url_refusal(url, Addresses.PUBLIC) is not None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "book.example/hook",
        "//book.example/hook",
        "ftp://book.example/",
        "file:///etc/passwd",
        "gopher://book.example/",
        "javascript:alert(1)",
        "https://",
        "https:///hook",
        "https://user@book.example/",
        "https://user:secret@book.example/",
        "https://@book.example/",
        "https://book.example/#part",
        "https://book.example/#",
        "https://book.example:0/",
        "https://book.example:65536/",
        "https://book.example:x/",
        "https://book.example:80:90/",
        "https://book..example/",
        "https://book.example/a b",
        "https://book.example\\@internal/",
        "https://book.example/\n",
        "https://bücher.example/",
        "https://[::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1/",
        "https://book.example/" + "a" * MAX_URL_CHARS,
    ],
)
def test_refuses_what_is_no_plain_url_of_a_host(url: str) -> None:
    assert url_refusal(url, Addresses.ANY) is not None
