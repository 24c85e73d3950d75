"""What every command of `resonare batch` opens: settings, the ledger, and the endpoint."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assets.graph import GRAPH
from resonare_pipeline.completions.batches.batch import Batch
from resonare_pipeline.completions.batches.driving import Driver
from resonare_pipeline.completions.batches.hand_made import CAMPAIGN
from resonare_pipeline.completions.batches.ledger import Ledger
from resonare_pipeline.completions.batches.opening import open_batches
from resonare_pipeline.completions.batches.setbacks import SettledCache
from resonare_pipeline.completions.cache.places import cache_url
from resonare_pipeline.completions.environment import CACHE_FILE
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import SettingsError, UnknownBatchError
from resonare_pipeline.planning.workspace import environment
from resonare_pipeline.settings import load_settings

NAMED = 5  # batches that a message names


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the settings and the environment say.

    Attributes:
        looked_in: The file that was read beside the environment.
    """

    settings: CompletionsSettings
    environ: Mapping[str, str]
    looked_in: str = ".env"

    @contextmanager
    def driver(self) -> Iterator[Driver]:
        """Open the batches of the endpoint.

        Raises:
            SettingsError: For what is missing of the endpoint.
            CacheError: If the ledger cannot be opened.
        """
        with open_batches(
            self.settings,
            self.environ,
            campaign=CAMPAIGN,
            default_db=CACHE_FILE,
            explicit_endpoint=True,
            looked_in=self.looked_in,
        ) as driver:
            yield driver

    @contextmanager
    def cache(self) -> Iterator[SettledCache]:
        """Open the cache's database alone, which needs no key.

        Raises:
            CacheError: If it cannot be opened.
        """
        cache = SettledCache(cache_url(self.environ, CACHE_FILE), campaign=CAMPAIGN)
        try:
            yield cache
        finally:
            cache.close()


def choose(env: Path | None) -> Chosen:
    """Read the settings and the environment.

    Raises:
        SettingsError: For a setting that cannot be used, or a file that is not there.
    """
    if env is not None and not env.is_file():
        raise SettingsError("no such file", where=str(env), expected="--env FILE")
    environ = environment(Path.cwd(), file=env)
    settings = load_settings(GRAPH.sections(), folder=Path.cwd(), environ=environ, overrides={})
    return Chosen(
        settings=settings.section(CompletionsSettings),
        environ=environ,
        looked_in=str(env or ".env"),
    )


def named_batches(ledger: Ledger, ids: Sequence[str]) -> list[Batch]:
    """Return the batches of some ids, ours or the provider's.

    Raises:
        UnknownBatchError: For an id that the ledger does not know.
    """
    found: list[Batch] = []
    for name in dict.fromkeys(ids):
        batches = ledger.batches(batch=name)
        if not batches:
            live = [batch.remote or batch.batch for batch in ledger.batches(live=True)]
            more = ", …" if len(live) > NAMED else ""
            raise UnknownBatchError(
                f"{name!r} is no batch of {ledger.endpoint} in the ledger",
                expected=", ".join(live[:NAMED]) + more if live else "an id that is listed",
                remedy="`resonare batch ls --all` lists them",
            )
        found += batches
    return list({batch.batch: batch for batch in found}.values())
