"""What a person asked for, resolved: workspace, stages, partitions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assets.graph import GRAPH
from resonare_pipeline.bundled import sample_folder
from resonare_pipeline.errors import InputError, SettingsError
from resonare_pipeline.planning.graph import Graph, Stage
from resonare_pipeline.planning.plan import Entry, Plan
from resonare_pipeline.planning.plan import plan as make_plan
from resonare_pipeline.planning.workspace import Workspace, environment, open_workspace
from resonare_pipeline.settings import Places, parse_assignments

DEMO_FOLDER = "data/demo"
DEMO_SETTINGS = {"completions.provider": "mock"}  # offline, for nothing, and said of each answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call of the command line.

    Attributes:
        stages: Those asked for and all that they need; in the graph's order.
        partitions: Keys asked for, or None for all. What a stage gathers, but nobody asked for, is
            planned and not made.
        overrides: Settings given with `--set`.
        data_folder: Where Dagster's home is made, if the environment names none.
    """

    workspace: Workspace
    stages: tuple[Stage, ...]
    partitions: tuple[str, ...] | None
    overrides: dict[str, str]
    data_folder: Path = Path("data")

    def require_inputs(self) -> None:
        """Refuse what cannot lead anywhere: names without raw input, or no raw input at all.

        Raises:
            UnknownPartitionError: For a partition that no raw input has.
            InputError: If there is no raw input of any kind.
        """
        raw = self.workspace.list_raw()
        if raw.is_empty:
            raise InputError(
                "no raw input",
                where=self.workspace.places.raw,
                expected=" or ".join(
                    f"{kind.expected} below {kind.folder}/"
                    for kind in self.workspace.graph.raw_kinds()
                ),
                remedy="Put one there, or try: resonare demo",
            )
        for key in self.partitions or ():
            kinds = dict.fromkeys(stage.raw for stage in self.stages if stage.raw)
            if not any(key in raw.keys(kind) for kind in kinds):
                raw.require(next(iter(kinds)), key)

    def entries(self, current: Plan) -> list[Entry]:
        """Return the entries of a plan that were asked for."""
        return [
            entry
            for (_, key), entry in current.entries.items()
            if key is None or self.partitions is None or key in self.partitions
        ]

    def plan(self, *, as_it_stands: bool = False) -> Plan:
        """Plan what was asked for.

        Args:
            as_it_stands: Wait for nothing that this request would make; take what is ready.
        """
        workspace = self.workspace
        return make_plan(
            workspace.graph,
            workspace.settings,
            workspace.list_raw(),
            workspace.store,
            targets=self.stages,
            partitions=self.partitions,
            as_it_stands=as_it_stands,
        )


def open_request(
    targets: Sequence[str] | None,
    partitions: Sequence[str] | None,
    assignments: Sequence[str] | None,
    *,
    raw: str | None,
    store: str | None,
    output: str | None,
) -> Request:
    """Resolve the arguments that `run`, `plan` and their like have in common.

    Raises:
        SettingsError: For a target that is no group, asset, file or folder, or a wrong setting.
    """
    overrides = parse_assignments(assignments or ())
    places = chosen_places(raw=raw, store=store, output=output)
    stages, single = _resolve(GRAPH, targets or (), of_some=bool(partitions))
    return Request(
        workspace=open_workspace(GRAPH, overrides=overrides, places=places, single=single),
        stages=GRAPH.upstream(stages),
        partitions=tuple(dict.fromkeys(partitions)) if partitions else None,
        overrides=overrides,
    )


def chosen_places(*, raw: str | None, store: str | None, output: str | None) -> Places:
    """Return the places of the environment, with those that the command line names."""
    chosen = {"raw": raw, "store": store, "output": output}
    places = Places.from_environment(environment(Path.cwd()))
    return replace(places, **{name: place for name, place in chosen.items() if place})


def open_demo(folder: Path) -> Request:
    """Return a request for everything that the synthetic samples give.

    The project's own resonare.toml is left aside: its people are not in the samples. Prompt records
    are filled by the mock, whatever endpoint is named.
    """
    home = folder / DEMO_FOLDER
    places = Places(
        raw=str(sample_folder()), store=str(home / "artifacts"), output=str(home / "output")
    )
    return Request(
        workspace=open_workspace(GRAPH, overrides=DEMO_SETTINGS, places=places, folder=home),
        stages=tuple(_made_by_default(GRAPH)),
        partitions=None,
        overrides=dict(DEMO_SETTINGS),
        data_folder=home,
    )


def _made_by_default(graph: Graph) -> list[Stage]:
    return [stage for stage in graph.stages if not stage.on_request]


def _resolve(
    graph: Graph, targets: Sequence[str], *, of_some: bool
) -> tuple[list[Stage], Path | None]:
    """Return the stages that targets name, and the file or folder among them.

    Args:
        of_some: Only some partitions are asked for. Where no stage is named, what belongs to all
            partitions together is left alone then, as it is for one file or folder.
    """
    stages: list[Stage] = []
    single: Path | None = None
    for target in targets:
        if target in graph.groups():
            stages += [stage for stage in _made_by_default(graph) if stage.group == target]
        elif target in graph.makers:
            stages.append(graph.makers[target])
        elif Path(target).exists() and single is None:
            single = Path(target)
        else:
            raise _unknown(graph, target)
    if not stages:
        by_itself = of_some or single is not None
        stages = [s for s in _made_by_default(graph) if s.raw is not None or not by_itself]
    return stages, single


def _unknown(graph: Graph, target: str) -> SettingsError:
    return SettingsError(
        f"{target!r} is no group, asset, file or folder (one file or folder at a time)",
        expected=f"{', '.join(graph.groups())}; {', '.join(graph.makers)}; or a path",
    )
