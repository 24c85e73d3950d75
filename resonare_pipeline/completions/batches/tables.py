"""The ledger's tables, in the database of the cache, alike in SQLite and PostgreSQL.

Which requests are in a batch is told by the cache's own claims: the batch is their owner.
"""

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, String, Table, Text

from resonare_pipeline.completions.cache.tables import METADATA

BATCHES = Table(
    "batches",
    METADATA,
    Column("batch", String(32), primary_key=True),  # stands in the provider's metadata too
    Column("campaign", String(1024), nullable=False),
    Column("endpoint", String(512), nullable=False),
    Column("model", String(512), nullable=False),
    Column("url", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("driver", String(32)),  # the process that works on it
    Column("source", String(4096), nullable=False, default=""),
    Column("path", String(4096), nullable=False, default=""),
    Column("lines", Integer, nullable=False, default=0),
    Column("bytes", BigInteger, nullable=False, default=0),
    Column("tokens", BigInteger, nullable=False, default=0),
    Column("reserved_usd", Double, nullable=False, default=0.0),
    Column("input_file", Text),  # ids and words of providers are as long as they like
    Column("remote", Text),  # the provider's id of the batch
    Column("status", Text, nullable=False, default=""),
    Column("completed", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("refusals", Integer, nullable=False, default=0),
    Column("looks", Integer, nullable=False, default=0),
    Column("detail", Text, nullable=False, default=""),
    Column("staged_at", Double, nullable=False),
    Column("creating_at", Double),
    Column("submitted_at", Double),
    Column("wait_until", Double, nullable=False, default=0.0),
    Column("settled_at", Double),
    Column("answered", Integer, nullable=False, default=0),
    Column("cost_usd", Double, nullable=False, default=0.0),
    Column("unpriced", Integer, nullable=False, default=0),
    Column("is_closed", Boolean, nullable=False, default=False),
    Index("batches_by_state", "state"),
)
"""One row per batch, written before each step that the provider is asked for. Times are seconds
since 1970, UTC. What stands here is described at `batch.Batch`."""

HAND_MADE = Table(
    "hand_made_batches",
    METADATA,
    Column("batch", String(32), primary_key=True),
    Column("submission", String(32), nullable=False),
    Column("content", String(64), nullable=False),  # SHA-256 of the file
    Column("first_line", Integer, nullable=False),
    Column("last_line", Integer, nullable=False),
    Column("written_at", Double),
    Index("hand_made_by_content", "content"),
)
"""One row per batch of a file that somebody submitted by hand: which of its lines are in it. It is
written together with the batch's own row."""

SETBACKS = Table(
    "batch_setbacks",
    METADATA,
    Column("campaign", String(1024), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("tries", Integer, nullable=False),
    Column("failure", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("is_final", Boolean, nullable=False),
)
"""Requests that a campaign's batches brought no answer for; they go with the campaign."""

QUEUE_LIMITS = Table(
    "batch_queue_limits",
    METADATA,
    Column("endpoint", String(512), primary_key=True),
    Column("model", String(512), primary_key=True),
    Column("tokens", BigInteger, nullable=False),
    Column("learned_at", Double, nullable=False),
)
"""How many prompt tokens may be enqueued at a time, as an endpoint's refusals tell."""
