"""Files that the server keeps: contents in a temporary folder, never in memory."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fake_openai.clock import Clock

KEPT_SECONDS = 2_592_000  # files of purpose `batch` are said to be kept 30 days


@dataclass(slots=True, kw_only=True)
class StoredFile:
    """A file as clients see it.

    Attributes:
        path: Where its bytes are.
        size: In bytes.
        created_at: By the server's clock; so is `expires_at`.
        gone: It is told of, and asking for it is answered 404.
        breaks: How many downloads will break midway.
    """

    id: str
    filename: str
    purpose: str
    path: Path
    size: int
    created_at: float
    expires_at: float
    gone: bool = False
    breaks: int = 0

    def described(self) -> dict[str, Any]:
        """Return OpenAI's file object."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.size,
            "created_at": int(self.created_at),
            "expires_at": int(self.expires_at),
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


class Files:
    """All files by id, in the order in which they came."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._named = 0
        self._kept: dict[str, StoredFile] = {}

    def draft(self) -> Path:
        """Return a path that something can be written to."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="fake-openai-")
        self._named += 1
        return Path(self._folder.name) / f"{self._named:06}"

    def keep(
        self, path: Path, filename: str, purpose: str, *, now: float | None = None
    ) -> StoredFile:
        """Make a file of what was written to a draft, at a time of the clock; None: now."""
        name = hashlib.sha256(f"{self._seed}:{path.name}".encode()).hexdigest()[:24]
        now = self._clock.now() if now is None else now
        kept = StoredFile(
            id=f"file-{name}",
            filename=filename,
            purpose=purpose,
            path=path,
            size=path.stat().st_size,
            created_at=now,
            expires_at=now + KEPT_SECONDS,
        )
        self._kept[kept.id] = kept
        return kept

    def find(self, file_id: str) -> StoredFile | None:
        """Return a file, if clients can see it."""
        found = self._kept.get(file_id)
        return found if found and self._seen(found) else None

    def delete(self, file: StoredFile) -> None:
        """Remove a file; what reads it already can go on reading."""
        del self._kept[file.id]
        file.path.unlink()

    def listed(self) -> list[StoredFile]:
        """Return all that clients can see, the newest first."""
        return [file for file in reversed(self._kept.values()) if self._seen(file)]

    def close(self) -> None:
        """Remove all contents."""
        if self._folder:
            self._folder.cleanup()

    def _seen(self, file: StoredFile) -> bool:
        return not file.gone and file.expires_at > self._clock.now()
