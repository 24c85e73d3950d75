"""A project with one chat whose messages have links and images, for tests of what these say."""

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assets.graph import GRAPH
from resonare_pipeline.planning.made import Made
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import Workspace, open_workspace
from resonare_pipeline.settings import Places

KEY = "album"


def png(shade: int = 0, *, padding: int = 0) -> bytes:
    """Return a grey picture of one pixel; padding is bytes of a comment, so that it is larger."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"tEXt", b"Comment\0" + b"x" * padding),
        (b"IDAT", zlib.compress(bytes([0, shade]))),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def message(number: int, text: Any = "", **more: Any) -> dict[str, Any]:
    """Return a message as Telegram exports it; a text of parts has its marks in them."""
    parts = [text] if isinstance(text, str) else text
    entities = [{"type": "plain", "text": p} if isinstance(p, str) else p for p in parts]
    return {
        "id": number,
        "type": "message",
        "date": f"2024-01-01T10:{number:02}:00",
        "date_unixtime": str(1_704_103_200 + 60 * number),
        "from": "Ada Sample",
        "from_id": "user7",
        "text": text,
        "text_entities": entities,
    } | more


@dataclass(frozen=True, kw_only=True)
class Album:
    """The project."""

    folder: Path

    def write(self, messages: Sequence[dict[str, Any]], **images: bytes) -> None:
        """Lay the export: its messages, and pictures as `photos/<name>.png`."""
        place = self.folder / "raw" / "chats" / KEY
        (place / "photos").mkdir(parents=True, exist_ok=True)
        export = {"name": "Ada", "type": "personal_chat", "id": 7, "messages": list(messages)}
        (place / "result.json").write_text(json.dumps(export))
        for name, content in images.items():
            (place / "photos" / f"{name}.png").write_bytes(content)

    def environ(self, **variables: str) -> None:
        """Write `.env`."""
        lines = "".join(f"{name}={value}\n" for name, value in variables.items())
        (self.folder / ".env").write_text(lines)

    def open(self, **settings: str) -> Workspace:
        """Open it; settings are named with two underscores for the dot."""
        place = self.folder
        workspace = open_workspace(
            GRAPH,
            overrides={name.replace("__", "."): value for name, value in settings.items()},
            places=Places(
                raw=str(place / "raw"), store=str(place / "store"), output=str(place / "output")
            ),
            folder=place,
        )
        return replace(workspace, account="run")

    def made(self, workspace: Workspace) -> Made:
        """Make `enriched_messages`, and all before it."""
        for name in ("chat_export", "messages"):
            make(workspace, GRAPH.makers[name], KEY)
        return make(workspace, GRAPH.makers["enriched_messages"], KEY)

    def texts(self, workspace: Workspace) -> list[str]:
        """Return the texts of the enriched messages."""
        artifact = workspace.store.artifact(self.made(workspace).manifest, "enriched_messages")
        return [row["text"] for row in artifact.rows("messages.parquet")]
