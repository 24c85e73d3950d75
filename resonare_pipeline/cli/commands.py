"""Commands that fill records, and follow, publish and forget what is in a dataset.

Registered on the app by being imported.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from resonare_pipeline.cli.app import app
from resonare_pipeline.cli.arguments import (
    Assignments,
    JsonOption,
    OutputOption,
    RawOption,
    StoreOption,
)
from resonare_pipeline.cli.completing import complete_partitions


class RecordFormat(StrEnum):
    """Formats of records."""

    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


class InputFormat(StrEnum):
    """The same, or found out from the file."""

    AUTO = "auto"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


@app.command()
def fill(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="Records: JSON lines, JSON or Parquet.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to; else standard output.", show_default=False),
    ] = None,
    output_format: Annotated[
        RecordFormat | None,
        typer.Option("--output-format", "-f", help="Else as OUTPUT ends, else jsonl."),
    ] = None,
    input_format: Annotated[
        InputFormat, typer.Option("--input-format", help="What INPUT is.")
    ] = InputFormat.AUTO,
    env: Annotated[
        Path | None,
        typer.Option("--env", help="File with BASE_URL, API_KEY, MODEL; else .env."),
    ] = None,
    start: Annotated[int, typer.Option("--start", min=0, help="First record, from 0.")] = 0,
    end: Annotated[
        int | None, typer.Option("--end", min=0, help="Record to stop before; else the end.")
    ] = None,
    index: Annotated[
        int | None, typer.Option("--index", "-i", min=0, help="Only this record, from 0.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help='Else MODEL, else "default".')
    ] = None,
    temperature: Annotated[float | None, typer.Option("--temperature", min=0)] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, help="Most tokens of an answer.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, help="Most requests at a time.")
    ] = None,
    max_cost_usd: Annotated[
        float | None, typer.Option("--max-cost-usd", min=0, help="Send nothing that costs more.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--param", help="A field of the request, as key=value; may be repeated."),
    ] = None,
    *,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave records with any answer as they are.")
    ] = False,
    fresh_answers: Annotated[
        bool, typer.Option("--fresh-answers", help="Ask again for what was answered before.")
    ] = False,
    batch: Annotated[
        bool,
        typer.Option("--batch", help="As OpenAI batches: half the price, within a day."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it would take; send nothing.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show progress and counts.")
    ] = False,
) -> None:
    """Fill the empty assistant turns of records. Stopped anywhere, the same command goes on."""
    from resonare_pipeline.cli.fill_options import FillOptions
    from resonare_pipeline.cli.filling import run_fill
    from resonare_pipeline.records.items import Format

    given = {
        "model": model,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "concurrency": concurrency,
        "max_cost_usd": max_cost_usd,
        "mode": "batch" if batch else None,
    }
    options = FillOptions(
        source=source,
        output=output,
        output_format=Format(output_format.value) if output_format else None,
        input_format=None if input_format is InputFormat.AUTO else Format(input_format.value),
        env=env,
        start=start,
        end=end,
        index=index,
        skip_existing=skip_existing,
        fresh_answers=fresh_answers,
        dry_run=dry_run,
        verbose=verbose,
        overrides={f"completions.{k}": str(v) for k, v in given.items() if v is not None},
        parameters=tuple(parameter or ()),
    )
    raise typer.Exit(run_fill(options))


@app.command()
def publish(
    repo_id: Annotated[
        str | None,
        typer.Option("--repo-id", help="Repository, as user/name; else published_dataset.repo_id."),
    ] = None,
    branch: Annotated[str | None, typer.Option("--branch", help="Branch; else main.")] = None,
    assignments: Assignments = None,
    raw: RawOption = None,
    store: StoreOption = None,
    output: OutputOption = None,
    *,
    upload: Annotated[
        bool, typer.Option("--upload/--no-upload", help="Or only say what would be sent.")
    ] = True,
    private: Annotated[
        bool | None,
        typer.Option("--private/--public", help="Who may read a new repository; else private."),
    ] = None,
    force_unredacted: Annotated[
        bool, typer.Option("--force-unredacted", help="Although redaction is off.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also files that were not published from here.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the dataset and publish it on the Hugging Face Hub, in one commit if it changed."""
    from resonare_pipeline.cli.publishing import PUBLISHED, publish_request, wishes
    from resonare_pipeline.cli.request import open_request

    wished = wishes(
        repo_id=repo_id,
        branch=branch,
        private=private,
        allow_unredacted=force_unredacted or None,
        overwrite=overwrite or None,
    )
    request = open_request(
        [PUBLISHED], None, [*(assignments or ()), *wished], raw=raw, store=store, output=output
    )
    raise typer.Exit(publish_request(request, upload=upload, as_json=as_json))


@app.command()
def trace(
    example_id: Annotated[str, typer.Argument(help="Id of a row, or a beginning of it.")],
    partition: Annotated[
        str | None,
        typer.Option(
            "--partition",
            "-p",
            help="Its export, where equal rows stand in several.",
            autocompletion=complete_partitions,
        ),
    ] = None,
    assignments: Assignments = None,
    raw: RawOption = None,
    store: StoreOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Follow a row of training data back to the messages it was made from."""
    from resonare_pipeline.cli.request import open_request
    from resonare_pipeline.cli.tracing import show_trace

    request = open_request(None, None, assignments, raw=raw, store=store, output=None)
    raise typer.Exit(show_trace(request.workspace, example_id, partition, as_json=as_json))


@app.command()
def forget(
    person: Annotated[
        str | None,
        typer.Argument(help="Sender id (telegram:user1), or a name.", show_default=False),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option("--also", help="Another name or @handle of theirs; may be repeated."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", help="A name not to look for in texts; may be repeated."),
    ] = None,
    raw: RawOption = None,
    store: StoreOption = None,
    output: OutputOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    list_all: Annotated[
        bool, typer.Option("--list", help="Show whom the rule leaves out.")
    ] = False,
) -> None:
    """Leave a person out of everything, and remove what holds them."""
    from resonare_pipeline.cli import forgetting

    reopen = forgetting.reopening(raw, store, output)
    if list_all:
        raise typer.Exit(forgetting.list_forgotten(reopen()))
    if person is None:
        raise typer.BadParameter("name a person, or --list")
    code = forgetting.forget(
        reopen,
        person,
        more=also or [],
        kept=keep or [],
        dry_run=dry_run,
        confirm=lambda: yes or typer.confirm("Go on?"),
    )
    raise typer.Exit(code)


@app.command()
def people(
    raw: RawOption = None,
    store: StoreOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List who is in the exports, and propose which ids are one person's."""
    from resonare_pipeline.cli.people import show_people
    from resonare_pipeline.cli.request import open_request

    request = open_request(None, None, None, raw=raw, store=store, output=None)
    raise typer.Exit(show_people(request, as_json=as_json))
