"""One link to its content: asked again where that may help, and as its host bears it."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from resonare_pipeline.chats.links.contents import LinkContent
from resonare_pipeline.chats.links.failures import FetchError, LinkFailure
from resonare_pipeline.chats.links.fetching import Fetcher, Post
from resonare_pipeline.chats.links.hosts import LONGEST_PAUSE_SECONDS, Host, pause_seconds
from resonare_pipeline.chats.links.pages import page_content
from resonare_pipeline.chats.links.posts import asked_url, post_content
from resonare_pipeline.chats.links.settings import LinksSettings
from resonare_pipeline.chats.links.targets import Target, origin_of

Got = TypeVar("Got")

_AGAIN = frozenset(
    {
        LinkFailure.UNCONNECTED,
        LinkFailure.TLS_FAILED,
        LinkFailure.NAME_UNRESOLVED,
        LinkFailure.RATE_LIMITED,
        LinkFailure.SERVER_ERROR,
    }
)
"""What may pass within seconds. A time-out has cost enough of them."""


class Asker:
    """Reads pages and posts.

    Attributes:
        has_post: Whether the oEmbed endpoint told of any post.
        has_secure_answer: Whether any server had a certificate that is trusted.
    """

    def __init__(self, fetcher: Fetcher, settings: LinksSettings) -> None:
        self._fetcher = fetcher
        self._retries = settings.retries
        self._oembed_url = settings.oembed_url
        self._hosts: defaultdict[str, Host] = defaultdict(lambda: Host(settings.requests_per_host))
        self.has_post = False
        self.has_secure_answer = False

    async def ask(self, target: Target) -> LinkContent:
        """Return what a link says, uncut.

        Raises:
            FetchError: If it says nothing.
        """
        if target.is_post:
            return await self._post(target.url)
        page = await self._answer(self._fetcher.page, target.url)
        if isinstance(page, Post):
            if not self._oembed_url:
                raise FetchError(LinkFailure.NO_ENDPOINT)
            return await self._post(asked_url(self._oembed_url, page.url))
        self.has_secure_answer |= page.is_secure
        # On a thread: a page of a megabyte takes long enough for others to be late.
        return _said(
            await asyncio.to_thread(page_content, page.body, page.charset), LinkFailure.NO_TITLE
        )

    async def _post(self, url: str) -> LinkContent:
        try:
            answer = await self._answer(self._fetcher.document, url)
            content = await asyncio.to_thread(post_content, answer.body)
            said = _said(content, LinkFailure.BAD_ANSWER)
        except FetchError as error:
            error.is_endpoints = True
            raise
        self.has_post = True
        return said

    async def _answer(self, fetch: Callable[[str], Awaitable[Got]], url: str) -> Got:
        host = self._hosts[origin_of(url)]
        async with host.turns:
            tries = 0
            while True:
                host.require_open()
                await host.rest()
                tries += 1
                try:
                    answer = await fetch(url)
                except FetchError as error:
                    pause = pause_seconds(error, tries)
                    is_last = tries > self._retries or pause > LONGEST_PAUSE_SECONDS
                    if is_last or error.failure not in _AGAIN:
                        host.note_failure(error)
                        raise
                    host.pause(pause)
                else:
                    host.note_answer()
                    return answer


def _said(content: LinkContent | None, otherwise: LinkFailure) -> LinkContent:
    if content is None:
        raise FetchError(otherwise)
    return content
