"""Campaigns that are not ended, and whether a run would find something to do. Nothing is changed.

What a sensor asks: the ledger which campaigns there are, the provider how their batches stand.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from sqlalchemy import select

from resonare_pipeline.completions.batches.batch import ENDED, Batch, RemoteBatch, State
from resonare_pipeline.completions.batches.campaigns import LIVE, read_batches
from resonare_pipeline.completions.batches.tables import BATCHES
from resonare_pipeline.completions.opening import existing_cache
from resonare_pipeline.fingerprint import short_hash

Look = Callable[[Batch], RemoteBatch | None]
"""Tells how a batch stands at the provider; None if it has none of that id."""


class OpenCampaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that has begun and not ended.

    Attributes:
        batches: All of its batches that it has had.
        others: Live batches of other campaigns, which may leave it no room.
    """

    name: str
    batches: tuple[Batch, ...]
    others: tuple[Batch, ...] = ()

    @property
    def live(self) -> list[Batch]:
        """Its batches that are under way."""
        return [batch for batch in self.batches if batch.state.is_live]


def open_campaigns(
    environ: Mapping[str, str], *, default_db: Path, prefix: str
) -> list[OpenCampaign]:
    """Return the campaigns that are not ended; a database that is not there yet is not made.

    Args:
        environ: Variables, those of `.env` included.
        default_db: SQLite file where `RESONARE_DB` names no database.
        prefix: With which their names begin.

    Raises:
        CacheError: If the database cannot be read.
    """
    with existing_cache(environ, default_db=default_db) as cache:
        if cache is None:
            return []
        query = select(BATCHES).where(BATCHES.c.is_closed.is_(False) | BATCHES.c.state.in_(LIVE))
        batches = read_batches(cache, query)
    names = dict.fromkeys(
        batch.campaign
        for batch in batches
        if batch.campaign.startswith(prefix) and not batch.is_closed
    )
    return [
        OpenCampaign(
            name=name,
            batches=tuple(b for b in batches if b.campaign == name and not b.is_closed),
            others=tuple(b for b in batches if b.campaign != name and b.state.is_live),
        )
        for name in names
    ]


def live_batches(environ: Mapping[str, str], *, default_db: Path, campaign: str) -> list[Batch]:
    """Return the batches of a campaign that are under way, at whatever endpoint.

    Raises:
        CacheError: If the database cannot be read.
    """
    campaigns = open_campaigns(environ, default_db=default_db, prefix=campaign)
    return [batch for found in campaigns if found.name == campaign for batch in found.live]


def news(campaign: OpenCampaign, look: Look) -> str | None:
    """Return what a run of a campaign would have to do, as a short name; None for nothing yet.

    Args:
        campaign: That is not ended.
        look: Asks the provider, once for each batch that is under way there.
    """
    seen: list[list[str]] = []
    is_due = not campaign.live
    for batch in campaign.live:
        status = str(batch.state)
        if batch.state is State.SUBMITTED:
            found = look(batch)
            status = found.status if found else "gone"
            is_due |= found is None or found.status in ENDED
        else:
            is_due = True
        seen.append([batch.batch, status])
    if not campaign.live:  # it may have found no room; that changes when others end
        seen = [[batch.batch, batch.state] for batch in (*campaign.batches, *campaign.others)]
    return short_hash([campaign.name, *seen]) if is_due else None
