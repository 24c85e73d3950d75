"""Which addresses of the network may be reached: those of the public internet.

A message is written by anybody, and a link in it must not make this machine ask itself, its
neighbours or a cloud's metadata service. Names say nothing about that: a name can be made to mean
any address, and to mean another one the next moment. So the guard makes the sockets, and looks at
the very address that a socket is then connected to.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# IANA's registries of special-purpose addresses, written out: what Python's `is_global` says has
# changed between its releases.
_CLOSED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' translation
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's services inside of machines
            "169.254.0.0/16",  # link-local, and the metadata of clouds
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")  # all that is given out; the rest is closed
_CLOSED_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "2001::/23",  # protocols, Teredo among them
            "2001:db8::/32",  # documentation
            "3fff::/20",  # documentation
        ),
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # the last 32 bits are an IPv4 address
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")  # the 32 bits behind it are one
_SIX_TO_FOUR_SHIFT = 80  # bits to the right of these
_V4_MASK = 0xFFFFFFFF


class PrivateAddressError(OSError):
    """A socket was asked for that must not be made. It never leaves this package."""


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return networks from their CIDR notation."""
    return tuple(map(ipaddress.ip_network, texts))


def is_allowed(address: str, allowed: Iterable[Network] = ()) -> bool:
    """Tell whether an address may be reached.

    Args:
        address: As the system's resolver and sockets have it, perhaps with an interface.
        allowed: Networks that may be reached although they are private.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    networks = tuple(allowed)
    return all(
        any(meant.version == network.version and meant in network for network in networks)
        or _is_public(meant)
        for meant in _meanings(found)
    )


def is_fixed(host: str | None) -> bool:
    """Tell whether a host means the same address on every network: a number, or `localhost`."""
    name = (host or "").rstrip(".")
    if name.rpartition(".")[2].lower() == "localhost":  # RFC 6761, section 6.3
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _meanings(address: Address) -> Iterator[Address]:
    """Yield where an address leads: for IPv4 in IPv6 it is the former that counts."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
    elif mapped := address.ipv4_mapped:
        yield mapped
    elif address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & _V4_MASK)
    elif address in _SIX_TO_FOUR:
        yield ipaddress.IPv4Address(int(address) >> _SIX_TO_FOUR_SHIFT & _V4_MASK)
    else:
        yield address


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _CLOSED_V6)


def socket_factory(allowed: Iterable[Network]) -> Callable[[tuple[Any, ...]], socket.socket]:
    """Return what makes the sockets of a connector, which refuses those to private addresses.

    The function raises PrivateAddressError; all such errors read alike, so that several addresses
    of one name that are all refused come out as one of them.
    """
    networks = tuple(allowed)

    def make(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        if not is_allowed(str(address[0]), networks):
            raise PrivateAddressError("a private address")
        return socket.socket(family=family, type=kind, proto=protocol)

    return make
