"""`resonare fill`: a file of records in, the same with its empty assistant turns filled out.

Knows nothing of the graph beyond its settings. Every answer is in the cache before it is used, so a
run that was stopped anywhere goes on with the same command.
"""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from resonare_pipeline.artifacts.writing import writing_errors
from resonare_pipeline.cli.batch_display import BatchDisplay
from resonare_pipeline.cli.fill_display import FillDisplay
from resonare_pipeline.cli.fill_options import (
    FillOptions,
    FillRun,
    dropped_path,
    env_name,
    prepare_fill,
)
from resonare_pipeline.cli.filling_batches import fill_by_batches, take_in_ended
from resonare_pipeline.cli.stopping import stopping_gently
from resonare_pipeline.completions.batches.opening import finish_campaign, require_batches
from resonare_pipeline.completions.environment import CACHE_FILE, resolve_endpoint
from resonare_pipeline.completions.estimating import Estimate, estimate, require_within_cap
from resonare_pipeline.completions.lookup import cached_answers
from resonare_pipeline.completions.opening import (
    AfterBatches,
    fresh_run_is_whole,
    fresh_since,
    open_engine,
)
from resonare_pipeline.errors import InputError, StageError, StoreError
from resonare_pipeline.records.dropping import DroppedLines
from resonare_pipeline.records.filling import Report, fill
from resonare_pipeline.records.items import Format
from resonare_pipeline.records.placing import PlacedFile, standard_output
from resonare_pipeline.records.reading import (
    Records,
    open_records,
)
from resonare_pipeline.records.requesting import Counting
from resonare_pipeline.records.sinks import FileSink
from resonare_pipeline.records.writing import open_writer

INTERRUPTED = 130  # exit code; what shells give for a command that SIGINT has ended
CLOSED = 141  # the same for SIGPIPE


def run_fill(options: FillOptions) -> int:
    """Fill a file of records, and return the exit code: 1 if any record was left out.

    Raises:
        SettingsError: For options that contradict, and what is missing of the endpoint.
        InputError: For an input that cannot be read, or holds nothing that was asked for.
        BudgetError: If it would cost more than it may.
        StoreError: If the output cannot be written.
        StageError: If every request would fail.
    """
    run = prepare_fill(options)
    display = FillDisplay(verbose=options.verbose)
    if run.settings.in_batches:
        require_batches(run.settings)
    if options.dry_run:
        counting, expected = _estimate(run)
        display.show_estimate(counting, expected, model=run.choices.model)
        return 0
    resolve_endpoint(
        run.environ,
        provider=run.settings.provider,
        base_url=run.settings.base_url,
        looked_in=env_name(options),
        explicit=True,
    )
    if run.settings.max_cost_usd is not None:
        require_within_cap(
            _estimate(run)[1], run.settings.max_cost_usd, batch=run.settings.in_batches
        )
    report = Report()
    if run.fresh and (since := fresh_since(run.fresh, run.environ, default_db=CACHE_FILE)):
        display.goes_on(since)
    if (stopped := _carry_out(run, report, display)) is not None:
        return stopped
    if run.fresh and not report.retryable:
        fresh_run_is_whole(run.fresh, run.environ, default_db=CACHE_FILE)
    display.show_report(report, dropped=dropped_path(options))
    return 1 if report.dropped else 0


def _carry_out(run: FillRun, report: Report, display: FillDisplay) -> int | None:
    """Fill the records; return the exit code if that was stopped before its end."""
    try:
        after = _before_filling(run, report)
    except KeyboardInterrupt:
        BatchDisplay().left()
        return INTERRUPTED
    try:
        asyncio.run(_fill(run, report, display, after))
    except StageError:
        _finish(run, after)  # somebody mends what was refused, and then it is asked again
        raise
    except (KeyboardInterrupt, asyncio.CancelledError):
        display.interrupted(report)
        return INTERRUPTED
    except BrokenPipeError:
        return CLOSED
    _finish(run, after)
    return None


def _require_folder(options: FillOptions) -> None:
    """Refuse an output that cannot be written before anything is paid for, and waited for."""
    output = options.output
    if output is not None and not output.parent.is_dir():
        raise StoreError(
            "cannot be written: its folder is not there",
            where=str(output),
            expected="a folder that is there",
            remedy="Make it, then give the same command again",
        )


def _finish(run: FillRun, after: AfterBatches | None) -> None:
    if after is not None:
        finish_campaign(run.settings, run.environ, campaign=after.campaign, default_db=CACHE_FILE)


def _estimate(run: FillRun) -> tuple[Counting, Estimate]:
    assumed = run.settings.max_tokens or run.settings.assumed_output_tokens
    counting = Counting(choices=run.choices, assumed_tokens=assumed)
    with ExitStack() as stack:
        counting.look_up = stack.enter_context(
            cached_answers(run.settings, run.environ, default_db=CACHE_FILE, fresh=run.fresh)
        )
        records = stack.enter_context(open_records(run.source))
        expected = estimate(counting.requests(records), run.settings)
    _require_records(run, counting.records)
    return counting, expected


def _require_records(run: FillRun, read: int) -> None:
    if not read:
        asked = run.choices.first or run.choices.last is not None
        found = f"no record from number {run.choices.first} on" if asked else "no record in it"
        raise InputError(found, where=run.source.name, expected="records, counted from 0")


def _before_filling(run: FillRun, report: Report) -> AfterBatches | None:
    """Ask in batches, where that is wanted; else take in what earlier batches have brought."""
    if not run.settings.in_batches:
        take_in_ended(run)
        return None
    _require_folder(run.options)
    after, standing = fill_by_batches(run, BatchDisplay(verbose=run.options.verbose))
    report.cost_usd, report.unpriced = standing.cost_usd, standing.unpriced
    return after


async def _fill(
    run: FillRun, report: Report, display: FillDisplay, after: AfterBatches | None
) -> None:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    options = run.options
    with ExitStack() as files, open_records(run.source) as records:
        stream = files.enter_context(_output(options))
        dropped = _DroppedFile(options, files)
        writer = open_writer(stream, options.format, records, flushes=options.output is None)
        files.callback(writer.abandon)
        sink = FileSink(writer, DroppedLines(dropped.open, run.source.open))
        engine = open_engine(
            run.settings,
            run.environ,
            default_db=CACHE_FILE,
            fresh=run.fresh,
            explicit_endpoint=True,
            looked_in=env_name(options),
            after=after,
        )
        async with engine:
            total = _total(run, records)
            with display.progress(report, total=total), stopping_gently(engine, display.stopping):
                await fill(records, engine, run.choices, sink, report)
        _require_records(run, report.read)
        writer.finish()
        dropped.settle()


def _total(run: FillRun, records: Records) -> int | None:
    """Return what `Report.done` comes to; None for a part of the input, whose end is unknown."""
    if run.choices.last is None:
        return records.total
    return None if records.rows is None else min(records.total, run.choices.last)


@contextmanager
def _output(options: FillOptions) -> Iterator[BinaryIO]:
    if options.output is not None:
        with PlacedFile(options.output) as placed:
            yield placed.stream
        return
    stdout = standard_output(sys.stdout.buffer)
    if options.format is not Format.PARQUET:
        yield stdout
        stdout.flush()
        return
    with tempfile.TemporaryFile() as whole:  # Parquet wants to know where it is in its file
        yield whole
        whole.seek(0)
        shutil.copyfileobj(whole, stdout)
    stdout.flush()


class _DroppedFile:
    """The file of records that are left out; there is none if there is no such record."""

    def __init__(self, options: FillOptions, files: ExitStack) -> None:
        self._path = dropped_path(options)
        self._files = files
        self._placed: PlacedFile | None = None

    def open(self) -> BinaryIO:
        """Begin the file."""
        self._placed = self._files.enter_context(PlacedFile(self._path))
        return self._placed.stream

    def settle(self) -> None:
        """Take away what an earlier run of the same part left, if there is nothing to say now."""
        if self._placed is None:
            with writing_errors(self._path):
                self._path.unlink(missing_ok=True)
