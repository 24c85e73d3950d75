"""Commands and their options. What a command does stands in its own module, imported on call."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from resonare_pipeline.cli.completing import (
    complete_assets,
    complete_partitions,
    complete_settings,
    complete_targets,
)

app = typer.Typer(
    name="resonare",
    help="Turn chat exports into fine-tuning datasets: cached, traceable, paid for once.",
    no_args_is_help=True,
    rich_markup_mode=None,  # drawing boxes costs more than all the rest of a help page
    pretty_exceptions_enable=False,
)
cache_app = typer.Typer(
    help="Look after the store of artifacts.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(cache_app, name="cache")


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


Targets = Annotated[
    list[str] | None,
    typer.Argument(
        help="A group (chats), assets, or one export's FILE or FOLDER. Nothing: everything.",
        show_default=False,
        autocompletion=complete_targets,
    ),
]
Partitions = Annotated[
    list[str] | None,
    typer.Option(
        "--partition",
        "-p",
        help="Only this export; may be repeated.",
        autocompletion=complete_partitions,
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="A setting, as stage.key=value; may be repeated.",
        autocompletion=complete_settings,
    ),
]
RawOption = Annotated[
    str | None, typer.Option("--raw", help="Folder that holds chats/; else RESONARE_RAW.")
]
StoreOption = Annotated[str | None, typer.Option("--store", help="Store; else RESONARE_STORE.")]
OutputOption = Annotated[
    str | None, typer.Option("--output", help="Deliverables; else RESONARE_OUTPUT.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def run(
    targets: Targets = None,
    partition: Partitions = None,
    assignments: Assignments = None,
    raw: RawOption = None,
    store: StoreOption = None,
    output: OutputOption = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Make again what is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make what is missing or out of date."""
    from resonare_pipeline.cli.request import open_request
    from resonare_pipeline.cli.running import run_request

    request = open_request(targets, partition, assignments, raw=raw, store=store, output=output)
    raise typer.Exit(run_request(request, force=force, as_json=as_json))


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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what it would take; send nothing.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show progress and counts.")
    ] = False,
) -> None:
    """Fill the empty assistant turns of records. Stopped anywhere, the same command goes on."""
    from resonare_pipeline.cli.filling import FillOptions, run_fill
    from resonare_pipeline.records.items import Format

    given = {
        "model": model,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "concurrency": concurrency,
        "max_cost_usd": max_cost_usd,
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
def plan(
    targets: Targets = None,
    partition: Partitions = None,
    assignments: Assignments = None,
    raw: RawOption = None,
    store: StoreOption = None,
    output: OutputOption = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="As if nothing were there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what a run would make, and why; make nothing."""
    from resonare_pipeline.cli.planning import show_plan
    from resonare_pipeline.cli.request import open_request

    request = open_request(targets, partition, assignments, raw=raw, store=store, output=output)
    raise typer.Exit(show_plan(request, force=force, as_json=as_json))


@app.command()
def show(
    asset: Annotated[str, typer.Argument(help="Name of an asset.", autocompletion=complete_assets)],
    partition: Annotated[
        str | None,
        typer.Argument(help="Export; needed if several.", autocompletion=complete_partitions),
    ] = None,
    rows: Annotated[int, typer.Option("-n", min=1, help="How many rows.")] = 20,
    assignments: Assignments = None,
    raw: RawOption = None,
    store: StoreOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Show the first rows of an artifact."""
    from resonare_pipeline.cli.request import open_request
    from resonare_pipeline.cli.showing import show_asset

    request = open_request(None, None, assignments, raw=raw, store=store, output=None)
    show_asset(request.workspace, asset, partition, rows=rows, as_json=as_json)


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
def demo() -> None:
    """Make a small dataset from the synthetic samples, under data/demo."""
    from resonare_pipeline.cli.request import open_demo
    from resonare_pipeline.cli.running import run_request

    raise typer.Exit(run_request(open_demo(Path.cwd()), force=False, as_json=False))


@app.command()
def doctor(
    raw: RawOption = None,
    store: StoreOption = None,
    output: OutputOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Examine Python, tokenizer, places, keys and endpoint, and say what to mend."""
    from resonare_pipeline.cli.doctor import examine, show_findings
    from resonare_pipeline.cli.request import chosen_places

    findings = examine(Path.cwd(), chosen_places(raw=raw, store=store, output=output))
    raise typer.Exit(show_findings(findings, as_json=as_json))


@app.command()
def ui(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65_535, help="Port; else 3000, or a free one."),
    ] = None,
    raw: RawOption = None,
    store: StoreOption = None,
    output: OutputOption = None,
) -> None:
    """Start the web UI, with the daemon that runs sensors and backfills."""
    from resonare_pipeline.cli.serving import serve

    named = {"RESONARE_RAW": raw, "RESONARE_STORE": store, "RESONARE_OUTPUT": output}
    places = {name: place for name, place in named.items() if place}
    raise typer.Exit(serve(host=host, port=port, places=places))


@cache_app.command("ls")
def cache_ls(
    store: StoreOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List artifacts: size, rows, age."""
    from resonare_pipeline.cli.caching import list_artifacts
    from resonare_pipeline.cli.request import open_request

    request = open_request(None, None, None, raw=None, store=store, output=None)
    list_artifacts(request.workspace, as_json=as_json)


@cache_app.command("verify")
def cache_verify(store: StoreOption = None) -> None:
    """Hash every file again and name those that are not what was written."""
    from resonare_pipeline.cli.caching import verify_artifacts
    from resonare_pipeline.cli.request import open_request

    request = open_request(None, None, None, raw=None, store=store, output=None)
    raise typer.Exit(verify_artifacts(request.workspace))


@cache_app.command("prune")
def cache_prune(
    keep_days: Annotated[int, typer.Option("--keep-days", min=0, help="Days of disuse.")] = 30,
    raw: RawOption = None,
    store: StoreOption = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Delete artifacts that are neither in the present plan nor used within some days."""
    from resonare_pipeline.cli.caching import prune_artifacts
    from resonare_pipeline.cli.request import open_request

    request = open_request(None, None, None, raw=raw, store=store, output=None)
    prune_artifacts(request.workspace, keep_days=keep_days, dry_run=dry_run)
