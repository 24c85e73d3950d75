"""What links lead to: what is remembered of them, and the rest from their servers.

The database and the network are imported only when there is something to ask of them.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from resonare_pipeline.chats.links.contents import LinkContent, shortened
from resonare_pipeline.chats.links.failures import LinkFailure
from resonare_pipeline.chats.links.settings import LinksSettings
from resonare_pipeline.chats.links.targets import Target, Targets, targets_of
from resonare_pipeline.progress import Progress, silent

if TYPE_CHECKING:
    from resonare_pipeline.chats.links.remembering import Known, Memory, News, Outcome
    from resonare_pipeline.chats.links.running import Passing


@dataclass(slots=True, kw_only=True)
class LinksReport:
    """What came of links.

    Attributes:
        contents: What they say, by the address as it was given.
        final: How many say nothing, and why, for good. Addresses that mean one page count once.
        retryable: How many said nothing for now.
        retry_at: When the first of these may be asked for again (UTC); None if there are none.
        fetched: How many outcomes are of this run.
        remembered: How many were known.
    """

    contents: dict[str, LinkContent] = field(default_factory=dict)
    final: Counter[LinkFailure] = field(default_factory=Counter)
    retryable: Counter[LinkFailure] = field(default_factory=Counter)
    retry_at: dt.datetime | None = None
    fetched: int = 0
    remembered: int = 0


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def read_links(
    urls: Iterable[str],
    settings: LinksSettings,
    environ: Mapping[str, str],
    *,
    default_db: Path,
    now: Callable[[], dt.datetime] = _utc_now,
    progress: Progress = silent,
) -> LinksReport:
    """Return what links lead to. No event loop may run in the thread that calls this.

    A link that fails is left out and counted; one whose failure may pass is asked for again by the
    run after next hour, and later ones. What was read before an interruption is kept.

    Args:
        urls: Addresses as `links_of` finds them; any may come twice.
        settings: How they are read.
        environ: Variables, those of `.env` included: `RESONARE_DB`.
        default_db: SQLite file where that names no database.
        now: The time (aware).
        progress: Told of pages and posts.

    Raises:
        CacheError: If the database cannot be opened, read or written.
        SettingsError: For an unusable `RESONARE_DB`, or an oEmbed endpoint that is private.
    """
    targets = targets_of(urls, settings)
    gathering = _Gathering(targets, settings, progress)
    if targets.found:
        from resonare_pipeline.chats.links.remembering import open_memory  # and SQLAlchemy: 0.3 s
        from resonare_pipeline.completions.cache.places import cache_url

        with open_memory(cache_url(environ, default_db)) as memory:
            missing, known = _look_up(memory, gathering, now())
            if missing:
                _read(missing, known, memory, gathering, now)
    return gathering.report


def _look_up(
    memory: "Memory", gathering: "_Gathering", now: dt.datetime
) -> "tuple[list[Target], dict[str, Known]]":
    """Take what is remembered, and return what is to be asked, with what is known of it."""
    targets = gathering.targets.found
    known = memory.find(list(targets))
    missing: list[Target] = []
    for key, target in targets.items():
        earlier = known.get(key)
        if earlier is None or (earlier.outcome and not gathering.still_holds(earlier.outcome)):
            missing.append(target)
        elif earlier.outcome is not None:
            gathering.take_outcome(target, earlier.outcome)
            gathering.report.remembered += 1
        elif earlier.retry_at is not None and earlier.retry_at > now:
            failure = earlier.failure or LinkFailure.UNCONNECTED
            gathering.take_failure(failure, earlier.retry_at)
        else:
            missing.append(target)
    wanted = {target.key for target in missing}
    return missing, {key: value for key, value in known.items() if key in wanted}


def _read(
    missing: Sequence[Target],
    known: "Mapping[str, Known]",
    memory: "Memory",
    gathering: "_Gathering",
    now: Callable[[], dt.datetime],
) -> None:
    import asyncio

    from resonare_pipeline.chats.links.running import Run  # and aiohttp: 0.2 s

    async def read() -> None:
        run = Run(gathering.settings, memory, known, now=now, tell=gathering.tell)
        await run.read(missing)

    asyncio.run(read())


class _Gathering:
    """Puts a report together."""

    def __init__(self, targets: Targets, settings: LinksSettings, progress: Progress) -> None:
        self.targets = targets
        self.settings = settings
        self.report = LinksReport()
        self._progress = progress
        self._done = 0
        for failure, links in (
            (LinkFailure.BAD_URL, targets.bad),
            (LinkFailure.NO_ENDPOINT, targets.unasked),
        ):
            if links:
                self.report.final[failure] = len(links)

    def still_holds(self, outcome: "Outcome") -> bool:
        """Tell whether an outcome is what these settings would lead to."""
        if outcome.failure is LinkFailure.NO_ENDPOINT:
            return not self.settings.oembed_url
        allowed = self.settings.allowed_page_networks
        return outcome.failure is not LinkFailure.PRIVATE_ADDRESS or outcome.allowed == allowed

    def take_outcome(self, target: Target, outcome: "Outcome") -> None:
        """Take what a link says, or why it says nothing."""
        if outcome.content is not None:
            shown = shortened(outcome.content, self.settings.max_characters)
            self.report.contents.update(dict.fromkeys(target.given, shown))
        elif outcome.failure is not None:
            self.report.final[outcome.failure] += 1
        self._step()

    def take_failure(self, failure: LinkFailure, retry_at: dt.datetime) -> None:
        """Take a failure that may pass."""
        report = self.report
        report.retryable[failure] += 1
        report.retry_at = min(report.retry_at or retry_at, retry_at)
        self._step()

    def tell(self, target: Target, came: "News | Passing") -> None:
        """Take what a link came to in this run."""
        outcome = getattr(came, "outcome", None)
        if outcome is not None:
            self.report.fetched += 1
            self.take_outcome(target, outcome)
        elif came.failure is not None and came.retry_at is not None:
            self.take_failure(came.failure, came.retry_at)

    def _step(self) -> None:
        self._done += 1
        self._progress(self._done, len(self.targets.found), "links")
