"""The graph of stages, as the one asset decorator declares it.

A stage is a function with named inputs (assets), outputs (assets) and settings sections. Nothing is
run or looked up here, and no orchestrator is known: the same declaration serves the planner, the
command line and Dagster.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.artifacts.manifest import CheckEntry
from resonare_pipeline.errors import StageError
from resonare_pipeline.planning.raw import RawInput, RawKind
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.settings import Section, SectionT

SettingsOf = Mapping[type[Section], Section]


@dataclass(slots=True, kw_only=True)
class StageRun:
    """All that a stage's function is given while it makes one partition.

    Attributes:
        inputs: Asset → artifact, for inputs of this very partition.
        dropped: Input → reason → items that it left out, for the inputs in `reads_dropped`; of a
            gathered input, over all partitions.
        gathered: Asset → full partition name (`chats/alice`) → artifact, for gathered inputs.
        absent: Full names of the partitions that were not ready, in order.
        by_partition: Full partition name → the sections in `settings_by_partition`, for gathered
            partitions.
        previous: What the input in `compares` was before it became what it is, if it is known.
        unfinished: Asset → what came out under this very fingerprint, when something could not be
            had that is tried again now. What is made holds no less.
        attachments: Path below the raw root → SHA-256, of the files that a raw input speaks of.
        folder: The project's, where `.env` and the cache of answers lie.
        environ: Variables, those of `.env` included: keys and addresses, which no setting holds.
        unattended: Nobody has started this run by hand.
        patient: Somebody waits for it, however long that takes.
        account: Name of the run, under which all that it pays for is added up.
    """

    partition: str | None
    inputs: Mapping[str, Artifact]
    outputs: Mapping[str, OutputDraft]
    settings: SettingsOf
    gathered: Mapping[str, Mapping[str, Artifact]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    by_partition: Mapping[str, SettingsOf] = field(default_factory=dict)
    previous: Artifact | None = None
    unfinished: Mapping[str, Artifact] = field(default_factory=dict)
    raw_input: RawInput | None = None
    raw_hashes: Mapping[str, str] = field(default_factory=dict)
    attachments: Mapping[str, str] = field(default_factory=dict)
    dropped: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    progress: Progress = silent
    folder: Path = Path()
    environ: Mapping[str, str] = field(default_factory=dict)
    unattended: bool = False
    patient: bool = False
    account: str = ""

    @property
    def raw(self) -> RawInput:
        """The raw input behind this partition.

        Raises:
            StageError: If the stage was made without one.
        """
        if self.raw_input is None:
            raise StageError("this stage has no raw input", where=str(self.partition))
        return self.raw_input

    def get(self, section: type[SectionT], partition: str = "") -> SectionT:
        """Return the effective settings of a section that the stage declares.

        Args:
            partition: Full name of a gathered partition, for a section of `settings_by_partition`.
        """
        value = (self.by_partition[partition] if partition else self.settings)[section]
        if not isinstance(value, section):
            raise StageError(f"settings of another kind stand for {section.section}")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One asset that a stage makes.

    Attributes:
        asset: Its name.
        description: What it holds, one or two sentences for the web UI.
        schema: Columns of its main table, if it is one.
        columns: What they mean, for the web UI.
        lineage: Column → the `asset.column`s that it comes from, for the web UI.
        deliver: Files that are also laid where people take them; `*` stands for any part of a name.
    """

    asset: str
    description: str = ""
    schema: pa.Schema | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    lineage: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    deliver: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check on one staged output, made before anything is committed; a failure blocks."""

    name: str
    asset: str
    description: str


StageFunction = Callable[[StageRun], None]
CheckFunction = Callable[[StageRun], list[CheckEntry]]
IngredientFunction = Callable[[SettingsOf], Mapping[str, str]]
InclusionFunction = Callable[[SettingsOf], bool]
WantFunction = Callable[[str, SettingsOf], bool]
HeedFunction = Callable[[type[Section], SettingsOf], bool]


def _everything(settings: SettingsOf) -> bool:  # noqa: ARG001  # one of a family
    return True


def _nothing(settings: SettingsOf) -> bool:  # noqa: ARG001  # one of a family
    return False


def _every_section(kind: type[Section], settings: SettingsOf) -> bool:  # noqa: ARG001  # likewise
    return True


def _every_input(asset: str, settings: SettingsOf) -> bool:  # noqa: ARG001  # one of a family
    return True


def _no_files(settings: SettingsOf) -> Mapping[str, str]:  # noqa: ARG001  # one of a family
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the graph.

    Attributes:
        function: Makes the outputs.
        group: The group it stands in, which is also the folder of its deliverables.
        raw: The kind of raw input whose every item is a partition; None: not partitioned. Such a
            stage gathers: of an input that is partitioned it gets every partition that is ready.
        reads_raw: The raw input's content is an input of this stage.
        reads_attachments: Tells from the settings whether what it speaks of (images) is one, too.
        heeds: Tells from the settings whether one of them matters; one that does not is no part of
            the fingerprint.
        reads_dropped: Inputs whose counts of dropped items are an input too. No digest covers them,
            so the fingerprint takes them up by themselves.
        files: Hashes of templates, tokenizers and the like, by name, for given settings.
        distributions: Names of the distributions whose versions decide the bytes.
        verify: Makes the checks named in `checks`, on the staged outputs.
        settings_by_partition: Sections that a gathering stage reads as each partition has them.
        includes: Tells from these whether a partition is gathered at all.
        wants: Tells from them whether a gathered input is taken of a partition; one that is not is
            no input there, and may be missing.
        compares: An input whose artifact before the present one is an input too, if there is one.
        on_request: Made only where it is asked for by name.
        may_wait: It may end without its outputs, while what it has asked for is under way.
    """

    name: str
    function: StageFunction
    group: str
    description: str
    outputs: tuple[Output, ...]
    inputs: tuple[str, ...] = ()
    settings: tuple[type[Section], ...] = ()
    raw: RawKind | None = None
    reads_raw: bool = False
    reads_attachments: InclusionFunction = _nothing
    heeds: HeedFunction = _every_section
    reads_dropped: tuple[str, ...] = ()
    files: IngredientFunction = _no_files
    distributions: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    verify: CheckFunction | None = None
    settings_by_partition: tuple[type[Section], ...] = ()
    includes: InclusionFunction = _everything
    wants: WantFunction = _every_input
    compares: str = ""
    on_request: bool = False
    may_wait: bool = False

    @property
    def assets(self) -> tuple[str, ...]:
        """Names of the assets that it makes."""
        return tuple(output.asset for output in self.outputs)

    @property
    def delivers(self) -> bool:
        """Whether any of its files are laid out for people."""
        return any(output.deliver for output in self.outputs)


def asset(
    *,
    group: str,
    outputs: tuple[Output, ...],
    inputs: tuple[str, ...] = (),
    settings: tuple[type[Section], ...] = (),
    raw: RawKind | None = None,
    reads_raw: bool = False,
    reads_attachments: InclusionFunction = _nothing,
    heeds: HeedFunction = _every_section,
    reads_dropped: tuple[str, ...] = (),
    files: IngredientFunction = _no_files,
    distributions: tuple[str, ...] = (),
    checks: tuple[Check, ...] = (),
    verify: CheckFunction | None = None,
    settings_by_partition: tuple[type[Section], ...] = (),
    includes: InclusionFunction = _everything,
    wants: WantFunction = _every_input,
    compares: str = "",
    on_request: bool = False,
    may_wait: bool = False,
) -> Callable[[StageFunction], Stage]:
    """Declare a stage; the function's docstring is its description."""

    def declare(function: StageFunction) -> Stage:
        return Stage(
            name=function.__name__,
            function=function,
            group=group,
            description=" ".join((function.__doc__ or "").split()),
            outputs=outputs,
            inputs=inputs,
            settings=settings,
            raw=raw,
            reads_raw=reads_raw,
            reads_attachments=reads_attachments,
            heeds=heeds,
            reads_dropped=reads_dropped,
            files=files,
            distributions=distributions,
            checks=checks,
            verify=verify,
            settings_by_partition=settings_by_partition,
            includes=includes,
            wants=wants,
            compares=compares,
            on_request=on_request,
            may_wait=may_wait,
        )

    return declare


@dataclass(frozen=True, slots=True)
class Graph:
    """Stages in an order in which each comes after those it needs.

    Attributes:
        operation: Settings of how the project is operated, which no stage declares.
        makers: Asset → the stage that makes it.
    """

    stages: tuple[Stage, ...]
    operation: tuple[type[Section], ...] = ()
    makers: Mapping[str, Stage] = field(init=False)

    def __post_init__(self) -> None:
        makers: dict[str, Stage] = {}
        for stage in self.stages:
            _refuse_inputs(stage, makers)
            for name in stage.assets:
                if name in makers:
                    raise StageError(f"asset {name} is made twice", where=stage.name)
                makers[name] = stage
        object.__setattr__(self, "makers", makers)

    def sections(self) -> Iterator[type[Section]]:
        """Yield every settings section, each once: those of the stages, then of operation."""
        yield from dict.fromkeys(
            kind
            for stage in self.stages
            for kind in (*stage.settings, *stage.settings_by_partition)
        )
        yield from self.operation

    def raw_kinds(self) -> tuple[RawKind, ...]:
        """Return every kind of raw input, each once."""
        return tuple(dict.fromkeys(stage.raw for stage in self.stages if stage.raw is not None))

    def gathered(self, stage: Stage) -> tuple[str, ...]:
        """Return the inputs of which a stage gets every partition."""
        if stage.raw is not None:
            return ()
        return tuple(name for name in stage.inputs if self.makers[name].raw is not None)

    def groups(self) -> tuple[str, ...]:
        """Return the names of the groups."""
        return tuple(dict.fromkeys(stage.group for stage in self.stages))

    def upstream(self, targets: Iterable[Stage]) -> tuple[Stage, ...]:
        """Return the stages given and all that they need, in the graph's order."""
        needed = {stage.name for stage in targets}
        for stage in reversed(self.stages):
            if stage.name in needed:
                needed.update(self.makers[name].name for name in stage.inputs)
        return tuple(stage for stage in self.stages if stage.name in needed)


def _refuse_inputs(stage: Stage, makers: Mapping[str, Stage]) -> None:
    for name in stage.inputs:
        if name not in makers:
            raise StageError(f"input {name} is made by no earlier stage", where=stage.name)
        if stage.raw is not None and makers[name].raw != stage.raw:
            raise StageError(f"input {name} has other partitions", where=stage.name)
    for name in (*stage.reads_dropped, *filter(None, [stage.compares])):
        if name not in stage.inputs:
            raise StageError(f"reads more of {name}, which is no input", where=stage.name)
