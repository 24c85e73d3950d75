"""What `resonare fill` was asked for: its arguments, checked, with all that they name found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from assets.graph import GRAPH
from resonare_pipeline.completions.requests import require_parameters
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import InputError, SettingsError
from resonare_pipeline.fingerprint import fingerprint
from resonare_pipeline.planning.workspace import environment
from resonare_pipeline.records.items import Format
from resonare_pipeline.records.prompting import DEFAULT_MODEL
from resonare_pipeline.records.reading import Source, find_source, unchanged
from resonare_pipeline.records.walking import Choices
from resonare_pipeline.settings import load_settings


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
class FillRun:
    """One filling: what is read, how it is asked, and of whom."""

    options: FillOptions
    source: Source
    settings: CompletionsSettings
    environ: Mapping[str, str]
    choices: Choices

    @property
    def campaign(self) -> str:
        """What its batches are for: this part of this input."""
        first, last = self.choices.first, self.choices.last
        part = f" {first}-{'end' if last is None else last}" if first or last is not None else ""
        return f"fill {self.options.source.resolve()}{part}"

    @property
    def fresh(self) -> str:
        """Name of the run, if it is for fresh answers; else nothing."""
        if not self.options.fresh_answers:
            return ""
        choices = replace(self.choices, concurrency=1)  # however fast it is asked
        path = str(self.options.source.resolve())
        return fingerprint(["fill", path, asdict(choices), self.settings.identity()])


def prepare_fill(options: FillOptions) -> FillRun:
    """Check what was asked for, and find what it names.

    Raises:
        SettingsError: For options that contradict, and settings that cannot be used.
        InputError: For an input that cannot be read.
    """
    if options.index is not None and (options.start or options.end is not None):
        raise SettingsError("--index is one record, and --start and --end a range of them")
    if options.end is not None and options.end <= options.start:
        raise SettingsError(
            f"no record lies between {options.start} and {options.end}",
            where="--end",
            expected="a number above that of --start; the record of that number is left out",
        )
    _require_file(options.source)
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
    return FillRun(
        options=options, source=source, settings=settings, environ=environ, choices=choices
    )


def _require_file(source: Path) -> None:
    if source.is_dir():
        raise InputError(
            "it is a folder",
            where=str(source),
            expected="one file",
            remedy="Name a file in it; below data/raw/records/ a folder is a set for resonare run",
        )
    if not source.exists():
        raise InputError("no such file", where=str(source))
    if not source.is_file():
        raise InputError(
            "it is no regular file, and could not be read twice",
            where=str(source),
            expected="a file on disk",
        )


def _require_apart(options: FillOptions) -> None:
    for path in (options.output, dropped_path(options)):
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


def env_name(options: FillOptions) -> str:
    """Return the name of the file that is read beside the environment."""
    return str(options.env or ".env")


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SettingsError(f"{text!r} sets nothing", where="--param", expected="key=value")
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return name, value


def dropped_path(options: FillOptions) -> Path:
    """Return where records go that are left out; beside no output, in the working folder.

    There the name says which part of the input was asked for, so that no part replaces another's.
    """
    if options.output is not None:
        beside, part = options.output, ""
    else:
        beside, part = Path(options.source.name), _part(options)
    return beside.parent / f"{beside.name}{part}.dropped.jsonl"  # "." has no name to change


def _part(options: FillOptions) -> str:
    if options.index is not None:
        return f".{options.index}-{options.index + 1}"
    if not options.start and options.end is None:
        return ""
    return f".{options.start}-{'end' if options.end is None else options.end}"
