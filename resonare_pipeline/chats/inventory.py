"""The identity of an export: which files it has and what they hold. The content is not copied."""

from functools import partial

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.chats.exports import ExportFile, Opener

INVENTORY_FILE = "inventory.json"


class InventoryFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an export."""

    name: str
    size: int
    sha256: str


def write_inventory(files: list[InventoryFile], out: OutputDraft) -> None:
    """Write the list of an export's files, by name."""
    ordered = sorted(files, key=lambda file: file.name)
    with out.open(INVENTORY_FILE) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(ordered), indent=1) + b"\n")
    out.report(rows=len(ordered), metadata={"bytes": sum(file.size for file in ordered)})


def read_inventory(inventory: Artifact, opener: Opener) -> list[ExportFile]:
    """Return an export's files as a reader takes them.

    Args:
        opener: Opens a file by its name in the inventory.
    """
    with inventory.open(INVENTORY_FILE) as stream:
        files = msgspec.json.decode(stream.read(), type=list[InventoryFile])
    return [
        ExportFile(
            name=file.name,
            size=file.size,
            sha256=file.sha256,
            open=partial(opener, file.name),
        )
        for file in files
    ]
