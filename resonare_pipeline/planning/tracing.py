"""From one row of training data back through every stage to the messages it was made from.

Manifests name what each artifact was made from by digest; so the way back is found in the store
alone, for artifacts that are no longer current as well. Where something on the way was pruned the
trace says what. What is shown of it, and how, is the business of the command line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from resonare_pipeline.artifacts.manifest import Manifest
from resonare_pipeline.artifacts.store import STAGES, Store
from resonare_pipeline.errors import MissingFileError, UnknownExampleError
from resonare_pipeline.planning.example_rows import Row, example_made_of, find_rows, origin_of
from resonare_pipeline.planning.plan import Plan, Status
from resonare_pipeline.planning.plan import plan as make_plan
from resonare_pipeline.planning.sources import Source, source_of
from resonare_pipeline.planning.workspace import Workspace

LISTED = 5  # ids or places named in an error


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One artifact on the way from a row to its raw input.

    Attributes:
        manifest: The artifact; None if it is no longer in the store.
        current: Whether a run would use it now.
        why_not: Why a run would not.
        changed: Settings of the stage that are not the defaults, as `section.key`.
    """

    stage: str
    assets: tuple[str, ...]
    partition: str | None
    manifest: Manifest | None
    current: bool = False
    why_not: str = ""
    changed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A row and everything behind it.

    Attributes:
        example: The row in the dataset, if it was looked for and is there.
        row: The row of the asset that made it.
        source: The messages behind it, for chats.
        steps: Artifacts, from the row's back to the raw input's.
        notes: What the trace could not tell, or not all of, and what to do.
    """

    example_id: str
    example: Row | None
    row: Row
    source: Source | None
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


def trace(workspace: Workspace, wanted: str, *, partition: str | None = None) -> Trace:
    """Follow one row back to its source.

    Args:
        workspace: The project.
        wanted: The example's id, or a beginning that no other has.
        partition: Its export, where one example stands in several.

    Raises:
        UnknownExampleError: If no row has that id, or several examples begin so.
    """
    current = make_plan(
        workspace.graph,
        workspace.settings,
        workspace.list_raw(),
        workspace.store,
        as_it_stands=True,
    )
    rows = _chosen(_rows(workspace, current, wanted), wanted, partition)
    example = next((row for row in rows if row.provenance is not None), None)
    row, *equal = _source_rows(workspace, example, rows)
    if example is None:
        there = [entry.manifest for entry in current.entries.values() if entry.manifest]
        example = example_made_of(workspace.store, there, row)
    manifests = {example.manifest.fingerprint: example.manifest} if example else {}
    steps = tuple(_steps(workspace, current, [*manifests.values(), row.manifest], row.partition))
    notes = [
        f"{step.stage} of {step.partition} is no longer in the store; to make it again: "
        "resonare run"
        for step in steps
        if step.manifest is None
    ]
    if equal:
        keys = ", ".join(str(other.partition) for other in equal[:LISTED])
        notes.append(f"the same row stands in {keys} as well; to see it there: --partition")
    if row.provenance is not None:
        notes.append(
            f"the {row.provenance.asset} that it was made from is no longer in the store, so that "
            "nothing before the dataset can be told; to make all of it again: resonare run"
        )
    source: Source | None = None
    try:
        source = source_of(workspace, row, {step.stage: step.manifest for step in steps})
    except MissingFileError as error:
        notes.append(f"a file behind it is missing: {error}; to make it again: resonare run")
    return Trace(
        example_id=row.example_id,
        example=example,
        row=row,
        source=source,
        steps=steps,
        notes=tuple(notes),
    )


def _rows(workspace: Workspace, current: Plan, wanted: str) -> list[Row]:
    """Return the rows whose id begins so: of current artifacts, else of any in the store."""
    manifests = [entry.manifest for entry in current.entries.values() if entry.manifest]
    found = list(find_rows(workspace.store, manifests, wanted))
    if found:
        return _each_once(found)
    seen = {manifest.fingerprint for manifest in manifests}
    others = (m for m in workspace.store.manifests() if m.fingerprint not in seen)
    newest = sorted(others, key=lambda manifest: manifest.made_at, reverse=True)
    return _each_once(list(find_rows(workspace.store, newest, wanted)))


def _each_once(rows: list[Row]) -> list[Row]:
    """Return rows without those that one before them stands for.

    An asset may write an example into two files, as `style_examples` does, and of old artifacts
    several may hold it: these come youngest first.
    """
    first: dict[tuple[str, str | None, str], Row] = {}
    for row in rows:
        first.setdefault((row.example_id, row.partition, row.asset), row)
    return list(first.values())


def _chosen(rows: list[Row], wanted: str, partition: str | None) -> list[Row]:
    if partition is not None:
        there = {row.example_id for row in rows if row.partition in (partition, None)}
        wanted_rows = (row for row in rows if row.partition in (partition, None))
        rows = [row for row in wanted_rows if row.example_id in there]
    ids = sorted({row.example_id for row in rows})
    if not ids:
        raise UnknownExampleError(
            f"no row with the id {wanted!r} is in any artifact"
            + (f" of {partition}" if partition else ""),
            expected="the example_id of a row in train.jsonl or in the dataset, or a beginning of "
            "it",
            remedy="An artifact that held it may have been pruned, or made anew under other "
            "settings; look at the rows there are: resonare show chat_conversations",
        )
    if len(ids) > 1 and wanted not in ids:
        listed = ", ".join(ids[:LISTED]) + (", …" if len(ids) > LISTED else "")
        raise UnknownExampleError(
            f"{len(ids)} examples begin with {wanted!r}", expected=f"one of {listed}"
        )
    chosen = wanted if wanted in ids else ids[0]
    return [row for row in rows if row.example_id == chosen]


def _source_rows(workspace: Workspace, example: Row | None, rows: list[Row]) -> list[Row]:
    """Return the rows that an example may have been made from, each of another export.

    There are several where exports overlap, and equal conversations came of it.
    """
    own = [row for row in rows if row.provenance is None]
    if example is None or example.provenance is None:
        return own
    origin = origin_of(workspace.store, example)
    if origin is None:
        return [example]
    makers = _with_digest(workspace, origin.asset, origin.digest)
    made_from = [
        row
        for row in find_rows(workspace.store, makers, origin.source_example_id)
        if row.example_id == origin.source_example_id
    ]
    return made_from or [example]


def _with_digest(workspace: Workspace, asset: str, digest: str) -> list[Manifest]:
    stage = workspace.graph.makers.get(asset)
    if stage is None:
        return []
    found = workspace.store.manifests(f"{STAGES}/{stage.name}")
    return [m for m in found if asset in m.outputs and m.outputs[asset].digest == digest]


def _steps(
    workspace: Workspace, current: Plan, start: list[Manifest], partition: str | None
) -> Iterator[Step]:
    """Yield artifacts against the graph's order, each after those that were made from it."""
    graph, store = workspace.graph, workspace.store
    found: dict[str, Manifest] = {}
    absent: set[str] = set()
    for manifest in start:
        found.setdefault(manifest.stage, manifest)
    for stage in reversed(graph.stages):
        if stage.name in found:
            manifest = found[stage.name]
            yield _step(workspace, current, manifest)
            for asset in stage.inputs if manifest.partition is not None else ():
                maker = graph.makers[asset]
                if maker.name in found:
                    continue
                digest = manifest.ingredients.inputs.get(asset, "")
                above = _made(store, current, maker.name, asset, digest, manifest.partition)
                if above is None:
                    absent.add(maker.name)
                else:
                    found[maker.name] = above
        elif stage.name in absent:
            yield Step(stage=stage.name, assets=stage.assets, partition=partition, manifest=None)


def _made(
    store: Store, current: Plan, stage: str, asset: str, digest: str, partition: str | None
) -> Manifest | None:
    """Return the artifact with a digest: the current one if that has it, else the youngest."""
    entry = current.entries.get((stage, partition))
    if entry and entry.manifest and entry.manifest.outputs[asset].digest == digest:
        return entry.manifest
    there = store.manifests(store.home(stage, partition))
    fitting = (m for m in there if asset in m.outputs and m.outputs[asset].digest == digest)
    return max(fitting, key=lambda manifest: manifest.made_at, default=None)


def _step(workspace: Workspace, current: Plan, manifest: Manifest) -> Step:
    entry = current.entries.get((manifest.stage, manifest.partition))
    is_current = entry is not None and entry.fingerprint == manifest.fingerprint
    why_not = ""
    if not is_current:
        why_not = "the raw input is gone" if entry is None else "; ".join(entry.reasons)
        if entry is not None and entry.status is Status.HIT:
            why_not = "another one is current, made under the present settings and inputs"
    defaults = {kind.section: kind().identity() for kind in workspace.graph.sections()}
    return Step(
        stage=manifest.stage,
        assets=tuple(manifest.outputs),
        partition=manifest.partition,
        manifest=manifest,
        current=is_current,
        why_not=why_not,
        changed={
            f"{section}.{key}": value
            for section, values in manifest.ingredients.settings.items()
            for key, value in values.items()
            if defaults.get(section.split(" of ")[0], {}).get(key) != value
        },
    )


def plain(trace_of: Trace) -> dict[str, Any]:
    """Return a trace as plain data, for JSON."""
    return {
        "example_id": trace_of.example_id,
        "dataset": _plain_row(trace_of.example),
        "row": _plain_row(trace_of.row),
        "source": None if trace_of.source is None else trace_of.source.plain(),
        "steps": [_plain_step(step) for step in trace_of.steps],
        "notes": list(trace_of.notes),
    }


def _plain_row(row: Row | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "asset": row.asset,
        "partition": row.partition,
        "file": row.file,
        "number": row.number,
        "values": row.values,
    }


def _plain_step(step: Step) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "stage": step.stage,
        "assets": list(step.assets),
        "partition": step.partition,
        "in_store": step.manifest is not None,
        "current": step.current,
        "why_not": step.why_not,
        "changed": dict(step.changed),
    }
    if step.manifest is not None:
        shown |= {
            "fingerprint": step.manifest.fingerprint,
            "made_at": step.manifest.made_at,
            "ingredients": msgspec.to_builtins(step.manifest.ingredients),
            "outputs": msgspec.to_builtins(step.manifest.outputs),
            "checks": msgspec.to_builtins(step.manifest.checks),
        }
    return shown
