import socket

import pytest

from resonare_pipeline.chats.links.guarding import (
    PrivateAddressError,
    is_allowed,
    is_fixed,
    networks_of,
    socket_factory,
)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "100.63.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_public_addresses_may_be_reached(address: str) -> None:
    assert is_allowed(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  # nothing is bound
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2002:c0a8:101::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%lo",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "",
        "localhost",
        "127.1",
        "2130706433",
    ],
)
def test_all_others_may_not(address: str) -> None:
    assert not is_allowed(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "8.8.8.8", "localhost", "LOCALHOST.", "a.localhost"]
)
def test_numbers_and_localhost_mean_the_same_everywhere(host: str) -> None:
    assert is_fixed(host)


@pytest.mark.parametrize("host", ["example.com", "localhost.example.com", "notlocalhost", "", None])
def test_names_do_not(host: str | None) -> None:
    assert not is_fixed(host)


def test_a_network_that_is_allowed_is_allowed_alone_and_through_ipv6_too() -> None:
    networks = networks_of(["10.1.2.3/32", "fd00::/64"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd00::9", "8.8.8.8"):
        assert is_allowed(address, networks)
    for address in ("10.1.2.4", "fd01::1", "127.0.0.1", "::1"):
        assert not is_allowed(address, networks)


def test_a_socket_is_made_for_the_address_that_it_connects_to_or_not_at_all() -> None:
    make = socket_factory(networks_of(["127.0.0.0/8"]))
    info = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.2", 80))
    with make(info) as made:
        assert made.family is socket.AF_INET
    with pytest.raises(PrivateAddressError):
        make((socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::1", 80, 0, 0)))
