"""The planner: what is a hit, what must be made and why. The only truth about the cache.

`plan` is a pure function of the graph, the settings, the raw listing and the store. It walks the
graph from the top; a stage's fingerprint needs the digests of its inputs, so a stage below one that
must be made first can only wait: it may yet turn out a hit.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.metadata import version

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import Ingredients, Manifest
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.errors import ResonareError, StageError
from resonare_pipeline.fingerprint import fingerprint
from resonare_pipeline.planning.code import code_identity
from resonare_pipeline.planning.graph import Graph, SettingsOf, Stage
from resonare_pipeline.planning.hashes import known_digest
from resonare_pipeline.planning.raw import RawInput, RawListing
from resonare_pipeline.planning.reasons import explain
from resonare_pipeline.settings import Settings

RAW_INPUT = "raw input"


class Status(StrEnum):
    """How a stage stands for one partition."""

    HIT = "hit"
    STALE = "stale"
    WAITS = "waits"
    FAILED = "failed"  # cannot even be planned: its raw input or a file it needs is unusable


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One stage and partition of a plan.

    Attributes:
        reasons: Why it is not a hit, for people.
        fingerprint: Address of the artifact; empty while an input's digest is unknown.
        ingredients: What the fingerprint is made from; None while it is unknown.
        manifest: The artifact, if it is a hit.
        error: Why it failed.
    """

    stage: Stage
    partition: str | None
    status: Status
    settings: SettingsOf
    reasons: tuple[str, ...] = ()
    fingerprint: str = ""
    ingredients: Ingredients | None = None
    manifest: Manifest | None = None
    raw: RawInput | None = None
    error: ResonareError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Entries in the order in which they would be made, partition by partition."""

    entries: Mapping[tuple[str, str | None], Entry]
    store: Store

    def entry(self, stage: Stage, partition: str | None) -> Entry:
        """Return how a stage stands."""
        return self.entries[stage.name, partition]

    def artifact(self, stage: Stage, asset: str, partition: str | None) -> Artifact:
        """Return the handle to an asset that is a hit.

        Raises:
            StageError: If it has not been made yet under the present settings and inputs.
        """
        entry = self.entries.get((stage.name, partition))
        if entry is None or entry.manifest is None:
            why = "; ".join(entry.reasons) if entry else "not planned"
            raise StageError(
                f"{asset} is not there: {why}",
                where=partition or "",
                remedy="Run it again: its input may have changed meanwhile",
            )
        return self.store.artifact(entry.manifest, asset)


def plan(
    graph: Graph,
    settings: Settings,
    raw: RawListing,
    store: Store,
    *,
    targets: Iterable[Stage] | None = None,
    partitions: Collection[str] | None = None,
) -> Plan:
    """Say of each stage and partition whether it is there, must be made, or waits.

    Args:
        targets: Stages asked for, which are planned with all that they need; None: all.
        partitions: Keys asked for; None: all. What has no raw input, or one that cannot be used, is
            planned as failed, with the error.
    """
    stages = graph.stages if targets is None else graph.upstream(targets)
    entries: dict[tuple[str, str | None], Entry] = {}
    for kind in dict.fromkeys(stage.raw for stage in stages):
        own = [stage for stage in stages if stage.raw == kind]
        keys: list[str | None] = [None]
        if kind is not None:
            keys = [*(raw.keys(kind) if partitions is None else sorted(partitions))]
        for key in keys:
            for stage in own:
                entries[stage.name, key] = _plan_one(
                    graph, stage, key, settings, raw, store, entries
                )
    return Plan(entries=entries, store=store)


def _plan_one(
    graph: Graph,
    stage: Stage,
    key: str | None,
    settings: Settings,
    raw: RawListing,
    store: Store,
    entries: Mapping[tuple[str, str | None], Entry],
) -> Entry:
    name = "" if stage.raw is None else f"{stage.raw.folder}/{key}"
    effective = {kind: settings.section(kind, name) for kind in stage.settings}
    base = Entry(stage=stage, partition=key, status=Status.WAITS, settings=effective)
    try:
        source = None if stage.raw is None or key is None else raw.require(stage.raw, key)
        above = [entries[graph.makers[asset].name, key] for asset in stage.inputs]
        if failed := next((entry for entry in above if entry.error), None):
            return replace(base, status=Status.FAILED, error=failed.error)
        if waits := [entry.stage.name for entry in above if entry.manifest is None]:
            return replace(base, raw=source, reasons=(f"waits for {', '.join(waits)}",))
        inputs = _input_digests(graph, stage, key, entries)
        if source is not None and stage.reads_raw:
            digest = known_digest(store, source)
            if digest is None:
                reason = "the raw input is new, or its size or time has changed"
                return replace(base, status=Status.STALE, raw=source, reasons=(reason,))
            inputs[RAW_INPUT] = digest
        effective = {kind: values.narrowed(inputs) for kind, values in effective.items()}
        ingredients = _ingredients(stage, effective, inputs)
    except ResonareError as error:
        return replace(base, status=Status.FAILED, error=error, reasons=(str(error),))
    found = replace(base, settings=effective, raw=source, ingredients=ingredients)
    return _look_up(found, store)


def _input_digests(
    graph: Graph,
    stage: Stage,
    key: str | None,
    entries: Mapping[tuple[str, str | None], Entry],
) -> dict[str, str]:
    digests: dict[str, str] = {}
    for asset in stage.inputs:
        manifest = entries[graph.makers[asset].name, key].manifest
        if manifest is not None:
            digests[asset] = manifest.outputs[asset].digest
            if asset in stage.reads_dropped:
                dropped = manifest.outputs[asset].dropped
                digests[f"{asset}, dropped"] = fingerprint(dropped)
    return digests


def _ingredients(stage: Stage, settings: SettingsOf, inputs: dict[str, str]) -> Ingredients:
    return Ingredients(
        settings={kind.section: values.identity() for kind, values in settings.items()},
        code=stage_code(stage),
        inputs=inputs,
        files=dict(stage.files(settings)),
        versions={name: _version(name) for name in stage.distributions},
    )


def stage_code(stage: Stage) -> dict[str, str]:
    """Return the code identity of a stage: name → hash of a syntax tree."""
    return _code(stage.function, stage.verify)


@cache
def _code(*functions: object) -> dict[str, str]:
    merged: dict[str, str] = {}
    for function in functions:
        if callable(function):
            merged |= code_identity(function)
    return merged


@cache
def _version(distribution: str) -> str:
    return version(distribution)


def address(stage: Stage, partition: str | None, ingredients: Ingredients) -> str:
    """Return the fingerprint under which a stage's artifact is stored."""
    parts = msgspec.structs.asdict(ingredients)
    return fingerprint({"stage": stage.name, "partition": partition, **parts})


def _look_up(entry: Entry, store: Store) -> Entry:
    if entry.ingredients is None:
        return entry
    found_at = address(entry.stage, entry.partition, entry.ingredients)
    manifest = store.find(entry.stage.name, entry.partition, found_at)
    if manifest is None:
        before = store.newest(entry.stage.name, entry.partition)
        reasons = explain(before.ingredients if before else None, entry.ingredients)
        return replace(entry, status=Status.STALE, fingerprint=found_at, reasons=reasons)
    if problem := store.damage(manifest):
        reasons = (f"damaged: {problem}",)
        return replace(entry, status=Status.STALE, fingerprint=found_at, reasons=reasons)
    return replace(entry, status=Status.HIT, fingerprint=found_at, manifest=manifest)
