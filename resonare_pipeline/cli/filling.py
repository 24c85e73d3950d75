"""`resonare fill`: a file of records in, the same with its empty assistant turns filled out.

Knows nothing of the graph beyond its settings. Every answer is in the cache before it is used, so a
run that was stopped anywhere goes on with the same command.
"""

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from assets.graph import GRAPH
from resonare_pipeline.cli.batch_display import BatchDisplay
from resonare_pipeline.cli.fill_display import FillDisplay
from resonare_pipeline.cli.filling_batches import ask_in_batches
from resonare_pipeline.completions.batch_settings import Mode
from resonare_pipeline.completions.batches.opening import finish_campaign
from resonare_pipeline.completions.environment import Provider, resolve_endpoint
from resonare_pipeline.completions.estimating import Estimate, estimate, require_within_cap
from resonare_pipeline.completions.opening import AfterBatches, open_engine
from resonare_pipeline.completions.requests import require_parameters
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import InputError, SettingsError, StageError
from resonare_pipeline.planning.workspace import environment
from resonare_pipeline.records.dropping import DroppedLines
from resonare_pipeline.records.filling import Report, fill
from resonare_pipeline.records.items import Format
from resonare_pipeline.records.placing import PlacedFile, standard_output, writing_errors
from resonare_pipeline.records.reading import (
    Records,
    Source,
    find_source,
    open_records,
    unchanged,
)
from resonare_pipeline.records.requesting import Counting, cached_answers
from resonare_pipeline.records.sinks import FileSink
from resonare_pipeline.records.walking import Choices
from resonare_pipeline.records.writing import open_writer
from resonare_pipeline.settings import load_settings

DEFAULT_MODEL = "default"  # what servers of a single model take for it
CACHE_FILE = Path("data/completions.sqlite")
INTERRUPTED = 130  # exit code; what shells give for a command that SIGINT has ended
CLOSED = 141  # the same for SIGPIPE


@dataclass(frozen=True, slots=True, kw_only=True)
class FillOptions:
    """The arguments of the command.

    Attributes:
        output: None: standard output.
        overrides: Settings of `[completions]` that were given, as text.
        parameters: `key=value` pairs for the request's body.
    """

    source: Path
    output: Path | None = None
    output_format: Format | None = None
    input_format: Format | None = None
    env: Path | None = None
    start: int = 0
    end: int | None = None
    index: int | None = None
    skip_existing: bool = False
    fresh_answers: bool = False
    dry_run: bool = False
    verbose: bool = False
    overrides: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()

    @property
    def format(self) -> Format:
        """The format of the output: as it is said, or as its name says, else JSON lines."""
        suffix = self.output.suffix.lower().removeprefix(".") if self.output else ""
        known = suffix in list(Format)
        return self.output_format or (Format(suffix) if known else Format.JSONL)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    options: FillOptions
    source: Source
    settings: CompletionsSettings
    environ: Mapping[str, str]
    choices: Choices

    @property
    def is_batch(self) -> bool:
        """Whether it is asked in batches; the mock answers at once."""
        return self.settings.mode is Mode.BATCH and self.settings.provider is not Provider.MOCK


def run_fill(options: FillOptions) -> int:
    """Fill a file of records, and return the exit code: 1 if any record was left out.

    Raises:
        SettingsError: For options that contradict, and what is missing of the endpoint.
        InputError: For an input that cannot be read, or holds nothing that was asked for.
        BudgetError: If it would cost more than it may.
        StoreError: If the output cannot be written.
        StageError: If every request would fail.
    """
    run = _prepare(options)
    display = FillDisplay(verbose=options.verbose)
    if options.dry_run:
        counting, expected = _estimate(run)
        display.show_estimate(counting, expected, model=run.choices.model)
        return 0
    resolve_endpoint(
        run.environ,
        provider=run.settings.provider,
        base_url=run.settings.base_url,
        looked_in=_env_name(options),
        explicit=True,
    )
    if run.settings.max_cost_usd is not None:
        require_within_cap(_estimate(run)[1], run.settings.max_cost_usd, batch=run.is_batch)
    report = Report()
    try:
        after = _ask_in_batches(run, report) if run.is_batch else None
    except KeyboardInterrupt:
        BatchDisplay().left()
        return INTERRUPTED
    try:
        asyncio.run(_fill(run, report, display, after))
        _finish(run, after)
    except StageError:
        _finish(run, after)  # somebody mends what was refused, and then it is asked again
        raise
    except (KeyboardInterrupt, asyncio.CancelledError):
        display.interrupted(report)
        return INTERRUPTED
    except BrokenPipeError:
        return CLOSED
    display.show_report(report, dropped=_dropped_path(options))
    return 1 if report.dropped else 0


def _finish(run: _Run, after: AfterBatches | None) -> None:
    if after is not None:
        finish_campaign(run.settings, run.environ, campaign=after.campaign, default_db=CACHE_FILE)


def _prepare(options: FillOptions) -> _Run:
    if options.index is not None and (options.start or options.end is not None):
        raise SettingsError("--index is one record, and --start and --end a range of them")
    if not options.source.is_file():
        raise InputError("no such file", where=str(options.source))
    _require_apart(options)
    environ = _environ(options)
    settings = load_settings(
        GRAPH.sections(), folder=Path.cwd(), environ=environ, overrides=options.overrides
    ).section(CompletionsSettings)
    more = dict(map(_parameter, options.parameters))
    require_parameters(more, where="--param")
    settings = settings.model_copy(update={"parameters": settings.parameters | more})
    source = find_source(
        str(options.source),
        options.source.stat().st_size,
        unchanged(options.source),
        format_=options.input_format,
    )
    first, last = options.start, options.end
    if options.index is not None:
        first, last = options.index, options.index + 1
    choices = Choices(
        model=settings.model or DEFAULT_MODEL,
        parameters=settings.request_parameters(),
        concurrency=settings.concurrency,
        first=first,
        last=last,
        skip_existing=options.skip_existing,
        has_padding=source.format is Format.PARQUET,
    )
    return _Run(options=options, source=source, settings=settings, environ=environ, choices=choices)


def _require_apart(options: FillOptions) -> None:
    for path in (options.output, _dropped_path(options)):
        if path is not None and path.exists() and path.samefile(options.source):
            raise SettingsError(
                "it is the input as well, which would be replaced",
                where=str(path),
                expected="another name for what is written",
                remedy="Name the output with -o",
            )


def _environ(options: FillOptions) -> dict[str, str]:
    if options.env is not None and not options.env.is_file():
        raise SettingsError("no such file", where=str(options.env), expected="--env FILE")
    return environment(Path.cwd(), file=options.env)


def _env_name(options: FillOptions) -> str:
    return str(options.env or ".env")


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SettingsError(f"{text!r} sets nothing", where="--param", expected="key=value")
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return name, value


def _estimate(run: _Run) -> tuple[Counting, Estimate]:
    assumed = run.settings.max_tokens or run.settings.assumed_output_tokens
    counting = Counting(choices=run.choices, assumed_tokens=assumed)
    with ExitStack() as stack:
        if not run.options.fresh_answers:
            counting.look_up = stack.enter_context(
                cached_answers(run.settings, run.environ, default_db=CACHE_FILE)
            )
        records = stack.enter_context(open_records(run.source))
        expected = estimate(counting.requests(records), run.settings)
    _require_records(run, counting.records)
    return counting, expected


def _require_records(run: _Run, read: int) -> None:
    if not read:
        asked = run.choices.first or run.choices.last is not None
        found = f"no record from number {run.choices.first} on" if asked else "no record in it"
        raise InputError(found, where=run.source.name, expected="records, counted from 0")


def _ask_in_batches(run: _Run, report: Report) -> AfterBatches:
    after, standing = ask_in_batches(
        lambda: open_records(run.source),
        run.choices,
        run.settings,
        run.environ,
        campaign=f"fill {run.options.source.resolve()}",
        default_db=CACHE_FILE,
        since=time.time() if run.options.fresh_answers else 0.0,
        looked_in=_env_name(run.options),
        display=BatchDisplay(verbose=run.options.verbose),
    )
    report.cost_usd, report.unpriced = standing.cost_usd, standing.unpriced
    return after


async def _fill(
    run: _Run, report: Report, display: FillDisplay, after: AfterBatches | None
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
            fresh=options.fresh_answers and after is None,
            explicit_endpoint=True,
            looked_in=_env_name(options),
            after=after,
        )
        async with engine:
            with display.progress(report, total=_total(run, records)):
                await fill(records, engine, run.choices, sink, report)
        _require_records(run, report.read)
        writer.finish()
        dropped.settle()


def _total(run: _Run, records: Records) -> int | None:
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


def _dropped_path(options: FillOptions) -> Path:
    """Return where records go that are left out; beside no output, in the working folder."""
    beside = options.output or Path(options.source.name)
    return beside.parent / f"{beside.name}.dropped.jsonl"  # "." has no name to change


class _DroppedFile:
    """The file of records that are left out; there is none if there is no such record."""

    def __init__(self, options: FillOptions, files: ExitStack) -> None:
        self._path = _dropped_path(options)
        self._replaces = options.output is not None
        self._files = files
        self._placed: PlacedFile | None = None

    def open(self) -> BinaryIO:
        """Begin the file."""
        self._placed = self._files.enter_context(PlacedFile(self._path))
        return self._placed.stream

    def settle(self) -> None:
        """Take away what an earlier run left, if there is nothing to say now.

        Beside no output it stays: that run may have filled another part of the input.
        """
        if self._placed is None and self._replaces:
            with writing_errors(self._path):
                self._path.unlink(missing_ok=True)
