"""Prompts → answers, through the one engine; committed only when no request is left to be made."""

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import DroppedRows, OutputDraft
from resonare_pipeline.artifacts.tables import TableWriter
from resonare_pipeline.completions.capping import require_caps, require_model
from resonare_pipeline.completions.environment import Provider
from resonare_pipeline.completions.estimating import estimate
from resonare_pipeline.completions.lookup import cached_answers
from resonare_pipeline.completions.requests import Failure, Outcome
from resonare_pipeline.errors import StageError, UnansweredError
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.records.asking import Asking
from resonare_pipeline.records.filling import Filled, Report, fill
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.prompting import choices_of, prompt_records
from resonare_pipeline.records.requesting import Counting
from resonare_pipeline.records.tables import COMPLETIONS

if TYPE_CHECKING:
    from resonare_pipeline.completions.opening import AfterBatches

COMPLETIONS_FILE = "completions.parquet"
_VERDICTS = (Failure.EMPTY, Failure.TRUNCATED, Failure.FILTERED, Failure.REFUSED)
_REFUSED = [kind for kind in Failure if not kind.is_retryable and kind not in _VERDICTS]
"""Failures for good of requests that no model has seen."""


def make_completions(
    prompts: Artifact, out: OutputDraft, asking: Asking, *, progress: Progress = silent
) -> None:
    """Write what came of every request.

    Args:
        prompts: The prompts of a set.
        out: Takes the answers, and the records that have none.

    Raises:
        UnansweredError: If asking again may bring answers that are not there; those that are there
            stay in the cache.
        WaitingError: If batches are under way, and nobody waits for them.
        BudgetError: If it would cost more than it may; nothing is sent then.
        StageError: If every request was refused for good: then the settings are wrong.
        SettingsError: If the endpoint's address, key or model is missing.
    """
    total = sum(1 for _ in prompt_records(prompts))
    report = Report()
    if total:
        require_model(asking.completions)
    with out.table(COMPLETIONS_FILE, COMPLETIONS) as table, out.dropped() as dropped:
        sink = _Rows(table, dropped, report, progress, total)
        if total and _is_for_batches(asking):
            _complete_by_batches(prompts, asking, sink, report, progress)
        elif total:
            _require_cap(prompts, asking)
            asyncio.run(_ask(prompts, asking, sink, report, None))
    if report.retryable and not asking.stage.allow_partial:
        raise _unanswered(report, out.asset, asking)
    if total and sum(report.dropped[reason] for reason in _REFUSED) == total:
        raise StageError(
            f"the endpoint refused every one of {total} requests: {sink.refusal}",
            where=out.asset,
            expected="a model and parameters that the endpoint knows",
            remedy="Correct [completions], then run again",
        )
    out.report(rows=table.count, metadata=_metadata(report))
    if not report.retryable and (fresh := asking.fresh_name(prompts)):
        from resonare_pipeline.completions.opening import fresh_run_is_whole  # and SQLAlchemy

        fresh_run_is_whole(fresh, asking.environ, default_db=asking.default_db)


def _require_cap(prompts: Artifact, asking: Asking) -> None:
    settings = asking.capped
    if settings.max_cost_usd is None:
        return
    counting = Counting(choices=choices_of(settings), assumed_tokens=settings.assumed_output_tokens)
    with ExitStack() as stack:
        counting.look_up = stack.enter_context(
            cached_answers(
                settings,
                asking.environ,
                default_db=asking.default_db,
                fresh=asking.fresh_name(prompts),
            )
        )
        expected = estimate(counting.requests(prompt_records(prompts)), settings)
    require_caps(
        expected,
        asking.accounts,
        asking.environ,
        default_db=asking.default_db,
        batch=settings.in_batches,
    )


def _is_for_batches(asking: Asking) -> bool:
    """Tell whether batches are to be made, or were and are under way, whatever is set now."""
    if asking.completions.in_batches:
        return True
    if asking.completions.provider is not Provider.OPENAI:
        return False
    from resonare_pipeline.completions.batches.watching import live_batches  # and SQLAlchemy

    endpoint = asking.completions.endpoint_name()
    live = live_batches(asking.environ, default_db=asking.default_db, campaign=asking.campaign)
    return any(batch.endpoint == endpoint for batch in live)


def _complete_by_batches(
    prompts: Artifact, asking: Asking, sink: "_Rows", report: Report, progress: Progress
) -> None:
    from resonare_pipeline.records.completing_batches import complete_by_batches, finishing

    after, standing = complete_by_batches(
        prompts, asking, before_first=lambda: _require_cap(prompts, asking), progress=progress
    )
    report.cost_usd, report.unpriced = standing.cost_usd, standing.unpriced
    with finishing(asking, prompts):
        asyncio.run(_ask(prompts, asking, sink, report, after))


async def _ask(
    prompts: Artifact,
    asking: Asking,
    sink: "_Rows",
    report: Report,
    after: "AfterBatches | None",
) -> None:
    from resonare_pipeline.completions.opening import open_engine  # and SQLAlchemy: 0.3 s

    accounts = asking.accounts if after is None else after.accounts
    settings = asking.capped_by(accounts)
    engine = open_engine(
        settings,
        asking.environ,
        default_db=asking.default_db,
        fresh=asking.fresh_name(prompts),
        accounts=accounts,
        after=after,
    )
    async with engine:
        await fill(prompt_records(prompts), engine, choices_of(settings), sink, report)


def _unanswered(report: Report, asset: str, asking: Asking) -> UnansweredError:
    reasons = ", ".join(f"{reason} {count}" for reason, count in report.retryable.items())
    return UnansweredError(
        f"{sum(report.retryable.values())} of {report.read} records have no answer yet: {reasons}",
        where=asset,
        remedy=f"{report.answers} answers are kept; run again to ask only for the rest, or set "
        f"{asking.stage.section}.allow_partial = true to go on without them",
    )


def _metadata(report: Report) -> dict[str, Any]:
    notes = []
    if report.mock:
        notes.append(f"{report.mock} answers are a mock's: no model has written them")
    if report.retryable:
        notes.append(f"incomplete: {report.retryable}")
    return {
        "answers": report.answers,
        "from_cache": report.cached,
        "cost_usd": round(report.cost_usd, 6),
        "answers_of_unknown_price": report.unpriced,
        "input_tokens": report.input_tokens,
        "output_tokens": report.output_tokens,
        "warnings": notes,
    }


class _Rows:
    """Writes outcomes as rows.

    Attributes:
        refusal: What was said of the first record that is left out.
    """

    def __init__(
        self,
        table: TableWriter,
        dropped: DroppedRows,
        report: Report,
        progress: Progress,
        total: int,
    ) -> None:
        self._table = table
        self._dropped = dropped
        self._report = report
        self._progress = progress
        self._total = total
        self.refusal = ""

    def keep(self, record: Record, filled: Filled) -> None:
        """Write the answers of a record."""
        for turn, outcome in filled.outcomes:
            self._table.add(_row(record.place, turn, outcome))
        self._progress(self._report.read, self._total, "records")

    def drop(self, record: Record, filled: Filled) -> None:
        """Write what there is of a record, and why there is no more."""
        self.keep(record, filled)
        self._dropped.add(record.place, str(filled.reason))
        self.refusal = self.refusal or filled.detail


def _row(record_id: str, turn: int, outcome: Outcome) -> dict[str, Any]:
    completion = outcome.completion
    return {
        "record_id": record_id,
        "turn": turn,
        "key": outcome.key,
        "message": msgspec.json.encode(completion.message).decode() if completion else None,
        "failure": outcome.failure,
        "finish_reason": completion.finish_reason if completion else None,
        "model": completion.model if completion else None,
        "input_tokens": completion.usage.input_tokens if completion else 0,
        "output_tokens": completion.usage.output_tokens if completion else 0,
        "mock": completion.mock if completion else False,
    }
