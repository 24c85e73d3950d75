"""The planner: what is a hit, what must be made and why. The only truth about the cache.

`plan` is a pure function of the graph, the settings, the raw listing and the store. It walks the
graph from the top; a stage's fingerprint needs the digests of its inputs, so a stage below one that
must be made first can only wait: it may yet turn out a hit. A stage that gathers waits for what the
same run will make; it never waits for what cannot be made, and takes what is ready.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import Ingredients, Manifest
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.errors import InputError, ResonareError, StageError
from resonare_pipeline.fingerprint import fingerprint
from resonare_pipeline.planning.graph import Graph, SettingsOf, Stage
from resonare_pipeline.planning.hashes import known_digest
from resonare_pipeline.planning.ingredients import address, ingredients_of
from resonare_pipeline.planning.raw import RawInput, RawKind, RawListing
from resonare_pipeline.planning.reasons import explain
from resonare_pipeline.settings import Section, Settings

RAW_INPUT = "raw input"
ATTACHMENTS = "attachments"
DUE = "what could not be had when it was made is tried again"
LISTED = 3  # names in a reason


class Status(StrEnum):
    """How a stage stands for one partition."""

    HIT = "hit"
    STALE = "stale"
    WAITS = "waits"
    FAILED = "failed"  # cannot even be planned: its raw input or a file it needs is unusable


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """How the partitions stand that a stage gathers, by full name (`chats/alice`), in order.

    Attributes:
        ready: Name → key, of those whose inputs are all there.
        settings: Name → the sections that the stage reads as this partition has them.
        absent: Name → why it is not ready.
    """

    ready: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, SettingsOf] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One stage and partition of a plan.

    Attributes:
        reasons: Why it is not a hit, for people.
        gathered: The partitions that it takes, for a stage that gathers.
        previous: What came before the input that it compares, if that is known.
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
    gathered: Gathered = Gathered()
    previous: Manifest | None = None

    @property
    def is_due(self) -> bool:
        """Whether it is there, and the next run makes it again: it may be more complete now."""
        return self.manifest is not None and self.manifest.is_due(dt.datetime.now(dt.UTC))

    @property
    def is_whole(self) -> bool:
        """Whether it is there, and nothing of it is to be made again."""
        return self.manifest is not None and not self.is_due


Entries = Mapping[tuple[str, str | None], Entry]


def raw_parts(entry: Entry) -> Iterator[tuple[str, bool]]:
    """Yield what a stage reads of its raw input: name, and whether it is the attachments."""
    if entry.raw is not None and entry.stage.reads_raw:
        yield RAW_INPUT, False
    if entry.raw is not None and entry.stage.reads_attachments(entry.settings):
        yield ATTACHMENTS, True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Entries in the order in which they would be made, partition by partition."""

    entries: Entries
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
    as_it_stands: bool = False,
) -> Plan:
    """Say of each stage and partition whether it is there, must be made, or waits.

    Args:
        targets: Stages asked for, which are planned with all that they need; None: all.
        partitions: Keys asked for; None: all. What has no raw input, or one that cannot be used, is
            planned as failed, with the error. What a stage gathers is planned whatever is asked
            for, but waited for only if it is.
        as_it_stands: A stage that gathers waits for nothing; else for what this plan would make.
    """
    stages = graph.stages if targets is None else graph.upstream(targets)
    planner = _Planner(graph, settings, raw, store, asked=() if as_it_stands else partitions)
    gathered = {graph.makers[name].raw for stage in stages for name in graph.gathered(stage)}
    # What gathers comes after all that it may gather.
    kinds = sorted(dict.fromkeys(stage.raw for stage in stages), key=lambda kind: kind is None)
    for kind in kinds:
        own = [stage for stage in stages if stage.raw == kind]
        keys: list[str | None] = [None]
        if kind is not None:
            asked = (
                raw.keys(kind) if partitions is None else _asked_of(kind, kinds, raw, partitions)
            )
            keys = [*sorted({*asked, *(raw.keys(kind) if kind in gathered else ())})]
        for key in keys:
            for stage in own:
                planner.add(stage, key)
    return Plan(entries=planner.entries, store=store)


def _asked_of(
    kind: RawKind, kinds: Iterable[RawKind | None], raw: RawListing, partitions: Collection[str]
) -> list[str]:
    """Return the keys that are asked for of one kind: all but those that only another kind has."""
    own = set(raw.keys(kind))
    others = {key for other in kinds if other and other != kind for key in raw.keys(other)}
    return [key for key in partitions if key in own or key not in others]


class _Planner:
    """Plans stage after stage; what it has planned decides what comes below."""

    def __init__(
        self,
        graph: Graph,
        settings: Settings,
        raw: RawListing,
        store: Store,
        *,
        asked: Collection[str] | None,
    ) -> None:
        self.entries: dict[tuple[str, str | None], Entry] = {}
        self._graph = graph
        self._settings = settings
        self._raw = raw
        self._store = store
        self._asked = asked

    def add(self, stage: Stage, key: str | None) -> None:
        """Plan one stage and partition, after all that it needs."""
        effective = self._sections(stage.settings, "" if key is None else _full_name(stage, key))
        base = Entry(stage=stage, partition=key, status=Status.WAITS, settings=effective)
        try:
            entry = self._plan(stage, key, base)
        except ResonareError as error:
            entry = replace(base, status=Status.FAILED, error=error, reasons=(str(error),))
        self.entries[stage.name, key] = entry

    def _sections(self, kinds: Iterable[type[Section]], name: str) -> SettingsOf:
        return {kind: self._settings.section(kind, name) for kind in kinds}

    def _plan(self, stage: Stage, key: str | None, base: Entry) -> Entry:
        source = None if stage.raw is None or key is None else self._raw.require(stage.raw, key)
        gathers = self._graph.gathered(stage)
        above = [self._above(name, key) for name in stage.inputs if name not in gathers]
        if failed := next((entry for entry in above if entry.error), None):
            return replace(base, status=Status.FAILED, error=failed.error)
        gathered, pending = self._gather(stage, gathers)
        missing = dict.fromkeys(entry.stage.name for entry in above if entry.manifest is None)
        waits = [*missing, *pending]
        base = replace(base, raw=source, gathered=gathered)
        if waits:
            more = f" and {len(waits) - LISTED} more" if waits[LISTED:] else ""
            return replace(base, reasons=(f"waits for {', '.join(waits[:LISTED])}{more}",))
        inputs = self._digests(stage, key, gathered)
        for name, attached in raw_parts(base):
            digest = known_digest(self._store, source, attached=attached) if source else None
            if digest is None:
                what = "an attachment" if attached else "the raw input"
                reason = f"{what} is new, or its size or time has changed"
                return replace(base, status=Status.STALE, reasons=(reason,))
            inputs[name] = digest
        previous = self._before(stage, key)
        if previous is not None:
            inputs[f"{stage.compares}, before"] = previous.outputs[stage.compares].digest
        settings = {kind: values.narrowed(inputs) for kind, values in base.settings.items()}
        ingredients = ingredients_of(stage, settings, gathered.settings, inputs)
        base = replace(base, settings=settings, ingredients=ingredients, previous=previous)
        return _look_up(base, self._store)

    def _above(self, asset: str, key: str | None) -> Entry:
        return self.entries[self._graph.makers[asset].name, key]

    def _gather(self, stage: Stage, assets: tuple[str, ...]) -> tuple[Gathered, list[str]]:
        """Return the partitions that a stage gathers, and names of those that will be made.

        Raises:
            ResonareError: If it cannot be told whether one is there. Only raw input that cannot be
                used makes a partition absent; a storage that fails must not.
        """
        ready: dict[str, str] = {}
        settings: dict[str, SettingsOf] = {}
        absent: dict[str, str] = {}
        pending: list[str] = []
        for kind in dict.fromkeys(self._graph.makers[asset].raw for asset in assets):
            own = [asset for asset in assets if self._graph.makers[asset].raw == kind]
            for key in self._raw.keys(kind) if kind is not None else ():
                name = _full_name(self._graph.makers[own[0]], key)
                sections = self._sections(stage.settings_by_partition, name)
                if not stage.includes(sections):
                    continue
                wanted = [asset for asset in own if stage.wants(asset, sections)]
                lacking = [e for e in (self._above(a, key) for a in wanted) if e.manifest is None]
                if not lacking:
                    ready[name] = key
                    settings[name] = sections
                    continue
                failed = next((entry for entry in lacking if entry.error), None)
                if failed is not None and not isinstance(failed.error, InputError):
                    raise failed.error or StageError("not planned", where=name)
                absent[name] = "; ".join((failed or lacking[0]).reasons)
                if failed is None and (self._asked is None or key in self._asked):
                    pending.append(name)
        return Gathered(ready=ready, settings=settings, absent=absent), pending

    def _digests(self, stage: Stage, key: str | None, gathered: Gathered) -> dict[str, str]:
        """Return the digests of a stage's inputs, and what else of them it reads."""
        digests = {f"{name}, absent": "absent" for name in gathered.absent}
        gathers = self._graph.gathered(stage)
        for asset in stage.inputs:
            kind = self._graph.makers[asset].raw
            places = {"": key}
            if asset in gathers and kind is not None:
                prefix = f"{kind.folder}/"
                places = {
                    n: k
                    for n, k in gathered.ready.items()
                    if n.startswith(prefix) and stage.wants(asset, gathered.settings[n])
                }
            for name, place in places.items():
                manifest = self._above(asset, place).manifest
                if manifest is not None:
                    label = f"{asset} of {name}" if name else asset
                    digests[label] = manifest.outputs[asset].digest
                    if asset in stage.reads_dropped:
                        dropped = manifest.outputs[asset].dropped
                        digests[f"{label}, dropped"] = fingerprint(dropped)
        return digests

    def _before(self, stage: Stage, key: str | None) -> Manifest | None:
        """Return the youngest artifact of the compared input that was made before the present one.

        What was made after it does not count: whoever goes back to earlier settings finds what was
        made under them.
        """
        now = self._above(stage.compares, key).manifest if stage.compares else None
        if now is None:
            return None
        digest = now.outputs[stage.compares].digest
        others = self._store.manifests(self._store.home(now.stage, now.partition))
        found = (
            manifest
            for manifest in others
            if manifest.made_at < now.made_at and manifest.outputs[stage.compares].digest != digest
        )
        return max(found, key=lambda manifest: manifest.made_at, default=None)


def _full_name(stage: Stage, key: str) -> str:
    return f"{stage.raw.folder}/{key}" if stage.raw else key


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
