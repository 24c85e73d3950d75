"""The description of an artifact, written last: its existence means that the artifact is complete.

All paths are relative to the store's root, so that a store can be moved or copied as it is.
"""

import datetime as dt
from typing import Any

import msgspec

MANIFEST_NAME = "manifest.json"
FORMAT_VERSION = 1


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable file."""

    name: str
    path: str
    size: int
    sha256: str
    version: str  # the stat version when written: a hint that spares hashing, never a proof
    auxiliary: bool = False  # beside the output (dropped rows, reports): no part of its digest


class OutputEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One asset's part of an artifact."""

    digest: str
    rows: int
    dropped: dict[str, int]
    files: tuple[FileEntry, ...]
    metadata: dict[str, Any] = {}
    alias_of: str | None = None  # asset whose files these are
    retry_at: dt.datetime | None = None  # from then on it may come out more complete; aware UTC


class CheckEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check on one output."""

    name: str
    asset: str
    passed: bool
    message: str = ""
    metadata: dict[str, Any] = {}  # numbers that people should see


class Ingredients(msgspec.Struct, frozen=True, kw_only=True):
    """All that a fingerprint is made from, kept to explain later why it changed."""

    settings: dict[str, dict[str, Any]]
    code: dict[str, str]
    inputs: dict[str, str]
    files: dict[str, str]
    versions: dict[str, str]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The description of one stage's artifact for one partition."""

    stage: str
    partition: str | None
    fingerprint: str
    made_at: str
    seconds: float
    ingredients: Ingredients
    outputs: dict[str, OutputEntry]
    checks: tuple[CheckEntry, ...] = ()
    format_version: int = FORMAT_VERSION

    def is_due(self, now: dt.datetime) -> bool:
        """Tell whether something it was made from could not be had, and may be tried again."""
        return any(
            entry.retry_at is not None and entry.retry_at <= now for entry in self.outputs.values()
        )


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode_manifest(content: bytes) -> Manifest | None:
    """Return the manifest, or None for bytes that are not one of this format version."""
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, other fields, or nested without end
        return None
    return manifest if manifest.format_version == FORMAT_VERSION else None


class _Versioned(msgspec.Struct):
    format_version: int


def is_of_other_version(content: bytes) -> bool:
    """Tell whether bytes are a manifest that another release of the project may understand."""
    try:
        return msgspec.json.decode(content, type=_Versioned).format_version != FORMAT_VERSION
    except (ValueError, RecursionError):
        return False
