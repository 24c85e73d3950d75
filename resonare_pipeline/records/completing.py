"""Prompts → answers, through the one engine; committed only when no request is left to be made."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import DroppedRows, OutputDraft
from resonare_pipeline.artifacts.tables import TableWriter
from resonare_pipeline.completions.accounts import UNATTENDED, Account
from resonare_pipeline.completions.batch_settings import Mode
from resonare_pipeline.completions.environment import Provider, endpoint_name
from resonare_pipeline.completions.estimating import estimate, require_within_cap
from resonare_pipeline.completions.requests import Failure, Outcome
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import BudgetError, SettingsError, StageError, UnansweredError
from resonare_pipeline.fingerprint import fingerprint
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.records.filling import Filled, Report, fill
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.prompting import choices_of, prompt_records
from resonare_pipeline.records.requesting import Counting, cached_answers
from resonare_pipeline.records.sets import RecordCompletionsSettings
from resonare_pipeline.records.tables import COMPLETIONS

if TYPE_CHECKING:
    from resonare_pipeline.completions.opening import AfterBatches

COMPLETIONS_FILE = "completions.parquet"
CACHE_FILE = Path("data/completions.sqlite")  # below the project's folder

UNATTENDED_SETTING = "completions.max_unattended_cost_usd"
UNATTENDED_SECONDS = 25 * 3_600.0
"""A day, and an hour for what was under way when it was written down."""

_VERDICTS = (Failure.EMPTY, Failure.TRUNCATED, Failure.FILTERED, Failure.REFUSED)
_REFUSED = [kind for kind in Failure if not kind.is_retryable and kind not in _VERDICTS]
"""Failures for good of requests that no model has seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who is asked, and under what conditions.

    Attributes:
        environ: Keys and addresses.
        folder: The project's.
        unattended: Nobody has started this; a cap of its own holds then.
        campaign: What batches are for: the same for all runs of a set.
        patient: Somebody waits until all batches are answered.
        account: Name of the run, whose sets share a cap.
    """

    completions: CompletionsSettings
    stage: RecordCompletionsSettings
    environ: Mapping[str, str]
    folder: Path
    unattended: bool = False
    campaign: str = "records"
    patient: bool = False
    account: str = ""

    @property
    def is_batch(self) -> bool:
        """Whether requests travel in batches; the mock answers at once."""
        settings = self.completions
        return settings.mode is Mode.BATCH and settings.provider is not Provider.MOCK

    @property
    def accounts(self) -> tuple[Account, ...]:
        """What is spent together with other sets, and other runs."""
        settings = self.completions
        found = []
        if self.unattended:
            found.append(
                Account(
                    name=UNATTENDED,
                    cap_usd=settings.max_unattended_cost_usd,
                    setting=UNATTENDED_SETTING,
                    seconds=UNATTENDED_SECONDS,
                )
            )
        if settings.max_cost_usd is not None:
            name = f"run:{self.account}"
            cap = settings.max_cost_usd
            found.append(Account(name=name, cap_usd=cap, setting="completions.max_cost_usd"))
        return tuple(found)

    @property
    def capped(self) -> CompletionsSettings:
        """The settings with the least cap that holds."""
        return self.capped_by(self.accounts)

    def capped_by(self, accounts: Sequence[Account]) -> CompletionsSettings:
        """Return the settings with the least cap of some accounts."""
        caps = [account.cap_usd for account in accounts]
        return self.completions.model_copy(update={"max_cost_usd": min(caps, default=None)})

    def fresh_name(self, prompts: Artifact) -> str:
        """Return the name of the asking, if it is for fresh answers; else nothing."""
        if not self.stage.fresh_answers:
            return ""
        return fingerprint(["record_completions", prompts.digest, self.completions.identity()])

    def wanted(self, prompts: Artifact) -> str:
        """Name exactly what is asked for: these prompts, at this endpoint, in this way."""
        return fingerprint(["wanted", self.campaign, prompts.digest, self.completions.identity()])

    @property
    def default_db(self) -> Path:
        """Where the cache is, if no database is named."""
        return self.folder / CACHE_FILE


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
        _require_model(asking)
    with out.table(COMPLETIONS_FILE, COMPLETIONS) as table, out.dropped() as dropped:
        sink = _Rows(table, dropped, report, progress, total)
        if total and (asking.is_batch or _is_under_way(asking)):
            after = _ask_in_batches(prompts, asking, report, progress)
            with _finishing(asking, prompts):
                asyncio.run(_ask(prompts, asking, sink, report, after))
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


def _require_model(asking: Asking) -> None:
    settings = asking.completions
    own = endpoint_name(settings.provider, "")
    is_own = endpoint_name(settings.provider, settings.base_url) == own
    if settings.provider is not Provider.MOCK and is_own and not settings.model:
        raise SettingsError(
            f"no model is named, and {own} has many",
            where="completions.model",
            remedy="Set it in resonare.toml, or MODEL in .env",
        )


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
    from resonare_pipeline.completions.opening import spent_usd  # and SQLAlchemy: 0.3 s

    used = spent_usd(asking.accounts, asking.environ, default_db=asking.default_db)
    for account, so_far in zip(asking.accounts, used, strict=True):
        try:
            require_within_cap(
                expected,
                account.cap_usd,
                batch=asking.is_batch,
                used_usd=so_far,
                setting=account.setting,
            )
        except BudgetError as error:
            if account.name != UNATTENDED:
                raise
            raise BudgetError(
                error.found,
                where=account.setting,
                expected="a run that somebody starts, for what costs more than that a day",
                remedy="Start it by hand, or raise the cap",
            ) from error


def _ask_in_batches(
    prompts: Artifact, asking: Asking, report: Report, progress: Progress
) -> "AfterBatches":
    from resonare_pipeline.records.completing_batches import Campaign, ask_in_batches

    campaign = Campaign(
        name=asking.campaign,
        settings=asking.completions,
        environ=asking.environ,
        default_db=asking.default_db,
        fresh=asking.fresh_name(prompts),
        accounts=asking.accounts,
        unattended=asking.unattended,
        wanted=asking.wanted(prompts),
        stages=asking.is_batch,
        patient=asking.patient,
    )
    after, standing = ask_in_batches(
        prompts, campaign, before_first=lambda: _require_cap(prompts, asking), progress=progress
    )
    report.cost_usd, report.unpriced = standing.cost_usd, standing.unpriced
    return after


@contextmanager
def _finishing(asking: Asking, prompts: Artifact) -> Iterator[None]:
    """End the batches of a set, also if all was refused: somebody mends that, and runs it again."""
    try:
        yield
    except StageError:
        _finish_campaign(asking, prompts)
        raise
    _finish_campaign(asking, prompts)


def _finish_campaign(asking: Asking, prompts: Artifact) -> None:
    """End the batches of a set: another run asks again for what brought nothing."""
    from resonare_pipeline.completions.batches import opening

    opening.finish_campaign(
        asking.completions,
        asking.environ,
        campaign=asking.campaign,
        default_db=asking.default_db,
        wanted=asking.wanted(prompts),
    )


def _is_under_way(asking: Asking) -> bool:
    """Tell whether batches of the set are under way, though it would be asked online now."""
    from resonare_pipeline.completions.batches.watching import open_campaigns

    if asking.completions.provider is not Provider.OPENAI:
        return False
    endpoint = asking.completions.endpoint_name()
    campaigns = open_campaigns(asking.environ, default_db=asking.default_db, prefix=asking.campaign)
    return any(
        batch.endpoint == endpoint
        for campaign in campaigns
        if campaign.name == asking.campaign
        for batch in campaign.live
    )


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
