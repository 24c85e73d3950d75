"""How one stage is made for one partition: hit, or staged, checked and committed.

Whoever calls (a Dagster step, a test) gets the same outcome. A failure commits nothing.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

import pyarrow as pa

from resonare_pipeline.artifacts.arrow import prepare_arrow
from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import CheckEntry, Manifest
from resonare_pipeline.artifacts.store import Attempt
from resonare_pipeline.errors import (
    CheckFailedError,
    InputChangedError,
    ResonareError,
    StageError,
    StoreError,
)
from resonare_pipeline.planning.delivery import deliver
from resonare_pipeline.planning.graph import Stage, StageRun
from resonare_pipeline.planning.hashes import known_hashes, take_hashes
from resonare_pipeline.planning.made import Cache, Made, begun_ahead, current_listener
from resonare_pipeline.planning.plan import DUE, Entry, Plan, Status, plan, raw_parts
from resonare_pipeline.planning.workspace import Workspace, environment
from resonare_pipeline.progress import Progress, silent


def plan_for(workspace: Workspace, stage: Stage, partition: str | None) -> Plan:
    """Plan one stage and all above it, for one partition, as things stand now."""
    return plan(
        workspace.graph,
        workspace.settings,
        workspace.list_raw(only=partition),
        workspace.store,
        targets=(stage,),
        partitions=None if partition is None else (partition,),
        as_it_stands=True,
    )


def make(
    workspace: Workspace,
    stage: Stage,
    partition: str | None,
    *,
    inputs: Mapping[str, Artifact] | None = None,
    force: bool = False,
) -> Made:
    """Return a stage's artifact, made now unless it is there already.

    Args:
        inputs: The stage's inputs, if the caller has them; they must be those that are planned.
        force: Make it even if it is there.

    Raises:
        ResonareError: As the stage says; nothing is committed then.
    """
    begun = _begun_ahead(stage, partition)
    if begun is not None:
        planned = plan_for(workspace, stage, partition).entry(stage, partition)
        if planned.fingerprint == begun.manifest.fingerprint:
            return begun
    listener = current_listener()
    started = time.perf_counter()
    progress = listener.started(stage, partition) if listener else silent
    current = plan_for(workspace, stage, partition)
    entry = current.entry(stage, partition)
    if _hashed(workspace, stage, current, progress):
        current = plan_for(workspace, stage, partition)
        entry = current.entry(stage, partition)
    if entry.manifest is not None and not force:
        made = _tried_again(workspace, current, entry, inputs, progress)
    else:
        manifest = _make_anew(workspace, current, entry, inputs, progress)
        made = _miss(entry, manifest, started, entry.reasons or ("asked for",))
    if listener:
        listener.made(made)
    return made


def _tried_again(
    workspace: Workspace,
    current: Plan,
    entry: Entry,
    inputs: Mapping[str, Artifact] | None,
    progress: Progress,
) -> Made:
    """Use a hit; one that is due is made again first, and stays as it is if that fails."""
    if not entry.is_due:
        return use_hit(workspace, entry)
    started = time.perf_counter()
    try:
        manifest = _make_anew(workspace, current, entry, inputs, progress, there=entry.manifest)
    except ResonareError as error:
        reason = f"what was missing could not be had: {error}"
        return replace(use_hit(workspace, entry), reasons=(reason,))
    return _miss(entry, manifest, started, (DUE,))


def _miss(entry: Entry, manifest: Manifest, started: float, reasons: tuple[str, ...]) -> Made:
    return Made(
        stage=entry.stage,
        partition=entry.partition,
        cache=Cache.MISS,
        seconds=round(time.perf_counter() - started, 3),
        manifest=manifest,
        reasons=reasons,
    )


def _hashed(workspace: Workspace, stage: Stage, current: Plan, progress: Progress) -> bool:
    """Hash raw inputs that are new or were touched, and tell whether there were any.

    That of the stage itself, and those above it: they may turn out to be what they were. For a
    stage that gathers, one that changes meanwhile is absent; any other cannot be made then.
    """
    unknown = [
        entry
        for entry in current.entries.values()
        if not entry.fingerprint and entry.status is Status.STALE and entry.raw is not None
    ]
    for entry in unknown:
        if entry.raw is None:
            continue
        try:
            for _, attached in raw_parts(entry):
                if known_hashes(workspace.store, entry.raw, attached=attached) is None:
                    take_hashes(workspace.store, entry.raw, progress, attached=attached)
        except InputChangedError:
            if stage.raw is not None:
                raise
    return bool(unknown)


def _begun_ahead(stage: Stage, partition: str | None) -> Made | None:
    """Return a stage that was made ahead; what met a change of its input is made again, now."""
    try:
        return begun_ahead(stage, partition)
    except InputChangedError:
        return None


def use_hit(workspace: Workspace, entry: Entry) -> Made:
    """Take an artifact that is there: note its use, and lay deliverables that are missing.

    Raises:
        StageError: If the entry is no hit.
    """
    if entry.manifest is None:
        raise StageError("not there", where=entry.stage.name)
    started = time.perf_counter()
    workspace.store.mark_used(entry.manifest)
    deliver(workspace.outputs, workspace.store, entry.stage, entry.manifest)
    return Made(
        stage=entry.stage,
        partition=entry.partition,
        cache=Cache.HIT,
        seconds=round(time.perf_counter() - started, 3),
        manifest=entry.manifest,
    )


def _make_anew(
    workspace: Workspace,
    current: Plan,
    entry: Entry,
    inputs: Mapping[str, Artifact] | None,
    progress: Progress,
    there: Manifest | None = None,
) -> Manifest:
    """Make and deliver a stage.

    Args:
        there: What it came to before, if it is tried again.
    """
    _refuse_unready(entry)
    if entry.ingredients is None:  # hashed a moment ago, and again another size or version
        raise InputChangedError(
            "the raw input changed while it was being read",
            where=entry.raw.where if entry.raw else entry.stage.name,
            remedy="Run again when it is complete",
        )
    prepare_arrow()
    attempt = workspace.store.attempt(entry.stage.name, entry.partition, entry.fingerprint)
    started = time.perf_counter()
    try:
        run = _prepare(workspace, current, entry, attempt, inputs, progress)
        if there is not None:
            store = workspace.store
            run.unfinished = {asset: store.artifact(there, asset) for asset in there.outputs}
        entry.stage.function(run)
        checks = tuple(entry.stage.verify(run)) if entry.stage.verify else ()
        _refuse_failed(workspace, entry, attempt, checks)
        manifest = workspace.store.commit(
            attempt,
            ingredients=entry.ingredients,
            checks=checks,
            seconds=round(time.perf_counter() - started, 3),
        )
    except BaseException:
        # What cannot be deleted now is cleared away by pruning; the first failure is what matters.
        with suppress(StoreError):
            workspace.store.discard(attempt)
        raise
    finally:
        pa.default_memory_pool().release_unused()
    deliver(workspace.outputs, workspace.store, entry.stage, manifest)
    return manifest


def _refuse_failed(
    workspace: Workspace, entry: Entry, attempt: Attempt, checks: tuple[CheckEntry, ...]
) -> None:
    failed = [check for check in checks if not check.passed]
    if failed:
        kept = workspace.store.reject(attempt)
        error = CheckFailedError(
            "; ".join(f"check {check.name} failed: {check.message}" for check in failed),
            where=f"{entry.stage.name} {entry.partition or ''}".strip(),
            remedy=f"What was made is kept at {kept}; nothing was committed",
        )
        error.checks = checks
        raise error


def _refuse_unready(entry: Entry) -> None:
    if entry.error is not None:
        raise entry.error
    if entry.status is Status.WAITS:
        raise InputChangedError(
            f"cannot be made now: {'; '.join(entry.reasons)}",
            where=f"{entry.stage.name} {entry.partition or ''}".strip(),
            expected="all inputs made under the present settings",
            remedy="Run again, with what it waits for",
        )


def _prepare(
    workspace: Workspace,
    current: Plan,
    entry: Entry,
    attempt: Attempt,
    inputs: Mapping[str, Artifact] | None,
    progress: Progress,
) -> StageRun:
    graph = workspace.graph
    gathers = graph.gathered(entry.stage)
    planned = {
        asset: current.artifact(graph.makers[asset], asset, entry.partition)
        for asset in entry.stage.inputs
        if asset not in gathers
    }
    gathered = {asset: _gathered(graph.makers[asset], asset, current, entry) for asset in gathers}
    for asset, handle in (inputs or {}).items():
        if handle.digest != planned[asset].digest:
            raise InputChangedError(
                f"{asset} changed while the run went on", where=entry.stage.name, remedy="Run again"
            )
    before = entry.previous
    return StageRun(
        partition=entry.partition,
        inputs=planned,
        outputs={asset: workspace.store.output(attempt, asset) for asset in entry.stage.assets},
        settings=entry.settings,
        raw_input=entry.raw,
        raw_hashes=_raw_hashes(workspace, entry, attached=False),
        attachments=_raw_hashes(workspace, entry, attached=True),
        dropped={
            asset: _dropped([planned[asset]] if asset in planned else gathered[asset].values())
            for asset in entry.stage.reads_dropped
        },
        gathered=gathered,
        absent=tuple(entry.gathered.absent),
        by_partition=entry.gathered.settings,
        previous=workspace.store.artifact(before, entry.stage.compares) if before else None,
        progress=progress,
        folder=workspace.folder,
        environ=environment(workspace.folder),
        unattended=workspace.unattended,
        patient=workspace.patient,
        account=workspace.account,
    )


def _gathered(maker: Stage, asset: str, current: Plan, entry: Entry) -> dict[str, Artifact]:
    return {
        name: current.artifact(maker, asset, key)
        for name, key in entry.gathered.ready.items()
        if maker.raw is not None
        and name == f"{maker.raw.folder}/{key}"
        and entry.stage.wants(asset, entry.gathered.settings[name])
    }


def _dropped(artifacts: Iterable[Artifact]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for artifact in artifacts:
        counts.update(artifact.entry.dropped)
    return dict(sorted(counts.items()))


def _raw_hashes(workspace: Workspace, entry: Entry, *, attached: bool) -> Mapping[str, str]:
    if entry.raw is None or attached not in [part for _, part in raw_parts(entry)]:
        return {}
    return known_hashes(workspace.store, entry.raw, attached=attached) or {}
