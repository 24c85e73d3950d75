"""One answer of one server: bounded in bytes, time and redirects, and never of a private address.

Every hop is a request of its own through the same guarded connector. Nothing of this machine or its
owner goes along: no cookies, no credentials, no proxies of the environment.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from resonare_pipeline.chats.links.failures import FetchError, LinkFailure
from resonare_pipeline.chats.links.finding import canonical, post_of
from resonare_pipeline.chats.links.guarding import (
    PrivateAddressError,
    is_allowed,
    networks_of,
    socket_factory,
)
from resonare_pipeline.chats.links.inflating import ACCEPTED, Inflater
from resonare_pipeline.chats.links.settings import LinksSettings
from resonare_pipeline.chats.links.targets import origin_of

PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
LONGEST_HEADER_BYTES = 65_536  # policies of big sites are longer than aiohttp's 8,190
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s\"';,]{1,40})", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425})
_GONE = frozenset({404, 410})
_UNKNOWN_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered.

    Attributes:
        body: Decompressed, and cut off where that was asked for.
        charset: As the header says; empty if it does not.
        is_secure: Whether it came over TLS, with a certificate that is trusted.
    """

    body: bytes
    charset: str
    is_secure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post on X that an address leads to.

    Attributes:
        url: Its one address.
    """

    url: str


class Fetcher:
    """Asks servers; entered by `async with`.

    Attributes:
        heard: Whether any server that was asked for a page answered, be it with an error.
    """

    def __init__(self, settings: LinksSettings) -> None:
        self._settings = settings
        self._networks = networks_of(settings.allowed_private_networks)
        self._session: aiohttp.ClientSession | None = None
        self.heard = False

    async def __aenter__(self) -> Self:
        settings = self._settings
        connector = aiohttp.TCPConnector(
            resolver=aiohttp.ThreadedResolver(),  # the system's, whatever else is installed
            socket_factory=socket_factory(self._networks),
            limit=settings.concurrency,
            # Made here: that of aiohttp is made on import, before variables say whom to trust.
            ssl=ssl.create_default_context(),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=settings.connect_timeout_seconds
            ),
            headers={"User-Agent": settings.user_agent, "Accept-Encoding": ACCEPTED},
            auto_decompress=False,
            trust_env=False,
            max_line_size=LONGEST_HEADER_BYTES,
            max_field_size=LONGEST_HEADER_BYTES,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def page(self, url: str) -> Answer | Post:
        """Return a page, or as much of its beginning as the settings allow; or the post it is.

        A redirect to a post is not followed: X shows posts to nobody without a script.

        Raises:
            FetchError: If there is none.
        """
        return await self._get(url, accept="text/html,application/xhtml+xml", is_page=True)

    async def document(self, url: str) -> Answer:
        """Return an answer of any type, whole.

        Raises:
            FetchError: If there is none.
        """
        answer = await self._get(url, accept="application/json", is_page=False)
        if isinstance(answer, Post):
            raise FetchError(LinkFailure.BAD_ANSWER)
        return answer

    async def knows_host(self, host: str) -> bool:
        """Tell whether the resolver finds a public address for a name."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._settings.connect_timeout_seconds):
                found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):  # TimeoutError is one of the former
            return False
        return any(is_allowed(str(address[0])) for *_, address in found)

    async def _get(self, url: str, *, accept: str, is_page: bool) -> Answer | Post:
        first = at = url
        with _explained() as place:
            async with asyncio.timeout(self._settings.timeout_seconds):
                for _ in range(self._settings.max_redirects + 1):
                    place.is_elsewhere = origin_of(at) != origin_of(first)
                    answer = await self._hop(at, accept=accept, is_page=is_page)
                    if isinstance(answer, Answer):
                        return answer
                    at = answer
                    if post := post_of(at):
                        return Post(url=post)
                raise FetchError(LinkFailure.TOO_MANY_REDIRECTS)

    async def _hop(self, url: str, *, accept: str, is_page: bool) -> Answer | str:
        """Return the answer of an address, or the address that it names in place of one."""
        if self._session is None:
            raise RuntimeError("not entered")
        async with self._session.get(
            URL(url, encoded=True), headers={"Accept": accept}, allow_redirects=False
        ) as response:
            self.heard |= is_page
            if response.status in _REDIRECTS and (place := response.headers.get("Location")):
                return _next(url, place)
            _require_success(response)
            kind = response.headers.get("Content-Type", "")
            if is_page and kind.partition(";")[0].strip().lower() not in PAGE_TYPES:
                raise FetchError(LinkFailure.NOT_A_PAGE)
            found = _CHARSET.search(kind)
            return Answer(
                body=await self._body(response, is_page=is_page),
                charset=found[1] if found else "",
                is_secure=url.startswith("https:"),
            )

    async def _body(self, response: aiohttp.ClientResponse, *, is_page: bool) -> bytes:
        limit = self._settings.max_page_bytes
        coding = response.headers.get("Content-Encoding", "").strip().lower()
        received = 0
        try:
            inflater = Inflater(coding, limit)
            async for chunk in response.content.iter_any():
                inflater.add(chunk)
                received += len(chunk)
                # The second holds for what decompresses to nothing, and never ends.
                if inflater.is_full or received > limit:
                    break
        except ValueError as error:
            raise FetchError(LinkFailure.BAD_ANSWER) from error
        if not is_page and (inflater.is_full or received > limit):
            raise FetchError(LinkFailure.TOO_LARGE)
        return inflater.content


def _next(url: str, location: str) -> str:
    """Return the address of a redirect, in its one form."""
    try:
        target = canonical(urljoin(url, location.strip().replace(" ", "%20")))
    except ValueError:
        target = None
    if target is None:
        raise FetchError(LinkFailure.BAD_URL)
    return target


def _require_success(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        failure = LinkFailure.RATE_LIMITED
    elif status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        failure = LinkFailure.SERVER_ERROR
    elif status in _GONE:
        failure = LinkFailure.GONE
    elif status >= HTTPStatus.BAD_REQUEST:
        failure = LinkFailure.REFUSED
    else:
        failure = LinkFailure.NOT_A_PAGE
    wait = response.headers.get("Retry-After", "").strip()
    seconds = float(wait) if wait.isascii() and wait.isdigit() else 0.0  # dates are rare
    raise FetchError(failure, retry_after_seconds=seconds)


@dataclass(slots=True)
class _Place:
    """Where a link has led to so far."""

    is_elsewhere: bool = False


@contextmanager
def _explained() -> Iterator[_Place]:
    """Raise whatever goes wrong on the network as a FetchError."""
    place = _Place()
    try:
        yield place
    except FetchError as error:
        error.is_elsewhere = place.is_elsewhere
        raise
    # yarl and the resolver refuse some hosts by a ValueError.
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise FetchError(_failure_of(error), is_elsewhere=place.is_elsewhere) from error


def _failure_of(error: Exception) -> LinkFailure:
    match error:
        case TimeoutError():
            return LinkFailure.TIMED_OUT
        case aiohttp.ClientConnectorCertificateError():
            return LinkFailure.BAD_CERTIFICATE
        case aiohttp.ClientConnectorError():
            return _failure_to_connect(error)
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return LinkFailure.BAD_URL
        case aiohttp.ClientResponseError():
            return LinkFailure.BAD_ANSWER
        case aiohttp.ClientError() | OSError():
            return LinkFailure.UNCONNECTED
        case _:
            return LinkFailure.BAD_URL


def _failure_to_connect(error: aiohttp.ClientConnectorError) -> LinkFailure:
    match error.os_error:
        case PrivateAddressError():
            return LinkFailure.PRIVATE_ADDRESS
        case socket.gaierror() as cause:
            is_unknown = cause.errno in _UNKNOWN_NAME
            return LinkFailure.NO_SUCH_HOST if is_unknown else LinkFailure.NAME_UNRESOLVED
        case ssl.SSLError():
            return LinkFailure.TLS_FAILED
        case _:
            return LinkFailure.UNCONNECTED
