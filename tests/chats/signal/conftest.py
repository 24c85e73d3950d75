"""Reading a small dump from bytes to rows, as the stage would."""

import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.chats.exports import ExportFile, MessagesSettings
from resonare_pipeline.chats.forgetting import ForgetSettings
from resonare_pipeline.chats.reading.export import read_export
from resonare_pipeline.chats.reading.sorting import LIMITS, Limits
from tests.chats.reads import Export

Reader = Callable[..., Export]


def export_file(name: str, content: bytes, listed: bytes | None = None) -> ExportFile:
    return ExportFile(
        name=name,
        size=len(content),
        sha256=hashlib.sha256(content if listed is None else listed).hexdigest(),
        open=lambda: io.BytesIO(content),
    )


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read files by name as one export; keywords are settings."""
    store = Store(LocalFiles(tmp_path))

    def run(
        files: Mapping[str, bytes],
        *,
        limits: Limits = LIMITS,
        forget: ForgetSettings | None = None,
        listed: Mapping[str, bytes] | None = None,
        **settings: Any,
    ) -> Export:
        attempt = store.attempt("messages", "x", "f")
        chats, messages = store.output(attempt, "chats"), store.output(attempt, "messages")
        read_export(
            [
                export_file(name, content, (listed or {}).get(name))
                for name, content in files.items()
            ],
            chats,
            messages,
            MessagesSettings(**settings),
            forget=forget or ForgetSettings(),
            limits=limits,
        )
        entry, staged = messages.entry(), messages.staged()
        return Export(
            chats=list(chats.staged().rows("chats.parquet")),
            messages=list(staged.rows("messages.parquet")),
            dropped=list(staged.rows("dropped.parquet")),
            metadata=entry.metadata,
            counts=entry.dropped,
            digests=(chats.entry().digest, entry.digest, staged.file("dropped.parquet").sha256),
        )

    return run
