"""`resonare publish`: make the dataset as `run` does, then let a repository on the Hub hold it."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.cli.display import Display
from resonare_pipeline.cli.request import Request
from resonare_pipeline.cli.running import (
    INTERRUPTED,
    RunReport,
    as_object,
    carry_out,
    misses,
    partition_name,
    run_part,
)
from resonare_pipeline.datasets.destination import PublishSettings, access, require_repo_id
from resonare_pipeline.datasets.listing import Change, Difference
from resonare_pipeline.datasets.published import (
    Publication,
    hub_files,
    read_publication,
    read_summary,
    refusal,
)
from resonare_pipeline.datasets.publishing import Preview, obstacle, preview
from resonare_pipeline.errors import PublishError, ResonareError
from resonare_pipeline.planning.delivery import delivery_folder
from resonare_pipeline.planning.plan import Entry, Status
from resonare_pipeline.planning.workspace import environment

DATASET = "dataset"
PUBLISHED = "published_dataset"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a call of `resonare publish` came to.

    Attributes:
        publication: Where the dataset is now; None if it was not published.
        committed: A commit was made.
        files: What would be sent or deleted, and what stays; empty after an upload.
        is_compared: The Hub was asked, so that `files` says what is new and what is there.
        refused: Why it would not be published.
        notes: What a person should know.
    """

    publication: Publication | None = None
    committed: bool = False
    files: tuple[Difference, ...] = ()
    is_compared: bool = False
    refused: str = ""
    notes: tuple[str, ...] = ()


def wishes(**settings: str | bool | None) -> list[str]:
    """Return options of the command line as settings in the `--set` syntax; None is no wish."""
    return [
        f"{PublishSettings.section}.{name}={value}"
        for name, value in settings.items()
        if value is not None
    ]


def publish_request(request: Request, *, upload: bool, as_json: bool) -> int:
    """Make the dataset and publish it, or say what would be sent; return the exit code.

    Nothing is published unless all that goes into the dataset could be made.

    Raises:
        SettingsError: If it is to be published and no repository is named.
        PublishError: If the dataset must not be published, or there is no token.
    """
    settings = request.workspace.settings.section(PublishSettings)
    if upload:  # what is missing is told before the work, not after it
        require_repo_id(settings)
        access(environment(request.workspace.folder))
    display = Display(quiet=as_json)
    report = RunReport()
    outcome = Outcome()
    try:
        request.require_inputs()
        others = tuple(stage for stage in request.stages if not stage.on_request)
        carry_out(replace(request, stages=others), report, display, force=False)
        if not report.failures:
            dataset = _artifact(request, DATASET)
            if upload:
                outcome = _upload(request, settings, dataset, report, display)
            else:
                outcome = _look(request, settings, dataset)
    except KeyboardInterrupt:
        display.interrupted(report)
        return INTERRUPTED
    _show(request, report, display, outcome, as_json=as_json)
    return 1 if report.failures else 0


def _entry(request: Request, asset: str) -> Entry:
    stage = request.workspace.graph.makers[asset]
    return request.plan(as_it_stands=True).entry(stage, None)


def _artifact(request: Request, asset: str) -> Artifact:
    stage = request.workspace.graph.makers[asset]
    return request.plan(as_it_stands=True).artifact(stage, asset, None)


def _upload(
    request: Request,
    settings: PublishSettings,
    dataset: Artifact,
    report: RunReport,
    display: Display,
) -> Outcome:
    if error := refusal(read_summary(dataset), settings):
        raise error
    entry = _entry(request, PUBLISHED)
    notes: tuple[str, ...] = ()
    is_gone = False
    if entry.status is Status.HIT:
        try:
            is_gone = not _is_there(_preview(request, settings, dataset))
        except PublishError as error:
            notes = (f"the Hub could not be asked whether it still holds this: {error}",)
    run_part(request, partition_name(entry), [entry], report, display, force=is_gone)
    if report.failures:
        return Outcome(notes=notes)
    done = _artifact(request, PUBLISHED)
    was_made = entry.status is not Status.HIT or is_gone
    return Outcome(
        publication=read_publication(done),
        committed=was_made and bool(done.entry.metadata["committed"]),
        notes=notes,
    )


def _preview(request: Request, settings: PublishSettings, dataset: Artifact) -> Preview:
    hub = access(environment(request.workspace.folder))
    return preview(hub_files(dataset), settings, token=hub.token, endpoint=hub.endpoint)


def _is_there(found: Preview) -> bool:
    return all(item.change is Change.UNCHANGED for item in found.differences)


def _look(request: Request, settings: PublishSettings, dataset: Artifact) -> Outcome:
    refused = refusal(read_summary(dataset), settings)
    files = tuple(
        Difference(path=file.path_in_repo, size=file.size, change=Change.NEW)
        for file in hub_files(dataset)
    )
    outcome = Outcome(files=files)
    try:
        found = _preview(request, settings, dataset)
    except ResonareError as error:
        outcome.notes = (f"the Hub was not asked what it holds: {error}",)
    else:
        outcome.files, outcome.is_compared = found.differences, True
        refused = refused or obstacle(found, settings)
        seen = "public" if found.is_public else "private"
        outcome.notes = (f"{found.url} is {seen}{'' if found.exists else ', and yet to be made'}",)
    outcome.refused = str(refused or "")
    return outcome


def _show(
    request: Request, report: RunReport, display: Display, outcome: Outcome, *, as_json: bool
) -> None:
    if as_json:
        found = {**as_object(request, report), **_as_object(outcome)}
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
        return
    if misses(report) or report.failures:
        display.report(request, report, as_json=False)
    console = Console()
    if outcome.files:
        console.print(_table(outcome))
        output = request.workspace.output
        stage = request.workspace.graph.makers[DATASET]
        console.print(
            f"Nothing was sent. The files lie in {output.locate(delivery_folder(stage, None))}"
        )
    for note in outcome.notes:
        console.print(f"[yellow]note[/] {escape(note)}", highlight=False)
    if outcome.refused:
        console.print(f"[red]would be refused[/] {escape(outcome.refused)}", highlight=False)
    if outcome.publication:
        said = "published" if outcome.committed else "nothing changed"
        there = outcome.publication
        console.print(f"[green]{said}[/] {there.url} at revision {there.revision}", highlight=False)
    elif report.failures:
        Console(stderr=True).print("Nothing was published", highlight=False)


def _table(outcome: Outcome) -> Table:
    total = sum(item.size for item in outcome.files if item.change in (Change.NEW, Change.CHANGED))
    table = Table(
        title=f"What would be sent: {total:,} bytes" + ("" if outcome.is_compared else " at most"),
        title_justify="left",
    )
    table.add_column("file", overflow="fold")
    table.add_column("bytes", justify="right")
    table.add_column("on the Hub")
    for item in outcome.files:
        state = item.change.value if outcome.is_compared else ""
        state += ", was not published from here" if item.is_foreign else ""
        table.add_row(escape(item.path), f"{item.size:,}", state)
    return table


def _as_object(outcome: Outcome) -> Mapping[str, object]:
    there = outcome.publication
    return {
        "publication": there
        and {
            "repo_id": there.repo_id,
            "url": there.url,
            "branch": there.branch,
            "revision": there.revision,
            "committed": outcome.committed,
        },
        "files": [
            {
                "path": item.path,
                "size": item.size,
                "change": item.change.value if outcome.is_compared else None,
            }
            for item in outcome.files
        ],
        "refused": outcome.refused,
        "notes": list(outcome.notes),
    }
