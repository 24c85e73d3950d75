"""Connections to strangers' servers. Nothing of this machine or its owner goes along.

There are no cookies, no credentials, and no proxies of the environment. A session reaches the
public internet and the private networks that it is opened for, and no others.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence

import aiohttp

from resonare_pipeline.chats.links.guarding import Network, is_allowed, socket_factory
from resonare_pipeline.chats.links.inflating import ACCEPTED
from resonare_pipeline.chats.links.settings import LinksSettings

LONGEST_HEADER_BYTES = 65_536  # policies of big sites are longer than aiohttp's 8,190


def open_session(settings: LinksSettings, networks: Sequence[Network]) -> aiohttp.ClientSession:
    """Return a session that may reach some private networks as well; its user closes it."""
    connector = aiohttp.TCPConnector(
        resolver=aiohttp.ThreadedResolver(),  # the system's, whatever else is installed
        socket_factory=socket_factory(networks),
        limit=settings.concurrency,
        # Made here: that of aiohttp is made on import, before variables say whom to trust.
        ssl=ssl.create_default_context(),
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_timeout_seconds),
        headers={"User-Agent": settings.user_agent, "Accept-Encoding": ACCEPTED},
        auto_decompress=False,
        trust_env=False,
        max_line_size=LONGEST_HEADER_BYTES,
        max_field_size=LONGEST_HEADER_BYTES,
    )


async def public_addresses(host: str, timeout_seconds: float) -> list[str]:
    """Return the public addresses that the resolver finds for a name; none if it finds none."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_seconds):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # TimeoutError is one of the former
        return []
    addresses = (str(address[0]) for *_, address in found)
    return [address for address in addresses if is_allowed(address)]


async def takes_connection(address: str, port: int, timeout_seconds: float) -> bool:
    """Tell whether a server takes a connection. Nothing is sent."""
    try:
        async with asyncio.timeout(timeout_seconds):
            _, writer = await asyncio.open_connection(address, port)
    except OSError:
        return False
    writer.close()
    return True
