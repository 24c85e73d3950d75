"""A batch as the ledger knows it, and as the provider tells of it. Shapes alone."""

import uuid
from enum import StrEnum
from typing import Any

import msgspec

from resonare_pipeline.completions.cache.store import BATCH_PREFIX
from resonare_pipeline.completions.requests import CHAT_URL

WINDOW_SECONDS = 24 * 3600.0  # the only one that there is
METADATA_KEY = "resonare_batch"


def new_batch_id() -> str:
    """Return an id of 32 characters that no batch has."""
    return BATCH_PREFIX + uuid.uuid4().hex[: 32 - len(BATCH_PREFIX)]


class State(StrEnum):
    """How far a batch has come here; `Batch.status` tells how far at the provider."""

    STAGED = "staged"  # its file lies on this machine
    UPLOADED = "uploaded"  # the provider has its file; a batch may have been made of it
    SUBMITTED = "submitted"  # the provider has told the batch's id
    ENDED = "ended"  # of a file submitted by hand: what came of it waits at the provider
    COLLECTED = "collected"  # what came of it is stored; files may lie at the provider
    SETTLED = "settled"  # nothing is left to be done
    DROPPED = "dropped"  # given up before anything of it ran

    @property
    def is_live(self) -> bool:
        """Whether something is left to be done."""
        return self not in (State.SETTLED, State.DROPPED)


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger.

    Attributes:
        batch: Its id here, and in the metadata at the provider.
        campaign: What it is for: the requests of one input, over all its rounds.
        driver: The process that works on it; None: nobody.
        source: The file that somebody submitted by hand; empty for one made here.
        path: The input file on this machine, until it is uploaded.
        tokens: Of prompts, as far as they are counted.
        reserved_usd: The most that it can cost, where a cap is set.
        remote: The provider's id.
        status: The provider's word.
        completed: Lines that were answered so far, as the provider counts.
        failed: Lines that failed so far.
        refusals: How often there was no room for it.
        looks: How often in a row something was looked for in vain; below 0 for the batch itself.
        detail: What the provider said of it, for people.
        creating_at: When its making was begun; None once it is known, or known not to be.
        wait_until: Nothing is done before that.
        answered: Lines whose answers are in the cache.
        is_closed: Its campaign has ended; what it cost counts for no cap any more.
    """

    batch: str
    campaign: str
    endpoint: str
    model: str
    url: str = CHAT_URL
    state: State
    driver: str | None = None
    source: str = ""
    path: str = ""
    lines: int = 0
    bytes: int = 0
    tokens: int = 0
    reserved_usd: float = 0.0
    input_file: str | None = None
    remote: str | None = None
    status: str = ""
    completed: int = 0
    failed: int = 0
    refusals: int = 0
    looks: int = 0
    detail: str = ""
    staged_at: float
    creating_at: float | None = None
    submitted_at: float | None = None
    wait_until: float = 0.0
    settled_at: float | None = None
    answered: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    is_closed: bool = False

    @property
    def is_begun(self) -> bool:
        """Whether the provider has, or may have, a batch of it; else it can be given up."""
        return self.is_enqueued or self.state in (State.ENDED, State.COLLECTED)

    @property
    def is_enqueued(self) -> bool:
        """Whether its tokens count, or may count, for the provider's limit."""
        return self.state is State.SUBMITTED or self.creating_at is not None


class RemoteError(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a failed batch's `errors`."""

    code: str | None = None
    message: str | None = None
    line: int | None = None


class RemoteErrors(msgspec.Struct, frozen=True, kw_only=True):
    """The field `errors` of a batch."""

    data: list[RemoteError] | None = None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The field `request_counts` of a batch."""

    total: int | None = None
    completed: int | None = None
    failed: int | None = None


class RemoteBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The provider's batch object, as far as it is used; other fields are passed over.

    Format: OpenAI's `Batch` in its published OpenAPI description.
    """

    id: str
    status: str
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: RemoteErrors | None = None
    request_counts: Counts | None = None
    created_at: float | None = None
    metadata: dict[str, Any] | None = None

    @property
    def counts(self) -> Counts:
        """How many lines it has, and how many of them are done."""
        return self.request_counts or Counts()

    @property
    def reasons(self) -> list[RemoteError]:
        """Why it failed, if it did."""
        return (self.errors.data if self.errors else None) or []


ENDED = ("completed", "expired", "cancelled", "failed")
"""Statuses after which nothing more happens. Every other one, known or not, is looked at again."""
