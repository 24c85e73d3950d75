"""A whole small project on any storage: the real graph over one real export."""

from dataclasses import dataclass, replace
from pathlib import Path

from assets.graph import GRAPH
from resonare_pipeline.artifacts.files import Files, write_bytes
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import Workspace, open_workspace
from resonare_pipeline.settings import Places
from tests.faults import Faults, FaultyFiles
from tests.places import contents

SAMPLE = Path(__file__).parent / "data" / "telegram" / "chatpackcli_export.json"
PARTITION = "friends"
SETTINGS = {"blocks.min_tokens_per_block": "8"}


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run leads to: digest of each asset, and all deliverables."""

    digests: dict[str, str]
    laid: dict[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Project:
    """Where a project's places are, and the folder without settings that it stands in."""

    folder: Path
    places: Places

    def open(self, faults: Faults | None = None, **settings: str) -> Workspace:
        workspace = open_workspace(
            GRAPH, overrides=SETTINGS | settings, places=self.places, folder=self.folder
        )
        if faults is None:
            return workspace

        def faulty(files: Files) -> Files:
            return FaultyFiles(files, faults)

        return replace(
            workspace,
            raw=faulty(workspace.raw),
            store=Store(faulty(workspace.store.files)),
            outputs=tuple(map(faulty, workspace.outputs)),
        )


def project_at(folder: Path, raw: str, store: str, output: str) -> Project:
    """Return a project whose raw input lies there."""
    write_bytes(open_files(raw), f"chats/{PARTITION}.json", SAMPLE.read_bytes())
    return Project(folder=folder, places=Places(raw=raw, store=store, output=output))


def run(workspace: Workspace, group: str = "chats") -> Result:
    """Make everything of a group, and return what it came to."""
    digests: dict[str, str] = {}
    for stage in GRAPH.stages:
        if stage.on_request or stage.group != group:
            continue
        made = make(workspace, stage, None if stage.raw is None else PARTITION)
        digests |= {asset: entry.digest for asset, entry in made.manifest.outputs.items()}
    return Result(digests=digests, laid=contents(workspace.output))


def assert_nothing_torn(workspace: Workspace, expected: Result) -> None:
    """Fail if anything that counts as there is not whole, or not what it should be."""
    store = workspace.store
    for manifest in store.manifests():
        if store.damage(manifest):  # the planner makes it again
            continue
        for asset, entry in manifest.outputs.items():
            assert entry.digest == expected.digests[asset]
            assert [store.problem(file) for file in entry.files] == [""] * len(entry.files)
    for path, content in contents(workspace.output).items():
        if not path.endswith("/manifest.json"):
            assert content == expected.laid[path]
