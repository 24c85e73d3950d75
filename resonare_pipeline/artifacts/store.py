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

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.artifacts.files import Files, FileStat, read_if_there, write_bytes
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
SEEN_NAME = "seen.json"
UNPARTITIONED = "_"
ATTEMPT_PARTS = 5  # stages/<stage>/<partition>/<fingerprint>/<attempt>
LONGEST_NAME_BYTES = 200  # most file systems allow 255 bytes a name


def utc_now() -> str:
    """Return the present time as ISO 8601 in UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def folder_of(partition: str | None) -> str:
    """Return the folder name that stands for a partition key.

    Raises:
        StoreError: For a key that is no single name.
    """
    if partition is None:
        return UNPARTITIONED
    if not partition or partition.startswith(".") or "/" in partition or "\0" in partition:
        raise StoreError(
            f"the partition {partition!r} cannot name a folder",
            expected="a name without a slash or a leading dot",
        )
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
    """Artifacts under one root.

    Args:
        verifies: Hash a file whose version is new; else it counts as damaged, which takes no time.
    """

    def __init__(self, files: Files, *, verifies: bool = True) -> None:
        self.files = files
        self._verifies = verifies

    def home(self, stage: str, partition: str | None, fingerprint: str = "") -> str:
        """Return the folder of an artifact, or of all of a stage's artifacts for a partition."""
        home = f"{STAGES}/{stage}/{folder_of(partition)}"
        return f"{home}/{fingerprint}" if fingerprint else home

    def find(self, stage: str, partition: str | None, fingerprint: str) -> Manifest | None:
        """Return the manifest at an address, or None."""
        return self.read_manifest(f"{self.home(stage, partition, fingerprint)}/{MANIFEST_NAME}")

    def read_manifest(self, path: str) -> Manifest | None:
        """Return the manifest that a file holds, or None if that is none, or of another place."""
        manifest = decode_manifest(read_if_there(self.files, path) or b"")
        if manifest is None:
            return None
        # A manifest that was copied to another address describes nothing that lies there.
        home = self.home(manifest.stage, manifest.partition, manifest.fingerprint)
        return manifest if path == f"{home}/{MANIFEST_NAME}" else None

    def manifests(self, folder: str = STAGES) -> Iterator[Manifest]:
        """Yield every manifest below a folder; what is not one is passed over."""
        for path, _ in self.files.walk(folder):
            if path.endswith(f"/{MANIFEST_NAME}") and (manifest := self.read_manifest(path)):
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
        content = encode_manifest(manifest)
        write_bytes(self.files, f"{home}/{MANIFEST_NAME}", content)
        # What was written, so that a miss hands on the same plain data as a later hit.
        return decode_manifest(content) or manifest

    def reject(self, attempt: Attempt) -> str:
        """Keep an attempt's files, if it wrote any, for a person to look at, and return where."""
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
        files = unique_files(manifest.outputs.values())
        stats = self._stats(files)
        unsure = [file for file in files if not _is_as_written(file, stats.get(file.path))]
        if not unsure:
            return ""
        seen = self._seen(manifest)
        verified: dict[str, str] = {}
        for file in unsure:
            stat = stats.get(file.path)
            known = stat and stat.size == file.size and seen.versions.get(file.path) == stat.version
            if not known:
                if not self._verifies:
                    return f"{file.name} was touched since it was hashed"
                if problem := self.problem(file):
                    return problem
                verified[file.path] = stat.version if stat else ""
        if verified:
            seen.versions |= verified
            self._note(manifest, seen)
        return ""

    def _stats(self, files: Iterable[FileEntry]) -> dict[str, FileStat]:
        """Return the stats of an artifact's files, with one call for those of one attempt."""
        attempts: dict[str, list[str]] = {}
        for file in files:
            attempt = "/".join(file.path.split("/")[:ATTEMPT_PARTS])
            attempts.setdefault(attempt, []).append(file.path)
        found: dict[str, FileStat] = {}
        for attempt, paths in attempts.items():
            if len(paths) > 1:
                found |= self.files.walk(attempt)
            elif stat := self.files.stat(paths[0]):
                found[paths[0]] = stat
        return found

    def problem(self, file: FileEntry) -> str:
        """Hash a file and return how it differs from what was written, or an empty string."""
        stat = self.files.stat(file.path)
        if stat is None:
            return f"{file.name} is missing"
        if stat.size != file.size:
            return f"{file.name} has {stat.size} bytes, not {file.size}"
        with self.files.open_read(file.path) as stream:
            digest = digest_of_stream(stream)
        return "" if digest == file.sha256 else f"{file.name} is not what was written"

    def mark_used(self, manifest: Manifest) -> None:
        """Remember the day of use, which keeps the artifact from being pruned."""
        today = utc_now()[:10]
        if manifest.made_at[:10] == today:  # which `used_on` counts as well
            return
        seen = self._seen(manifest)
        if seen.used_on != today:
            seen.used_on = today
            self._note(manifest, seen)

    def used_on(self, manifest: Manifest) -> str:
        """Return the day (ISO) on which an artifact was last made or used."""
        return max(self._seen(manifest).used_on, manifest.made_at[:10])

    def _seen_path(self, manifest: Manifest) -> str:
        home = self.home(manifest.stage, manifest.partition, manifest.fingerprint)
        return f"{home}/{SEEN_NAME}"

    def _seen(self, manifest: Manifest) -> _Seen:
        content = read_if_there(self.files, self._seen_path(manifest))
        try:
            return msgspec.json.decode(content or b"{}", type=_Seen)
        except ValueError:
            return _Seen()

    def _note(self, manifest: Manifest, seen: _Seen) -> None:
        # A store that may only be read still serves hits.
        with contextlib.suppress(StoreError):
            write_bytes(self.files, self._seen_path(manifest), msgspec.json.encode(seen))

    def known_hashes(self, name: str) -> dict[str, tuple[FileStat, str]]:
        """Return the files last hashed under a name: full file name → (stat, SHA-256)."""
        content = read_if_there(self.files, self._hashes_path(name))
        try:
            return msgspec.json.decode(content or b"{}", type=dict[str, tuple[FileStat, str]])
        except ValueError:
            return {}

    def keep_hashes(self, name: str, record: dict[str, tuple[FileStat, str]]) -> None:
        """Remember hashes of files outside the store, which are hashed again only when touched."""
        write_bytes(self.files, self._hashes_path(name), msgspec.json.encode(record))

    def _hashes_path(self, name: str) -> str:
        folder, _, last = name.rpartition("/")
        return f"{HASHES}/{folder}/{folder_of(last)}.json"


def _is_as_written(file: FileEntry, stat: FileStat | None) -> bool:
    return stat is not None and (stat.size, stat.version) == (file.size, file.version)


def unique_files(outputs: Iterable[OutputEntry]) -> list[FileEntry]:
    """Return the files of several outputs, each once."""
    return list({file.path: file for entry in outputs for file in entry.files}.values())
