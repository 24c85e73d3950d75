"""What the cache knows of requests, without asking anybody."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from resonare_pipeline.completions.environment import Provider
from resonare_pipeline.completions.requests import CompletionRequest, Outcome
from resonare_pipeline.completions.settings import CompletionsSettings

if TYPE_CHECKING:
    from resonare_pipeline.completions.cache.store import Cache

KEYS_AT_A_TIME = 5_000  # looked up together

LookUp = Callable[[Sequence[CompletionRequest]], Sequence[Outcome | None]]
"""Tells what is known of requests without asking anybody."""


def nothing_known(requests: Sequence[CompletionRequest]) -> list[Outcome | None]:
    """Know no answer."""
    return [None] * len(requests)


@contextmanager
def cached_answers(
    settings: CompletionsSettings,
    environ: Mapping[str, str],
    *,
    default_db: Path,
    fresh: str = "",
) -> Iterator[LookUp]:
    """Open the cache for looking things up; one that is not there yet is not made.

    Args:
        fresh: Name of a run that asks again; what was answered before it began does not count.

    Raises:
        CacheError: If it cannot be read.
    """
    # Not at the top: who only plans need not wait for SQLAlchemy.
    from resonare_pipeline.completions.cache.marks import find_mark
    from resonare_pipeline.completions.opening import existing_cache

    if settings.provider is Provider.MOCK:
        yield nothing_known
        return
    with existing_cache(environ, default_db=default_db) as cache:
        since = find_mark(cache, fresh) if cache and fresh else 0.0
        if cache is None or since is None:
            yield nothing_known
            return
        yield looking_up(cache, settings, since=since)


def known_keys(
    keys: Iterable[str],
    settings: CompletionsSettings,
    environ: Mapping[str, str],
    *,
    default_db: Path,
) -> int:
    """Count the keys that the cache answers; one that is not there yet is not made.

    Raises:
        CacheError: If it cannot be read.
    """
    from resonare_pipeline.completions.opening import existing_cache

    if settings.provider is Provider.MOCK:
        return 0
    left, count = iter(keys), 0
    with existing_cache(environ, default_db=default_db) as cache:
        while cache is not None and (some := list(islice(left, KEYS_AT_A_TIME))):
            found = cache.find(some)
            count += sum(key in found for key in some)
    return count


def looking_up(cache: "Cache", settings: CompletionsSettings, *, since: float = 0.0) -> LookUp:
    """Return what looks requests up in a cache.

    Args:
        cache: The cache.
        settings: Whose keys they have.
        since: Older answers do not count (seconds since 1970).
    """
    name = settings.endpoint_name()

    def look_up(requests: Sequence[CompletionRequest]) -> list[Outcome | None]:
        keys = [request.key(settings.provider, name) for request in requests]
        found = cache.find(keys, since=since)
        return [
            Outcome(key=key, completion=found[key].completion, failure=found[key].failure)
            if key in found
            else None
            for key in keys
        ]

    return look_up
