"""How many prompt tokens may be enqueued at a time: a setting, what refusals told, a table.

OpenAI calls this the batch queue limit. The table (`queue_limits.json`) is by model and usage tier;
without a tier nothing is assumed, for a refusal costs nothing and tells the number.
"""

import functools
import re
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from resonare_pipeline.completions.batches.ledger import Ledger
from resonare_pipeline.completions.batches.tables import QUEUE_LIMITS
from resonare_pipeline.completions.cache.connecting import dialect_of
from resonare_pipeline.completions.settings import CompletionsSettings

LIMITS_PATH = Path(__file__).with_name("queue_limits.json")
LEARNED_SECONDS = 7 * 86_400.0  # accounts rise to higher tiers, and a limit kept to tells nothing
TOO_MANY_CODE = "token_limit_exceeded"

_LIMIT = re.compile(r"[Ll]imit:?\s*([\d,._]+)\s*(?:enqueued\s+)?tokens")
_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|latest)$")


class LimitList(msgspec.Struct, frozen=True, kw_only=True):
    """The file: model → tier → tokens, and where that is known from."""

    as_of: str
    sources: dict[str, str]
    models: dict[str, dict[str, int]]


@functools.cache
def limit_list() -> LimitList:
    """Read the table that ships with the project, once a process."""
    return msgspec.json.decode(LIMITS_PATH.read_bytes(), type=LimitList)


def listed_limit(model: str, tier: int | None) -> int | None:
    """Return the table's number for a model, or None if it has none."""
    models = limit_list().models
    name = _DATED.sub("", model.rpartition("/")[2].lower())
    return models.get(name, {}).get(str(tier))


def queue_limit(model: str, settings: CompletionsSettings, ledger: Ledger) -> int | None:
    """Return how many tokens may be enqueued; None if nobody knows of a limit."""
    known = (settings.batch_enqueued_tokens, learned_limit(ledger, model))
    given = [tokens for tokens in known if tokens is not None]
    return min(given) if given else listed_limit(model, settings.batch_tier)


def told_limit(message: str) -> int | None:
    """Read the number in a refusal ("Limit: 90,000 enqueued tokens"), or None."""
    found = _LIMIT.search(message)
    digits = re.sub(r"\D", "", found.group(1)) if found else ""
    return int(digits) if digits else None


def learned_limit(ledger: Ledger, model: str) -> int | None:
    """Return how many tokens may be enqueued, if a refusal has told within the last week."""
    query = select(QUEUE_LIMITS.c.tokens).where(
        QUEUE_LIMITS.c.endpoint == ledger.endpoint,
        QUEUE_LIMITS.c.model == model,
        QUEUE_LIMITS.c.learned_at > ledger.clock() - LEARNED_SECONDS,
    )
    return ledger.cache.run(
        lambda connection: connection.execute(query).scalar_one_or_none(), reading=True
    )


def learn_limit(ledger: Ledger, model: str, tokens: int) -> None:
    """Remember how many tokens may be enqueued."""
    values = {"tokens": tokens, "learned_at": ledger.clock()}

    def put(connection: Connection) -> None:
        statement = (
            dialect_of(connection)
            .insert(QUEUE_LIMITS)
            .values(endpoint=ledger.endpoint, model=model, **values)
        )
        connection.execute(
            statement.on_conflict_do_update(index_elements=["endpoint", "model"], set_=values)
        )

    ledger.cache.run(put)
