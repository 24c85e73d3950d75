"""Commands and their options. What a command does stands in its own module, imported on call."""

from pathlib import Path
from typing import Annotated

import typer

from resonare_pipeline.cli.arguments import (
    Assignments,
    JsonOption,
    OutputOption,
    Partitions,
    RawOption,
    StoreOption,
    Targets,
)
from resonare_pipeline.cli.completing import complete_assets, complete_partitions

app = typer.Typer(
    name="resonare",
    help="Turn chats and prompts into fine-tuning datasets: cached, traceable, paid for once.",
    no_args_is_help=True,
    rich_markup_mode=None,  # drawing boxes costs more than all the rest of a help page
    pretty_exceptions_enable=False,
)
cache_app = typer.Typer(
    help="Look after the store of artifacts.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(cache_app, name="cache")


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
