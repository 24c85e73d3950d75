"""A record set: one file of records, or a folder of them, read as it was when it was listed."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, BinaryIO, ClassVar

from resonare_pipeline.errors import InputChangedError
from resonare_pipeline.fingerprint import digest_of_stream
from resonare_pipeline.records.reading import Source, find_source
from resonare_pipeline.settings import EXECUTION, Section


class PromptRecordsSettings(Section):
    """Which records of a set are filled."""

    section: ClassVar[str] = "prompt_records"

    skip_existing: bool = False
    """A record with any answer in it stays as it is, its empty turns too."""


class RecordCompletionsSettings(Section):
    """What becomes of a set whose answers are not all there."""

    section: ClassVar[str] = "record_completions"

    allow_partial: bool = False
    """Go on without the answers that could not be had for now. They are asked for again when this
    is taken back."""

    fresh_answers: Annotated[bool, EXECUTION] = False
    """Ask again, whatever the cache holds; a run that was stopped goes on. Together with `--force`,
    which makes the stage again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFile:
    """One file of a set.

    Attributes:
        name: Path below the raw folder.
        sha256: What it held when it was listed.
    """

    name: str
    size: int
    sha256: str
    open: Callable[[], BinaryIO]

    def source(self) -> Source:
        """Return the file for reading; each opening makes sure that it is still the same.

        Raises:
            InputError: If it is empty, or of no known format.
        """
        return find_source(self.name, self.size, self._verified)

    def _verified(self) -> BinaryIO:
        stream = self.open()
        if digest_of_stream(stream) != self.sha256:
            stream.close()
            raise InputChangedError(
                "it changed while it was being read",
                where=self.name,
                remedy="Run again when it is complete",
            )
        stream.seek(0)
        return stream


def set_files(
    sizes: Mapping[str, int], hashes: Mapping[str, str], opener: Callable[[str], BinaryIO]
) -> list[SetFile]:
    """Return the files of a set, by name.

    Args:
        sizes: Path → bytes.
        hashes: Path → SHA-256.
        opener: Opens a file by its path.
    """

    def opening(name: str) -> Callable[[], BinaryIO]:
        return lambda: opener(name)

    return [
        SetFile(name=name, size=sizes[name], sha256=hashes[name], open=opening(name))
        for name in sorted(sizes)
    ]


def filled_name(file: str, files: int) -> str:
    """Return the name of a filled file: `filled.jsonl`, or `filled/<name>` in a set of several."""
    path = PurePosixPath(file)
    return f"filled{path.suffix.lower()}" if files == 1 else f"filled/{'/'.join(path.parts[1:])}"


def content_hash(text: bytes) -> str:
    """Return an id made of a text."""
    return hashlib.sha256(text).hexdigest()[:16]
