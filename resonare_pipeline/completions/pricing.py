"""What tokens cost. Prices are data (`prices.json`), with their day and source.

A model that is not listed has no price: its tokens are counted, and its cost is said to be unknown.
"""

import functools
import re
from pathlib import Path

import msgspec

from resonare_pipeline.completions.requests import Usage
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import SettingsError

PRICES_PATH = Path(__file__).with_name("prices.json")
BATCH_SHARE = 0.5  # OpenAI and Anthropic bill batches at half of all their prices
MILLION = 1_000_000

_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|latest)$")


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars for a million tokens.

    Attributes:
        cached: For prompt tokens that the provider remembered; None: as `input`.
        cache_write: For prompt tokens that it was told to remember; None: as `input`.
        most_output_tokens: The longest answer that the model can give; None: not known.
        source: Key in the file's `sources`.
        confirmed: It was read on the provider's own page.
    """

    input: float
    output: float
    cached: float | None = None
    cache_write: float | None = None
    most_output_tokens: int | None = None
    source: str = ""
    confirmed: bool = False

    @property
    def is_free(self) -> bool:
        """Whether any number of tokens costs nothing."""
        return self.upper_usd(1, 1) == 0

    def cost_usd(self, usage: Usage, *, batch: bool = False) -> float:
        """Return what an answer costs."""
        cached = self.input if self.cached is None else self.cached
        written = self.input if self.cache_write is None else self.cache_write
        plain = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
        dollars = (
            plain * self.input
            + usage.cached_tokens * cached
            + usage.cache_write_tokens * written
            + usage.output_tokens * self.output
        ) / MILLION
        return dollars * BATCH_SHARE if batch else dollars

    def upper_usd(self, input_tokens: int, output_tokens: int) -> float:
        """Return the most that so many tokens can cost."""
        dearest = max(self.input, self.cache_write or 0.0)
        return (input_tokens * dearest + output_tokens * self.output) / MILLION


class PriceList(msgspec.Struct, frozen=True, kw_only=True):
    """The file: all prices that are known, and where they come from."""

    as_of: str
    sources: dict[str, str]
    models: dict[str, Price]


FREE = Price(input=0.0, output=0.0, confirmed=True)


@functools.cache
def price_list() -> PriceList:
    """Read the prices that ship with the project, once a process."""
    return msgspec.json.decode(PRICES_PATH.read_bytes(), type=PriceList)


def price_of(model: str, settings: CompletionsSettings) -> Price | None:
    """Return a model's price, or None if it is not known.

    The settings' own prices win. A day at the end of a model's name, and what stands before a
    slash, do not count.

    Raises:
        SettingsError: If one of the two prices is set alone.
    """
    if settings.provider == "mock":
        return FREE
    own = (settings.input_usd_per_million, settings.output_usd_per_million)
    listed = listed_price(model)
    if own[0] is not None and own[1] is not None:
        most = listed.most_output_tokens if listed else None
        return Price(input=own[0], output=own[1], most_output_tokens=most, source="settings")
    if own != (None, None):
        raise SettingsError(
            "one price is set alone",
            where="completions",
            expected="both input_usd_per_million and output_usd_per_million, or neither",
        )
    return listed


def listed_price(model: str) -> Price | None:
    """Return the price that the file has for a model."""
    models = price_list().models
    return models.get(_last_part(model)) or models.get(plain_name(model))


def plain_name(model: str) -> str:
    """Return a model's name without its owner and its day."""
    return _DATED.sub("", _last_part(model))


def _last_part(model: str) -> str:
    return model.rpartition("/")[2].lower()
