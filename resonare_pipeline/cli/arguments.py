"""Options that several commands have in common."""

from typing import Annotated

import typer

from resonare_pipeline.cli.completing import (
    complete_partitions,
    complete_settings,
    complete_targets,
)

Targets = Annotated[
    list[str] | None,
    typer.Argument(
        help="A group (chats), assets, or one raw input's FILE or FOLDER. Nothing: everything.",
        show_default=False,
        autocompletion=complete_targets,
    ),
]
Partitions = Annotated[
    list[str] | None,
    typer.Option(
        "--partition",
        "-p",
        help="Only this export, record set or book; may be repeated.",
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
