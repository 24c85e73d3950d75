"""The cache's tables, alike in SQLite and PostgreSQL."""

from sqlalchemy import (
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

METADATA = MetaData()

ANSWERS = Table(
    "answers",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("record", LargeBinary, nullable=False),  # JSON of `store.Record`
    Column("provider", String(32), nullable=False),
    Column("endpoint", String(512), nullable=False),
    Column("model", String(512), nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost_usd", Double),  # null: the price was not known
    Column("answered_at", Double, nullable=False),  # seconds since 1970, UTC
)
"""One row per request that was answered, refusals of the model included."""

CLAIMS = Table(
    "claims",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("owner", String(32), nullable=False),
    Index("claims_by_owner", "owner"),
)
"""One row per request that somebody is asking now."""

OWNERS = Table(
    "owners",
    METADATA,
    Column("owner", String(32), primary_key=True),
    Column("alive_until", Double, nullable=False),  # seconds since 1970, by the database's clock
)
"""One row per process that asks. Claims of one that is not alive are free."""

SPENDINGS = Table(
    "spendings",
    METADATA,
    Column("account", String(64), primary_key=True),
    Column("owner", String(32), primary_key=True),
    Column("minute_at", Double, primary_key=True),  # when it began, as `alive_until`
    Column("cost_usd", Double, nullable=False),
)
"""What answers cost, by account, process and minute. Only what a cap holds for is noted."""

DRAWINGS = Table(
    "drawings",
    METADATA,
    Column("account", String(64), primary_key=True),
    Column("owner", String(32), primary_key=True),
    Column("left_usd", Double, nullable=False),
    Column("drawn_at", Double, nullable=False),
)
"""What processes have drawn from accounts and not spent yet; that of a killed one stays."""

MARKS = Table(
    "marks",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("marked_at", Double, nullable=False),  # as `answered_at`
)
"""When runs began that ask for fresh answers and have not all of them yet."""
