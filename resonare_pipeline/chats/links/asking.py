"""One link to its content: asked again where that may help, and as its host bears it."""

import asyncio
from collections import defaultdict

from resonare_pipeline.chats.links.contents import LinkContent
from resonare_pipeline.chats.links.failures import FetchError, LinkFailure
from resonare_pipeline.chats.links.fetching import Answer, Fetcher
from resonare_pipeline.chats.links.hosts import LONGEST_PAUSE_SECONDS, Host, pause_seconds
from resonare_pipeline.chats.links.pages import page_content
from resonare_pipeline.chats.links.posts import post_content
from resonare_pipeline.chats.links.settings import LinksSettings
from resonare_pipeline.chats.links.targets import Target

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
        has_secure_answer: Whether any server had a certificate that is trusted.
    """

    def __init__(self, fetcher: Fetcher, settings: LinksSettings) -> None:
        self._fetcher = fetcher
        self._retries = settings.retries
        self._hosts: defaultdict[str, Host] = defaultdict(lambda: Host(settings.requests_per_host))
        self.has_secure_answer = False

    async def ask(self, target: Target) -> LinkContent:
        """Return what a link says, uncut.

        Raises:
            FetchError: If it says nothing.
        """
        answer = await self._answer(target)
        self.has_secure_answer |= answer.is_secure
        if target.is_post:
            content = await asyncio.to_thread(post_content, answer.body)
            nothing = LinkFailure.BAD_ANSWER
        else:
            # On a thread: a page of a megabyte takes long enough for others to be late.
            content = await asyncio.to_thread(page_content, answer.body, answer.charset)
            nothing = LinkFailure.NO_TITLE
        if content is None:
            raise FetchError(nothing)
        return content

    async def _answer(self, target: Target) -> Answer:
        fetch = self._fetcher.document if target.is_post else self._fetcher.page
        host = self._hosts[target.host]
        async with host.turns:
            tries = 0
            while True:
                host.require_open()
                await host.rest()
                tries += 1
                try:
                    answer = await fetch(target.url)
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
