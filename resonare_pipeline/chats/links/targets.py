"""What is asked for a link: an address, by whose key the answer is remembered."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from resonare_pipeline.chats.links.finding import canonical, post_of
from resonare_pipeline.chats.links.posts import asked_url
from resonare_pipeline.chats.links.settings import LinksSettings
from resonare_pipeline.fingerprint import fingerprint

FORM = 1  # of what is remembered; raise it when pages or posts are read otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One page or post.

    Attributes:
        key: Of what is remembered of it: a hash of the address and of what decides the answer.
        url: The address that is asked for.
        is_post: Whether the oEmbed endpoint is asked.
        given: The addresses that lead to it, as they stand in messages.
    """

    key: str
    url: str
    is_post: bool
    given: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Scheme, name and port that are asked first."""
        return origin_of(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What a set of links leads to.

    Attributes:
        found: By key, in the order of the links.
        bad: Links that cannot or must not be asked for.
        unasked: Posts, where no endpoint is set.
    """

    found: dict[str, Target]
    bad: set[str]
    unasked: set[str]


def origin_of(url: str) -> str:
    """Return scheme, name and port of an address in its one form."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def targets_of(urls: Iterable[str], settings: LinksSettings) -> Targets:
    """Return what links lead to, each target once."""
    targets = Targets(found={}, bad=set(), unasked=set())
    for given in dict.fromkeys(urls):
        url = canonical(given)
        post = post_of(url) if url else None
        if url is None:
            targets.bad.add(given)
        elif post and not settings.oembed_url:
            targets.unasked.add(given)
        else:
            target = _target(url, post, settings)
            targets.found.setdefault(target.key, target).given.append(given)
    return targets


def _target(url: str, post: str | None, settings: LinksSettings) -> Target:
    decided_by = {
        "form": FORM,
        "address": post or url,
        "oembed_url": settings.oembed_url if post else "",
        "max_bytes": settings.max_page_bytes,
        "max_redirects": settings.max_redirects,
    }
    asked = asked_url(settings.oembed_url, post) if post else url
    return Target(key=fingerprint(decided_by), url=asked, is_post=bool(post))
