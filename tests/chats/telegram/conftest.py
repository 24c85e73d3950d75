"""Reading a small export from bytes to rows, as the stage would."""

import datetime as dt
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.chats.exports import ExportFile, MessagesSettings
from resonare_pipeline.chats.forgetting import ForgetSettings
from resonare_pipeline.chats.reading.export import read_export
from resonare_pipeline.chats.reading.sorting import LIMITS, Limits
from resonare_pipeline.progress import Progress, silent
from tests.chats.reads import Export, Row


def as_bytes(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")


def export_file(name: str, content: bytes, *, listed: bytes | None = None) -> ExportFile:
    return ExportFile(
        name=name,
        size=len(content),
        sha256=hashlib.sha256(content if listed is None else listed).hexdigest(),
        open=lambda: io.BytesIO(content),
    )


Reader = Callable[..., Export]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read contents (JSON values or bytes) as one export; keywords are settings."""
    store = Store(LocalFiles(tmp_path))

    def run(
        *contents: object,
        window_bytes: int = 1 << 19,
        progress: Progress = silent,
        listed: bytes | None = None,
        limits: Limits = LIMITS,
        forget: ForgetSettings | None = None,
        **settings: Any,
    ) -> Export:
        attempt = store.attempt("messages", "x", "f")
        chats, messages = store.output(attempt, "chats"), store.output(attempt, "messages")
        files = [
            export_file(f"{number}/result.json", as_bytes(content), listed=listed)
            for number, content in enumerate(contents, 1)
        ]
        read_export(
            files,
            chats,
            messages,
            MessagesSettings(**settings),
            forget=forget or ForgetSettings(),
            progress=progress,
            window_bytes=window_bytes,
            limits=limits,
        )
        entry = messages.entry()
        staged = messages.staged()
        return Export(
            chats=list(chats.staged().rows("chats.parquet")),
            messages=list(staged.rows("messages.parquet")),
            dropped=list(staged.rows("dropped.parquet")),
            metadata=entry.metadata,
            counts=entry.dropped,
            digests=(
                chats.entry().digest,
                entry.digest,
                staged.file("dropped.parquet").sha256,
            ),
        )

    return run


def message(number: int, text: object = "hi", **more: Any) -> Row:
    """A message of user 1, `number` minutes after the start of 2024; None removes a key."""
    time = dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=number)
    row: Row = {
        "id": number,
        "type": "message",
        "date": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "date_unixtime": str(int(time.timestamp())),
        "from": "Ann",
        "from_id": "user1",
        "text": text,
    }
    row.update({key.rstrip("_"): value for key, value in more.items()})
    return {key: value for key, value in row.items() if value is not ABSENT}


ABSENT = object()


@pytest.fixture
def make_message() -> Callable[..., Row]:
    return message


@pytest.fixture
def absent() -> object:
    """The value that leaves a key out of a message."""
    return ABSENT


def chat(*messages: object, **more: Any) -> Row:
    return {"name": "Bea", "type": "personal_chat", "id": 2, "messages": list(messages), **more}


@pytest.fixture
def make_chat() -> Callable[..., Row]:
    return chat
