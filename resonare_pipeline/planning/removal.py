"""Takes artifacts of some partitions out of store and deliverables, whatever their age.

Unlike `artifacts.upkeep` this spares nothing for being young or lately used: only what is named as
current stays. Which partitions, is decided by the caller.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product

from resonare_pipeline.artifacts.files import Files, is_draft
from resonare_pipeline.artifacts.manifest import MANIFEST_NAME
from resonare_pipeline.artifacts.store import (
    HASHES,
    REJECTED,
    STAGES,
    UNPARTITIONED,
    Store,
    unique_files,
)
from resonare_pipeline.planning.delivery import OUTPUT_MANIFEST, laid_files
from resonare_pipeline.planning.graph import Stage
from resonare_pipeline.planning.plan import Plan

HASHED_PARTS = ("raw", "attached")

Address = tuple[str, str, str]
"""Stage, folder of the partition, fingerprint."""


@dataclass(slots=True, kw_only=True)
class Removed:
    """What was deleted.

    Attributes:
        artifacts: Addresses in the store.
        rejected: Folders of staged files that had failed a check.
        deliverables: Files that had been laid for people.
        stages: Stage → folders of the partitions that lost an artifact.
    """

    artifacts: int = 0
    rejected: int = 0
    deliverables: int = 0
    stages: dict[str, set[str]] = field(default_factory=dict)


def remove(
    store: Store,
    outputs: Iterable[Files],
    stages: Collection[Stage],
    folders: Collection[str],
    current: Plan,
    retired: Collection[str],
) -> Removed:
    """Delete all that some stages made of some partitions, but for what is current.

    Args:
        store: Artifacts.
        outputs: Places of deliverables. These are all deleted: a run lays them anew.
        stages: Those stages; of unpartitioned ones all that is not current goes. What is made only
            on request stays: it says where a dataset was published.
        folders: Those partitions, by the names of their folders.
        current: What stays where it is a hit.
        retired: Those of the folders whose raw input is gone; what is remembered of it goes, too.
    """
    removed = Removed()
    if not folders:
        return removed
    kept = {
        (entry.stage.name, store.home(entry.stage.name, entry.partition).split("/")[2]): entry
        for entry in current.entries.values()
        if entry.manifest
    }
    for stage in (stage for stage in stages if not stage.on_request):
        for folder in [UNPARTITIONED] if stage.raw is None else folders:
            entry = kept.get((stage.name, folder))
            named = (
                {_attempt(file.path) for file in unique_files(entry.manifest.outputs.values())}
                if entry and entry.manifest
                else set()
            )
            spared = {entry.fingerprint: named} if entry else {}
            _remove_homes(store, stage.name, folder, spared, removed)
            removed.rejected += _delete_all(store.files, f"{REJECTED}/{stage.name}/{folder}")
            if stage.delivers and not spared:
                _remove_laid(store, outputs, stage, folder, removed)
    kinds = {stage.raw.folder for stage in stages if stage.raw is not None}
    for part, kind, folder in product(HASHED_PARTS, sorted(kinds), retired):
        store.files.delete(f"{HASHES}/{part}/{kind}/{folder}.json")
    return removed


def _attempt(path: str) -> str:
    return "/".join(path.split("/")[:5])


def _remove_homes(
    store: Store, stage: str, folder: str, spared: Mapping[str, set[str]], removed: Removed
) -> None:
    base = f"{STAGES}/{stage}/{folder}"
    homes: dict[str, set[str]] = {}
    for path, _ in store.files.walk(base, drafts=True):
        parts = path.split("/")
        homes.setdefault(parts[3], set()).add("/".join(parts[:5]))
    for fingerprint, inside in homes.items():
        home = f"{base}/{fingerprint}"
        if fingerprint not in spared:
            store.files.delete(f"{home}/{MANIFEST_NAME}")
            store.files.delete(home)
            removed.artifacts += 1
            removed.stages.setdefault(stage, set()).add(folder)
            continue
        for path in inside - spared[fingerprint]:
            if not path.endswith(".json"):  # attempts that the artifact does not name
                store.files.delete(path)


def _delete_all(files: Files, folder: str) -> int:
    attempts = {_attempt(path) for path, _ in files.walk(folder, drafts=True)}
    files.delete(folder)
    return len(attempts)


def _remove_laid(
    store: Store, outputs: Iterable[Files], stage: Stage, folder: str, removed: Removed
) -> None:
    where = stage.group if folder == UNPARTITIONED else f"{stage.group}/{folder}"
    for output in outputs:
        names = [*laid_files(output, where), OUTPUT_MANIFEST]
        there = {path.removeprefix(f"{where}/") for path, _ in output.walk(where, drafts=True)}
        drafts = {name for name in there if is_draft(name.rpartition("/")[2])}
        for name in {*names, *drafts} & there:
            output.delete(f"{where}/{name}")
            removed.deliverables += 1
        if not there - {*names, *drafts}:
            output.delete(where)
    store.files.delete(f"{HASHES}/output/{where}")
