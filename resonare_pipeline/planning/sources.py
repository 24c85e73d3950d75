"""The messages behind a row of chats: its block, the messages in it, their chat, the raw export.

Reads tables from the store and, where an export has several files, looks which of them holds the
messages. For rows of other kinds there is nothing here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import Manifest
from resonare_pipeline.chats.inventory import INVENTORY_FILE, read_inventory
from resonare_pipeline.errors import ResonareError
from resonare_pipeline.planning.example_rows import Row, plain_rows
from resonare_pipeline.planning.raw import RawInput
from resonare_pipeline.planning.workspace import Workspace

CHUNK_BYTES = 4 << 20
OVERLAP_BYTES = 64  # longer than an id with its key
COLUMNS = ["message_id", "sender_id", "sender_name", "is_owner", "sent_at", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """One file of a raw export.

    Attributes:
        place: Full name; empty if the export is gone.
        is_same: Whether it is known to be what was read; None if it was touched since.
    """

    name: str
    sha256: str
    place: str = ""
    is_same: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a conversation was made from.

    Attributes:
        block: Its row, with members.
        messages: In order: row number in the table, part of the text that counts, and the row.
        chat: Row of the chat.
        files: Files of the raw export that hold the messages, or may hold them.
        source_ids: Ids of the messages in the app's own export.
    """

    block: dict[str, Any]
    messages: tuple[dict[str, Any], ...]
    chat: dict[str, Any] | None
    files: tuple[RawFile, ...]
    source_ids: tuple[str, ...] = field(default=())

    def plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "block": self.block,
            "messages": list(self.messages),
            "chat": self.chat,
            "files": [
                {"name": f.name, "sha256": f.sha256, "place": f.place, "is_same": f.is_same}
                for f in self.files
            ],
            "source_ids": list(self.source_ids),
        }


def source_of(
    workspace: Workspace, row: Row, manifests: Mapping[str, Manifest | None]
) -> Source | None:
    """Return the messages behind a row, or None for a row that no block of a chat was made into.

    Args:
        manifests: Stage → artifact on the way back from the row.
    """
    assets: dict[str, Artifact] = {}
    for manifest in filter(None, manifests.values()):
        for asset in manifest.outputs:
            assets[asset] = workspace.store.artifact(manifest, asset)
    block_id = (row.values.get("metadata") or {}).get("block_id")
    if block_id is None or "blocks" not in assets:
        return None
    block = _first(assets["blocks"], "blocks.parquet", "block_id", block_id)
    if block is None:
        return None
    members = block.pop("members")
    messages = _messages(assets, [member["message_id"] for member in members])
    shown = tuple(
        {
            **messages.get(member["message_id"], {"message_id": member["message_id"]}),
            **_part(member),
        }
        for member in members
    )
    chat_id = block["chat_id"]
    chat = (
        _first(assets["chats"], "chats.parquet", "chat_id", chat_id) if "chats" in assets else None
    )
    ids = tuple(dict.fromkeys(m["message_id"].removeprefix(f"{chat_id}:") for m in members))
    files = _files(workspace, assets.get("chat_export"), row.partition, ids)
    return Source(block=block, messages=shown, chat=chat, files=files, source_ids=ids)


def _part(member: Mapping[str, Any]) -> dict[str, Any]:
    if member["start"] is None:
        return {}
    return {"part": [member["start"], member["end"]]}


def _first(artifact: Artifact, file: str, column: str, value: str) -> dict[str, Any] | None:
    start = 0
    for batch in artifact.batches(file):
        places = pc.indices_nonzero(pc.equal(batch.column(column), value))
        if len(places):
            at = places[0].as_py()
            return {"row": start + at, **plain_rows(batch.slice(at, 1))[0]}
        start += batch.num_rows
    return None


def _messages(assets: Mapping[str, Artifact], ids: list[str]) -> dict[str, dict[str, Any]]:
    """Return the messages of a block as they went on, by id, each with its place in the table."""
    table = assets.get("enriched_messages") or assets.get("messages")
    found: dict[str, dict[str, Any]] = {}
    if table is None:
        return found
    wanted = pa.array(sorted(set(ids)), pa.string())
    start = 0
    for batch in table.batches("messages.parquet", columns=COLUMNS):
        places = pc.indices_nonzero(pc.is_in(batch.column("message_id"), value_set=wanted))
        for at, row in zip(places.to_pylist(), plain_rows(batch.take(places)), strict=True):
            found[row["message_id"]] = {"row": start + at, **row}
        start += batch.num_rows
        if len(found) == len(wanted):
            break
    return found


def _files(
    workspace: Workspace, export: Artifact | None, partition: str | None, ids: Iterable[str]
) -> tuple[RawFile, ...]:
    """Return the files that hold messages, of those that were read.

    Where there are several, those in which every id stands; all of them if that tells nothing.
    """
    if export is None or partition is None:
        return ()
    raw = _raw(workspace, partition)
    files = [
        _file(workspace, raw, item.name, item.sha256)
        for item in read_inventory(export, lambda _: export.open(INVENTORY_FILE))
    ]
    if len(files) == 1 or raw is None:
        return tuple(files)
    numbers = {number.partition("~")[0] for number in ids}
    holding = [file for file in files if file.place and _holds(raw, file.name, numbers)]
    return tuple(holding or files)


def _raw(workspace: Workspace, partition: str) -> RawInput | None:
    try:
        listing = workspace.list_raw(only=partition)
    except ResonareError:
        return None
    return next((item for item in listing.inputs.values() if item.key == partition), None)


def _file(workspace: Workspace, raw: RawInput | None, name: str, sha256: str) -> RawFile:
    if raw is None or name not in raw.entries:
        return RawFile(name=name, sha256=sha256)
    record = workspace.store.known_hashes(f"raw/{raw.kind.folder}/{raw.key}")
    place = raw.files.locate(name)
    stat, digest = record.get(place, (None, ""))
    is_same = digest == sha256 if stat == raw.entries[name] else None
    return RawFile(name=name, sha256=sha256, place=place, is_same=is_same)


def _holds(raw: RawInput, name: str, numbers: set[str]) -> bool:
    """Tell whether a file has all ids; an id that is no number is passed over."""
    missing = {number.encode() for number in numbers if number.isdecimal()}
    is_table = name.lower().endswith(".csv")  # ids stand first in a row there
    pattern = re.compile(rb"^(\d+)," if is_table else rb'"id"\s*:\s*"?(\d+)\b', re.MULTILINE)
    rest = b""
    with raw.open(name) as stream:
        while missing and (chunk := stream.read(CHUNK_BYTES)):
            missing.difference_update(pattern.findall(rest + chunk))
            rest = chunk[-OVERLAP_BYTES:]
    return not missing
