"""Looking after a store: what is in it, whether it is sound, and what may go.

Other workers may be writing meanwhile. So a manifest goes before its files, nothing young goes that
no manifest names, and empty folders stay, since a writer may be about to use them. What is current
is told by the caller.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from resonare_pipeline.artifacts.files import FileStat, read_if_there
from resonare_pipeline.artifacts.manifest import MANIFEST_NAME, Manifest, is_of_other_version
from resonare_pipeline.artifacts.store import (
    ATTEMPT_PARTS,
    REJECTED,
    SEEN_NAME,
    STAGES,
    Store,
    unique_files,
)
from resonare_pipeline.progress import Progress, silent

Address = tuple[str, str | None, str]
"""Stage, partition and fingerprint."""

_HOME_PARTS = ATTEMPT_PARTS - 1  # stages/<stage>/<partition>/<fingerprint>
_WRITING = dt.timedelta(days=1)  # no attempt writes nothing for as long


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRow:
    """One artifact.

    Attributes:
        made_at: ISO 8601, UTC.
        used_on: Day on which it was last made or used.
        size: Bytes of its own files; an alias has none.
        rows: Of all its outputs.
    """

    stage: str
    partition: str | None
    fingerprint: str
    made_at: str
    used_on: str
    size: int
    rows: int


@dataclass(slots=True, kw_only=True)
class PruneReport:
    """What was deleted, or would be.

    Attributes:
        artifacts: Artifacts deleted.
        attempts: Attempts deleted that never became an artifact, or were replaced by another.
        rejected: Attempts deleted that had failed a check.
        kept: Artifacts that stay.
        size: Bytes of all that was deleted.
    """

    artifacts: int = 0
    attempts: int = 0
    rejected: int = 0
    kept: int = 0
    size: int = 0


@dataclass(slots=True, kw_only=True)
class _Home:
    """All files at one address: by attempt, and those beside the attempts."""

    manifest: Manifest | None = None
    attempts: dict[str, dict[str, FileStat]] = field(default_factory=dict)
    beside: dict[str, FileStat] = field(default_factory=dict)


def listing(store: Store) -> Iterator[ListingRow]:
    """Yield every artifact, by stage, partition and time."""
    for manifest in sorted(store.manifests(), key=_order):
        home = f"{store.home(manifest.stage, manifest.partition, manifest.fingerprint)}/"
        files = unique_files(manifest.outputs.values())
        yield ListingRow(
            stage=manifest.stage,
            partition=manifest.partition,
            fingerprint=manifest.fingerprint,
            made_at=manifest.made_at,
            used_on=store.used_on(manifest),
            size=sum(file.size for file in files if file.path.startswith(home)),
            rows=sum(entry.rows for entry in manifest.outputs.values()),
        )


def _order(manifest: Manifest) -> tuple[str, str, str]:
    return manifest.stage, manifest.partition or "", manifest.made_at


def verify(store: Store, *, progress: Progress = silent) -> Iterator[tuple[Manifest, str]]:
    """Hash every file behind every manifest again, and yield the artifacts that are damaged.

    Yields:
        A manifest, and what is wrong with its files.
    """
    behind = [
        (manifest, unique_files(manifest.outputs.values()))
        for manifest in sorted(store.manifests(), key=_order)
    ]
    total = sum({file.path: file.size for _, files in behind for file in files}.values())
    problems: dict[str, str] = {}  # by path: an alias names files that another manifest names too
    done = 0
    for manifest, files in behind:
        for file in files:
            if file.path not in problems:
                problems[file.path] = store.problem(file)
                done += file.size
                progress(done, total, "bytes")
        if found := [problems[file.path] for file in files if problems[file.path]]:
            yield manifest, "; ".join(found)


def prune(
    store: Store,
    *,
    current: Collection[Address],
    keep_days: int,
    today: dt.date,
    dry_run: bool = False,
) -> PruneReport:
    """Delete artifacts that are neither current nor lately used, and what never became one.

    An artifact whose files an alias that stays names stays too. An attempt that no manifest names
    goes when its youngest file is older than a day, a rejected one after `keep_days`. What another
    version of this format may understand is left alone.

    Args:
        current: Addresses that stay, however long ago they were used.
        keep_days: Days after its last use for which an artifact stays.
        today: The present day, UTC.
        dry_run: Report only.
    """
    homes = _survey(store)
    oldest = today - dt.timedelta(days=keep_days)
    stays = _staying(store, homes, set(current), oldest)
    named = {attempt for path in stays for attempt in _named_attempts(homes[path])}
    broom = _Broom(store=store, dry_run=dry_run, report=PruneReport(kept=len(stays)))
    for path, home in homes.items():
        if home.manifest and path not in stays:
            if not _is_unused(store, home.manifest, oldest):  # used since it was looked at
                broom.report.kept += 1
                continue
            own = home.attempts.keys() & _named_attempts(home) - named
            broom.sweep_artifact(path, home, {name: home.attempts.pop(name) for name in own})
        broom.report.attempts += broom.sweep(home.attempts, named, _midnight(today) - _WRITING)
        broom.sweep_beside(home, _midnight(today) - _WRITING)
    rejected = _by_folder(store, REJECTED)
    broom.report.rejected = broom.sweep(rejected, set(), _midnight(oldest))
    return broom.report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broom:
    """Deletes and counts, or counts only."""

    store: Store
    dry_run: bool
    report: PruneReport

    def sweep_artifact(
        self, path: str, home: _Home, attempts: Mapping[str, Mapping[str, FileStat]]
    ) -> None:
        """Delete an artifact, its manifest first."""
        self.report.artifacts += 1
        for name in (MANIFEST_NAME, SEEN_NAME):
            if stat := home.beside.pop(f"{path}/{name}", None):
                self._delete(f"{path}/{name}", [stat])
        for folder, files in attempts.items():
            self._delete(folder, files.values())

    def sweep(
        self,
        folders: Mapping[str, Mapping[str, FileStat]],
        spared: Collection[str],
        before: dt.datetime,
    ) -> int:
        """Delete folders whose youngest file is older than a moment, and return how many."""
        found = [
            folder
            for folder, files in folders.items()
            if folder not in spared and all(_is_older(stat, before) for stat in files.values())
        ]
        for folder in found:
            self._delete(folder, folders[folder].values())
        return len(found)

    def sweep_beside(self, home: _Home, before: dt.datetime) -> None:
        """Delete old files beside the attempts that no artifact has."""
        for path, stat in home.beside.items():
            is_own = path.endswith((f"/{MANIFEST_NAME}", f"/{SEEN_NAME}"))
            if _is_older(stat, before) and not (home.manifest and is_own):
                self._delete(path, [stat])

    def _delete(self, path: str, stats: Iterable[FileStat]) -> None:
        self.report.size += sum(stat.size for stat in stats)
        if not self.dry_run:
            self.store.files.delete(path)


def _survey(store: Store) -> dict[str, _Home]:
    """Return what lies at each address, but for what another release has made there."""
    homes: dict[str, _Home] = {}
    for path, stat in store.files.walk(STAGES, drafts=True):
        parts = path.split("/")
        if len(parts) <= _HOME_PARTS:
            continue
        home = homes.setdefault("/".join(parts[:_HOME_PARTS]), _Home())
        if len(parts) == ATTEMPT_PARTS:
            home.beside[path] = stat
        else:
            home.attempts.setdefault("/".join(parts[:ATTEMPT_PARTS]), {})[path] = stat
    for path, home in homes.items():
        home.manifest = store.read_manifest(f"{path}/{MANIFEST_NAME}")
    return {path: home for path, home in homes.items() if not _is_foreign(store, path, home)}


def _is_foreign(store: Store, path: str, home: _Home) -> bool:
    if home.manifest is not None:
        return False
    return is_of_other_version(read_if_there(store.files, f"{path}/{MANIFEST_NAME}") or b"")


def _by_folder(store: Store, root: str) -> dict[str, dict[str, FileStat]]:
    found: dict[str, dict[str, FileStat]] = {}
    for path, stat in store.files.walk(root, drafts=True):
        found.setdefault("/".join(path.split("/")[:ATTEMPT_PARTS]), {})[path] = stat
    return found


def _staying(
    store: Store, homes: Mapping[str, _Home], current: Collection[Address], oldest: dt.date
) -> set[str]:
    """Return the addresses that stay, with those whose files they name."""
    stays = {
        path
        for path, home in homes.items()
        if home.manifest
        and (_address(home.manifest) in current or not _is_unused(store, home.manifest, oldest))
    }
    pending = list(stays)
    while pending:
        for attempt in _named_attempts(homes[pending.pop()]):
            owner = attempt.rpartition("/")[0]
            if owner not in stays and owner in homes and homes[owner].manifest:
                stays.add(owner)
                pending.append(owner)
    return stays


def _address(manifest: Manifest) -> Address:
    return manifest.stage, manifest.partition, manifest.fingerprint


def _is_unused(store: Store, manifest: Manifest, oldest: dt.date) -> bool:
    """Tell, from the store as it is now, whether an artifact was last used before a day."""
    now = store.find(*_address(manifest))
    return now == manifest and store.used_on(manifest) < oldest.isoformat()


def _named_attempts(home: _Home) -> set[str]:
    """Return the attempts, here or elsewhere, whose files a manifest names."""
    entries = home.manifest.outputs.values() if home.manifest else ()
    return {"/".join(file.path.split("/")[:ATTEMPT_PARTS]) for file in unique_files(entries)}


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _is_older(stat: FileStat, before: dt.datetime) -> bool:
    return stat.modified_at is not None and stat.modified_at < before
