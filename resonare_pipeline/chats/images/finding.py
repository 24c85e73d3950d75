"""Which messages show an image, and which file of the export that is."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

IMAGE_FILES = ("*.jpg", "*.jpeg", "*.png", "*.webp", "*.gif")
"""Patterns of names of what a vision model takes."""

IMAGE_KINDS = ("photo", "file", "paid_media")
"""Kinds of media that are images, or may be: a file is one if its name says so. Stickers and
animations are none: they say what an emoji says, and models see one frame."""

_ENDINGS = r"(?i)\.(jpe?g|png|webp|gif)$"
_SIGNATURES: Mapping[bytes, str] = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


class ImageFile(NamedTuple):
    """A file of an export.

    Attributes:
        path: Below the raw root.
        sha256: What it holds.
    """

    path: str
    sha256: str


class ImageFiles:
    """The images of an export, by the paths that its messages have for them.

    A path is looked up as it is written; then as the same characters in another normal form, which
    is what file systems and archives of Apple make of it; then without regard to case.

    Args:
        attachments: Path below the raw root → SHA-256.
        members: Files that the messages were read from, the same way; what messages say begins at
            the folder of one of these.
    """

    def __init__(self, attachments: Mapping[str, str], members: Iterable[str]) -> None:
        self._folders = sorted({PurePosixPath(name).parent for name in members})
        self._forms = [(form, _by_form(attachments, form)) for form in (str, _composed, _folded)]

    def find(self, media_path: str) -> ImageFile | None:
        """Return the file, or None where there is none, or several that are not the same."""
        inner = PurePosixPath(media_path.replace("\\", "/"))
        if inner.is_absolute() or ".." in inner.parts:
            return None
        places = [str(folder / inner) for folder in self._folders]
        for form, files in self._forms:
            found = {file.sha256: file for place in places for file in files.get(form(place), ())}
            if found:
                return next(iter(found.values())) if len(found) == 1 else None
        return None


def _by_form(
    attachments: Mapping[str, str], form: Callable[[str], str]
) -> dict[str, list[ImageFile]]:
    found: dict[str, list[ImageFile]] = {}
    for path, sha256 in attachments.items():
        found.setdefault(form(path), []).append(ImageFile(path=path, sha256=sha256))
    return found


def _composed(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def _folded(path: str) -> str:
    return _composed(_composed(path).casefold())


def image_rows(batch: pa.RecordBatch) -> list[tuple[int, str]]:
    """Return the rows of a batch of messages that show an image, each with its path."""
    kinds = pc.is_in(batch.column("media_kind"), value_set=pa.array(IMAGE_KINDS, pa.string()))
    paths = batch.column("media_path")
    named = pc.match_substring_regex(paths, _ENDINGS)
    rows = pc.indices_nonzero(pc.and_(kinds, pc.fill_null(named, fill_value=False)))
    return [(row, paths[row].as_py()) for row in rows.to_pylist()]


def image_type(content: bytes) -> str | None:
    """Return the media type that the first bytes of a file tell; None for what is no image.

    Source: the signatures of JPEG, PNG, GIF, and WebP (RIFF with the form type WEBP).
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((t for start, t in _SIGNATURES.items() if content.startswith(start)), None)
