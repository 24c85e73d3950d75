"""`resonare batch`: OpenAI batch files handled by hand.

Registered on the app by being imported.
"""

from pathlib import Path
from typing import Annotated

import typer

from resonare_pipeline.cli.app import app
from resonare_pipeline.cli.arguments import JsonOption

batch_app = typer.Typer(
    help="Handle OpenAI batch files by hand.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(batch_app, name="batch")

EnvOption = Annotated[
    Path | None, typer.Option("--env", help="File with BASE_URL and API_KEY; else .env.")
]
FolderOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Folder to write to; else beside FILE."),
]
WaitOption = Annotated[bool, typer.Option("--wait", help="Stay until all have ended.")]
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Ids of batches, ours or the provider's."),
]


@batch_app.command("ls")
def batch_ls(
    env: EnvOption = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are done.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the provider.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """List batches, as the provider has them now."""
    from resonare_pipeline.cli.batch_listing import list_batches

    raise typer.Exit(list_batches(env, everything=everything, offline=offline, as_json=as_json))


@batch_app.command("split")
def batch_split(
    file: Annotated[Path, typer.Argument(help="Input file of a batch: one request a line.")],
    folder: FolderOption = None,
    max_lines: Annotated[
        int | None, typer.Option("--max-lines", min=1, help="Most requests in a file.")
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option("--max-bytes", min=1, help="Most bytes of a file.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, help="Most prompt tokens in a file.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Split an input file into files that batches take.

    One model and one url each, within the limits; nothing is sent.
    """
    from resonare_pipeline.cli.batching import run_split

    raise typer.Exit(
        run_split(
            file,
            folder,
            max_lines=max_lines,
            max_bytes=max_bytes,
            max_tokens=max_tokens,
            as_json=as_json,
        )
    )


@batch_app.command("submit")
def batch_submit(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Input files.")],
    folder: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="With --wait, folder for results; else beside FILE."),
    ] = None,
    env: EnvOption = None,
    *,
    wait: WaitOption = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also what was asked before; it is paid for again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check input files and submit them as batches.

    A file that is too large for one batch goes in several; its results come together.
    """
    from resonare_pipeline.cli.batching import run_submit

    raise typer.Exit(run_submit(files, folder, env, wait=wait, again=again, as_json=as_json))


@batch_app.command("collect")
def batch_collect(
    ids: Ids = None,
    folder: FolderOption = None,
    env: EnvOption = None,
    *,
    wait: WaitOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch what came of batches.

    Answers of `fill` and runs go to the cache; those of a FILE submitted by hand beside it, in the
    order of its lines.
    """
    from resonare_pipeline.cli.batching import run_collect

    raise typer.Exit(run_collect(ids or [], folder, env, wait=wait, as_json=as_json))


@batch_app.command("cancel")
def batch_cancel(
    ids: Ids = None,
    env: EnvOption = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that are under way.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask the provider to end batches.

    What is answered by then is billed and kept.
    """
    from resonare_pipeline.cli.batch_cancelling import run_cancel

    if bool(ids) == everything:
        raise typer.BadParameter("name batches, or --all")
    raise typer.Exit(run_cancel(ids or [], env, yes=yes or not everything, as_json=as_json))


@batch_app.command("import")
def batch_import(
    outputs: Annotated[
        list[Path], typer.Argument(metavar="OUTPUT...", help="Output and error files.")
    ],
    inputs: Annotated[
        list[Path] | None,
        typer.Option("--input", help="Input file: only what it asks is taken; may be repeated."),
    ] = None,
    env: EnvOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take downloaded results into the cache.

    Those of files whose custom_ids are the cache's own keys, as record_batch_files makes them.
    """
    from resonare_pipeline.cli.batch_importing import run_import

    raise typer.Exit(run_import(outputs, inputs, env, as_json=as_json))
