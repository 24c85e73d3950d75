"""Small tables, and the statistics of them."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.files import LocalFiles, read_bytes
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.chats.blocks import BlocksSettings
from resonare_pipeline.chats.statistics.writing import Dropped, write_statistics
from resonare_pipeline.rows import BLOCKS, CHATS, MESSAGES

Row = dict[str, Any]
START = dt.datetime(2024, 2, 28, 22, 0, tzinfo=dt.UTC)  # a Wednesday, before a leap day


def make(folder: Path, asset: str, schema: pa.Schema, rows: list[Row] | pa.RecordBatch) -> Artifact:
    store = Store(LocalFiles(folder))
    out = store.output(store.attempt("s", "p", "f"), asset)
    with out.table(f"{asset}.parquet", schema) as table:
        if isinstance(rows, list):
            for row in rows:
                table.add(row)
        else:
            table.add_batch(rows)
    out.report(rows=table.count)
    return out.staged()


def statistics(
    folder: Path,
    *,
    chats: list[Row] | None = None,
    messages: list[Row] | pa.RecordBatch | None = None,
    blocks: list[Row] | None = None,
    dropped: Dropped | None = None,
) -> Artifact:
    store = Store(LocalFiles(folder))
    out = store.output(store.attempt("s", "p", "f"), "chat_statistics")
    write_statistics(
        make(folder, "chats", CHATS, chats or []),
        make(folder, "messages", MESSAGES, [] if messages is None else messages),
        make(folder, "blocks", BLOCKS, blocks or []),
        out,
        bounds=BlocksSettings(),
        dropped=dropped or {},
    )
    return out.staged()


def in_json(artifact: Artifact) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(content_of(artifact, "statistics.json"))
    return content


def content_of(artifact: Artifact, name: str) -> bytes:
    return read_bytes(artifact.files, artifact.file(name).path)


def chat(chat_id: str, name: str | None = "Chat", kind: str | None = "personal_chat") -> Row:
    return {
        "chat_id": chat_id,
        "name": name,
        "kind": kind,
        "source": "telegram",
        "message_count": 0,
        "dropped_count": 0,
        "participants": [],
    }


def message(
    number: int, seconds: int, sender: str | None = "u:ann", *, chat_id: str = "c:1", **rest: Any
) -> Row:
    return {
        "message_id": f"{chat_id}:{number}",
        "chat_id": chat_id,
        "sender_id": sender,
        "sender_name": sender and sender.removeprefix("u:"),
        "is_owner": sender == "u:me",
        "sent_at": START + dt.timedelta(seconds=seconds),
        "text": "hello",
    } | rest


def block(number: int, tokens: int, members: list[int], *, chat_id: str = "c:1") -> Row:
    return {
        "block_id": f"{chat_id}:b{number}",
        "chat_id": chat_id,
        "token_count": tokens,
        "members": [{"message_id": f"{chat_id}:{member}"} for member in members],
        "started_at": START,
        "ended_at": START,
    }
