"""The store: artifacts addressed by (stage, partition, fingerprint).

Layout below the root::

    stages/<stage>/<partition>/<fingerprint>/manifest.json     written last
    stages/<stage>/<partition>/<fingerprint>/<attempt>/<asset>/<file>
    stages/<stage>/<partition>/<fingerprint>/seen.json         stats of files that were verified
    rejected/<stage>/<partition>/<fingerprint>/<attempt>/…     staged files that failed a check
    hashes/<name>.json                                         hashes of outside files, by stat

Each attempt writes to a folder of its own, so two workers on one key cannot touch each other's
files; the manifest of the later one replaces that of the earlier, whose files stay readable until
they are pruned. Nothing rests on locks or conditional writes.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.artifacts.files import Files, FileStat, read_bytes, write_bytes
from resonare_pipeline.artifacts.manifest import (
    MANIFEST_NAME,
    CheckEntry,
    FileEntry,
    Ingredients,
    Manifest,
    OutputEntry,
    decode_manifest,
    encode_manifest,
)
from resonare_pipeline.errors import StoreError
from resonare_pipeline.fingerprint import digest_of_stream, short_hash

STAGES = "stages"
REJECTED = "rejected"
HASHES = "hashes"
UNPARTITIONED = "_"
LONGEST_NAME_BYTES = 200  # most file systems allow 255 bytes a name


def utc_now() -> str:
    """Return the present time as ISO 8601 in UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def folder_of(partition: str | None) -> str:
    """Return the folder name that stands for a partition key."""
    if partition is None:
        return UNPARTITIONED
    if len(partition.encode()) <= LONGEST_NAME_BYTES:
        return partition
    head = partition.encode()[: LONGEST_NAME_BYTES - 20].decode(errors="ignore")
    return f"{head}-{short_hash(partition)}"


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try at making a stage's artifact."""

    stage: str
    partition: str | None
    fingerprint: str
    folder: str
    outputs: dict[str, OutputDraft] = field(default_factory=dict)


class _Seen(msgspec.Struct, kw_only=True):
    """Sidecar of a manifest: when it was last used, and file versions that were verified."""

    used_on: str = ""
    versions: dict[str, str] = {}


class Store:
    """Artifacts under one root."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def home(self, stage: str, partition: str | None, fingerprint: str = "") -> str:
        """Return the folder of an artifact, or of all of a stage's artifacts for a partition."""
        home = f"{STAGES}/{stage}/{folder_of(partition)}"
        return f"{home}/{fingerprint}" if fingerprint else home

    def find(self, stage: str, partition: str | None, fingerprint: str) -> Manifest | None:
        """Return the manifest at an address, or None."""
        return self._read(f"{self.home(stage, partition, fingerprint)}/{MANIFEST_NAME}")

    def _read(self, path: str) -> Manifest | None:
        if self.files.stat(path) is None:
            return None
        return decode_manifest(read_bytes(self.files, path))

    def manifests(self, folder: str = STAGES) -> Iterator[Manifest]:
        """Yield every manifest below a folder."""
        for path, _ in self.files.walk(folder):
            if path.endswith(f"/{MANIFEST_NAME}") and (manifest := self._read(path)):
                yield manifest

    def newest(self, stage: str, partition: str | None) -> Manifest | None:
        """Return the youngest manifest of a stage, only to explain what has changed since."""
        found = self.manifests(self.home(stage, partition))
        return max(found, key=lambda manifest: manifest.made_at, default=None)

    def artifact(self, manifest: Manifest, asset: str) -> Artifact:
        """Return the handle to one output."""
        return Artifact(asset=asset, entry=manifest.outputs[asset], files=self.files)

    def attempt(self, stage: str, partition: str | None, fingerprint: str) -> Attempt:
        """Begin to make an artifact."""
        folder = f"{self.home(stage, partition, fingerprint)}/{uuid.uuid4().hex}"
        return Attempt(stage=stage, partition=partition, fingerprint=fingerprint, folder=folder)

    def output(self, attempt: Attempt, asset: str) -> OutputDraft:
        """Begin to write one output of an attempt."""
        draft = OutputDraft(asset, self.files, f"{attempt.folder}/{asset}")
        attempt.outputs[asset] = draft
        return draft

    def commit(
        self,
        attempt: Attempt,
        *,
        ingredients: Ingredients,
        checks: tuple[CheckEntry, ...],
        seconds: float,
    ) -> Manifest:
        """Make an attempt the artifact at its address, all outputs or none."""
        manifest = Manifest(
            stage=attempt.stage,
            partition=attempt.partition,
            fingerprint=attempt.fingerprint,
            made_at=utc_now(),
            seconds=seconds,
            ingredients=ingredients,
            outputs={asset: draft.entry() for asset, draft in attempt.outputs.items()},
            checks=checks,
        )
        home = self.home(attempt.stage, attempt.partition, attempt.fingerprint)
        write_bytes(self.files, f"{home}/{MANIFEST_NAME}", encode_manifest(manifest))
        return manifest

    def reject(self, attempt: Attempt) -> str:
        """Keep an attempt's files for a person to look at, and return where."""
        target = attempt.folder.replace(STAGES, REJECTED, 1)
        self.files.move(attempt.folder, target)
        return self.files.locate(target)

    def discard(self, attempt: Attempt) -> None:
        """Delete what an attempt has written."""
        self.files.delete(attempt.folder)

    def damage(self, manifest: Manifest) -> str:
        """Return what is wrong with the files behind a manifest, or an empty string.

        Sizes and versions are compared; a file whose version is new is hashed again, once.
        """
        seen_path = f"{self.home(manifest.stage, manifest.partition, manifest.fingerprint)}/seen.json"
        seen = self._seen(seen_path)
        verified: dict[str, str] = {}
        for file in unique_files(manifest.outputs.values()):
            stat = self.files.stat(file.path)
            if stat is None:
                return f"{file.name} is missing"
            if stat.size != file.size:
                return f"{file.name} has {stat.size} bytes, not {file.size}"
            if stat.version not in (file.version, seen.versions.get(file.path)):
                if not self.holds(file):
                    return f"{file.name} is not what was written"
                verified[file.path] = stat.version
        if verified:
            seen.versions |= verified
            self._note(seen_path, seen)
        return ""

    def holds(self, file: FileEntry) -> bool:
        """Hash a file and tell whether it is still what was written."""
        if self.files.stat(file.path) is None:
            return False
        with self.files.open_read(file.path) as stream:
            return digest_of_stream(stream) == file.sha256

    def mark_used(self, manifest: Manifest) -> None:
        """Remember the day of use, which keeps the artifact from being pruned."""
        path = f"{self.home(manifest.stage, manifest.partition, manifest.fingerprint)}/seen.json"
        seen = self._seen(path)
        today = utc_now()[:10]
        if seen.used_on != today:
            seen.used_on = today
            self._note(path, seen)

    def used_on(self, manifest: Manifest) -> str:
        """Return the day (ISO) on which an artifact was last made or used."""
        path = f"{self.home(manifest.stage, manifest.partition, manifest.fingerprint)}/seen.json"
        return max(self._seen(path).used_on, manifest.made_at[:10])

    def _seen(self, path: str) -> _Seen:
        if self.files.stat(path) is None:
            return _Seen()
        try:
            return msgspec.json.decode(read_bytes(self.files, path), type=_Seen)
        except msgspec.DecodeError:
            return _Seen()

    def _note(self, path: str, seen: _Seen) -> None:
        try:
            write_bytes(self.files, path, msgspec.json.encode(seen))
        except StoreError:
            return  # a store that may only be read still serves hits

    def known_hashes(self, name: str) -> dict[str, tuple[FileStat, str]]:
        """Return the files last hashed under a name: full file name → (stat, SHA-256)."""
        path = self._hashes_path(name)
        if self.files.stat(path) is None:
            return {}
        try:
            return msgspec.json.decode(
                read_bytes(self.files, path), type=dict[str, tuple[FileStat, str]]
            )
        except msgspec.DecodeError:
            return {}

    def keep_hashes(self, name: str, record: dict[str, tuple[FileStat, str]]) -> None:
        """Remember hashes of files outside the store, which are hashed again only when touched."""
        write_bytes(self.files, self._hashes_path(name), msgspec.json.encode(record))

    def _hashes_path(self, name: str) -> str:
        folder, _, last = name.rpartition("/")
        return f"{HASHES}/{folder}/{folder_of(last)}.json"


def unique_files(outputs: Iterator[OutputEntry] | object) -> list[FileEntry]:
    """Return the files of several outputs, each once."""
    return list({file.path: file for entry in outputs for file in entry.files}.values())  # type: ignore[attr-defined]
