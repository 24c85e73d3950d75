"""The one IO manager: it hands a step the artifact that the planner expects of each input.

Nothing is written here: a stage's artifact is committed before its step ends, and what passes
between steps is a handle.
"""

import dagster as dg

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.errors import StoreError
from resonare_pipeline.planning.making import plan_for
from resources.settings import SETTINGS_KEY, RunSettings

IO_MANAGER_KEY = "io_manager"  # Dagster's own default, so that no second one stands beside it


class ArtifactIOManager(dg.IOManager):
    """Finds artifacts by the planner, or hands on what an earlier step of the run has announced.

    `make` compares what it is handed with its own plan, so a handle that is no longer the expected
    one is refused; planning for each input as well would double the calls to the storage.
    """

    def __init__(self) -> None:
        self._announced: dict[tuple[str, str | None], Artifact] = {}

    def handle_output(self, context: dg.OutputContext, obj: Artifact) -> None:
        """Make sure that what a step announces is in the store.

        Raises:
            StoreError: If a file of the artifact is not there.
        """
        for file in obj.entry.files:
            if obj.files.stat(file.path) is None:
                raise StoreError(
                    "announced but not in the store", where=f"{context.asset_key}: {file.name}"
                )
        partition = context.asset_partition_key if context.has_asset_partitions else None
        self._announced[context.asset_key.to_user_string(), partition] = obj

    def load_input(self, context: dg.InputContext) -> Artifact:
        """Return the handle to the input that belongs to this run's settings and raw input."""
        name = context.asset_key.to_user_string()
        partition = context.asset_partition_key if context.has_asset_partitions else None
        if announced := self._announced.get((name, partition)):
            return announced
        settings: RunSettings = getattr(context.resources, SETTINGS_KEY)
        workspace = settings.workspace
        stage = workspace.graph.makers[name]
        return plan_for(workspace, stage, partition).artifact(stage, name, partition)


@dg.io_manager(required_resource_keys={SETTINGS_KEY}, description="Artifacts by fingerprint.")
def artifact_io_manager() -> ArtifactIOManager:
    """Return the IO manager."""
    return ArtifactIOManager()
