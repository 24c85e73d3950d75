"""Which links are read, how much is taken of each, and how fast and how long servers are asked."""

import ipaddress
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from resonare_pipeline.settings import EXECUTION, Section

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]

OEMBED_URL = "https://publish.twitter.com/oembed"


class LinksSettings(Section):
    """How the pages and posts that messages link to are read."""

    section: ClassVar[str] = "links"

    oembed_url: str = OEMBED_URL
    """Endpoint that tells the content of posts on X (oEmbed, without a key). Empty: posts are not
    asked for, and messages with links to them stay as they are."""

    max_characters: Annotated[int, Field(ge=20, le=10_000)] = 500
    """Most characters that are taken of one page (title and description) or of one post."""

    max_page_bytes: Annotated[int, Field(ge=1_000)] = 1_000_000
    """Most bytes that are read of a page, after decompression; its head is enough. A longer answer
    of the oEmbed endpoint is refused."""

    max_redirects: Annotated[int, Field(ge=0)] = 5
    """Most redirects that are followed for one link."""

    allowed_private_networks: tuple[str, ...] = ()
    """Private networks in which the oEmbed endpoint may be, such as `10.1.2.3/32` for one's own.
    They are open to host and port of `oembed_url`, and to no link. Default: none."""

    allowed_page_networks: tuple[str, ...] = ()
    """Private networks whose pages are read, for a web of your own. Whoever writes a message can
    then make this machine ask any address in them. Default: none, so no link can make it ask its
    neighbours."""

    concurrency: Annotated[Count, EXECUTION] = 16
    """Most links that are read at a time."""

    requests_per_host: Annotated[Count, EXECUTION] = 4
    """Most links of one host that are read at a time."""

    timeout_seconds: Annotated[Seconds, EXECUTION] = 20.0
    """Longest time for one link, redirects and the page included."""

    connect_timeout_seconds: Annotated[Seconds, EXECUTION] = 10.0
    """Longest wait for a connection."""

    retries: Annotated[int, EXECUTION, Field(ge=0)] = 2
    """How often a link is asked for again in one run after 408, 425, 429, 5xx or a broken
    connection."""

    user_agent: Annotated[str, EXECUTION] = "resonare-pipeline/0.1 (link preview)"
    """How requests introduce themselves to servers."""

    @field_validator("oembed_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            message = "expected an http or https address"
            raise ValueError(message)
        return value

    @field_validator("allowed_private_networks", "allowed_page_networks")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ipaddress.ip_network(network)
        return value

    @field_validator("user_agent")
    @classmethod
    def _is_header(cls, value: str) -> str:
        if not value.isascii() or not value.isprintable():
            message = "expected printable ASCII characters"
            raise ValueError(message)
        return value
