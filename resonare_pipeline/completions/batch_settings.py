"""How batches are made and watched over; part of `[completions]`. None of it decides answers."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from resonare_pipeline.completions.requests import BATCH_BYTES, BATCH_LINES
from resonare_pipeline.settings import EXECUTION, Section

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]


class Mode(StrEnum):
    """How requests reach a provider."""

    ONLINE = "online"
    BATCH = "batch"


class BatchSettings(Section):
    """Settings of batches."""

    mode: Annotated[Mode, EXECUTION] = Mode.ONLINE
    """`online`: asked at once; `batch`: as files for OpenAI's Batch API, at half the price and
    within a day. Answers are the same to the cache, so switching asks for nothing again."""

    batch_tail: Annotated[Mode, EXECUTION] = Mode.BATCH
    """How the last few requests are asked that a batch brought no answer for, or that later turns
    need: `batch` in another batch, `online` at once and at the full price."""

    batch_tail_requests: Annotated[Count, EXECUTION] = 100
    """How many are few."""

    batch_tries: Annotated[Count, EXECUTION] = 3
    """In how many batches a request is tried that expires, is lost, or meets 429 or 5xx."""

    batch_lines: Annotated[Count, EXECUTION, Field(le=BATCH_LINES)] = BATCH_LINES
    """Most requests in one batch."""

    batch_bytes: Annotated[Count, EXECUTION, Field(le=BATCH_BYTES)] = BATCH_BYTES
    """Largest file of a batch, in bytes."""

    batch_tier: Annotated[int | None, EXECUTION, Field(ge=1, le=5)] = None
    """Usage tier of the account, which decides how many prompt tokens may be enqueued at a time;
    unset: as many as there are, until a refusal tells the limit."""

    batch_enqueued_tokens: Annotated[Count | None, EXECUTION] = None
    """That limit itself, where it is known."""

    batch_poll_seconds: Annotated[Seconds, EXECUTION] = 60.0
    """How long to wait between two looks at batches. Default: `RESONARE_BATCH_POLL_SECONDS`."""

    batch_delete_files: Annotated[bool, EXECUTION] = True
    """Delete a batch's files at the provider once its answers are in the cache."""
