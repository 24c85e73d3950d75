"""One answer of one server: bounded in bytes, time and redirects, and never of a private address.

Every hop is a request of its own through a guarded connector.
"""

import asyncio
import html
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from resonare_pipeline.chats.links.connecting import (
    open_session,
    public_addresses,
    takes_connection,
)
from resonare_pipeline.chats.links.failures import FetchError, LinkFailure
from resonare_pipeline.chats.links.finding import canonical, post_of
from resonare_pipeline.chats.links.guarding import PrivateAddressError, is_fixed, networks_of
from resonare_pipeline.chats.links.inflating import Inflater
from resonare_pipeline.chats.links.settings import LinksSettings
from resonare_pipeline.chats.links.targets import origin_of

PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
LONGEST_REST_SECONDS = 7 * 86_400.0  # that a server is believed to want
REFRESH_BYTES = 16_384  # of a shortener's page that are searched
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s\"';,]{1,40})", re.IGNORECASE)
# X's shortener redirects some clients by a status, and others by a page with nothing else in it.
_REDIRECTING_BY_PAGES = frozenset({"t.co"})
_REFRESH = re.compile(
    rb"<meta\s{1,9}http-equiv=[\"']?refresh[\"']?\s{1,9}content=[\"']?\d{1,3};\s{0,9}url="
    rb"([^\"'>\s]{1,4000})",
    re.IGNORECASE,
)
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
        heard: How many answers there were to what was asked for pages, be it errors.
    """

    def __init__(self, settings: LinksSettings) -> None:
        self._settings = settings
        self._pages: aiohttp.ClientSession | None = None
        self._endpoint: aiohttp.ClientSession | None = None
        self.heard = 0

    async def __aenter__(self) -> Self:
        self._pages = open_session(
            self._settings, networks_of(self._settings.allowed_page_networks)
        )
        self._endpoint = open_session(
            self._settings, networks_of(self._settings.allowed_private_networks)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for session in (self._pages, self._endpoint):
            if session is not None:
                await session.close()

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
        return bool(await public_addresses(host, self._settings.connect_timeout_seconds))

    async def reaches(self, host: str, port: int) -> bool:
        """Tell whether a server of the public internet takes a connection. Nothing is sent."""
        wait_seconds = self._settings.connect_timeout_seconds
        addresses = await public_addresses(host, wait_seconds)
        # The last is IPv4 where there are both kinds, and many machines have that alone.
        return any([await takes_connection(at, port, wait_seconds) for at in addresses[-1:]])

    async def _get(self, url: str, *, accept: str, is_page: bool) -> Answer | Post:
        first = at = url
        with _explained() as place:
            async with asyncio.timeout(self._settings.timeout_seconds):
                for _ in range(self._settings.max_redirects + 1):
                    place.url = at
                    place.is_elsewhere = _origin(at) != _origin(first)
                    # The private network of the endpoint is open to what is asked of it alone.
                    session = self._pages if is_page or place.is_elsewhere else self._endpoint
                    answer = await self._hop(session, at, accept=accept, is_page=is_page)
                    if isinstance(answer, Answer):
                        return answer
                    at = answer
                    if post := post_of(at):
                        return Post(url=post)
                raise FetchError(LinkFailure.TOO_MANY_REDIRECTS)

    async def _hop(
        self, session: aiohttp.ClientSession | None, url: str, *, accept: str, is_page: bool
    ) -> Answer | str:
        """Return the answer of an address, or the address that it names in place of one."""
        if session is None:
            raise RuntimeError("not entered")
        async with session.get(
            URL(url, encoded=True), headers={"Accept": accept}, allow_redirects=False
        ) as response:
            self.heard += is_page
            if response.status in _REDIRECTS and (place := response.headers.get("Location")):
                return _next(url, place)
            _require_success(response)
            kind = response.headers.get("Content-Type", "")
            if is_page and kind.partition(";")[0].strip().lower() not in PAGE_TYPES:
                raise FetchError(LinkFailure.NOT_A_PAGE)
            found = _CHARSET.search(kind)
            body = await self._body(response, is_page=is_page)
            if is_page and (place := _place_in(url, body)):
                return _next(url, place)
            return Answer(
                body=body,
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


def _origin(url: str) -> str:
    return origin_of(canonical(url) or url)


def _place_in(url: str, body: bytes) -> str:
    """Return where a shortener's page sends browsers; empty for all other pages."""
    if urlsplit(url).hostname not in _REDIRECTING_BY_PAGES:
        return ""
    found = _REFRESH.search(body, 0, REFRESH_BYTES)
    return html.unescape(found[1].decode("utf-8", "replace")) if found else ""


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
    raise FetchError(failure, retry_after_seconds=min(seconds, LONGEST_REST_SECONDS))


@dataclass(slots=True)
class _Place:
    """Where a link has led to so far."""

    url: str = ""
    is_elsewhere: bool = False

    def failure_of(self, error: Exception) -> LinkFailure:
        """Return what an error says of the link. What a name means may change, a number not."""
        failure = _failure_of(error)
        if failure is LinkFailure.PRIVATE_ADDRESS and not is_fixed(urlsplit(self.url).hostname):
            return LinkFailure.PRIVATE_NAME
        return failure


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
        raise FetchError(place.failure_of(error), is_elsewhere=place.is_elsewhere) from error


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
