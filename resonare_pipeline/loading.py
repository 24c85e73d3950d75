"""Artifacts by name: what `resonare show` and `resonare_pipeline.load` read."""

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.errors import SettingsError, UnknownPartitionError
from resonare_pipeline.planning.making import plan_for
from resonare_pipeline.planning.workspace import Workspace


def find_artifact(workspace: Workspace, asset: str, partition: str | None) -> Artifact:
    """Return the artifact that an asset has under the present settings and raw input.

    Args:
        partition: Its key; may be left out where there is only one.

    Raises:
        SettingsError: For a name that is no asset.
        UnknownPartitionError: For a key that no raw input has, or none given among several.
        StageError: If it has not been made.
    """
    stage = workspace.graph.makers.get(asset)
    if stage is None:
        raise SettingsError(
            f"{asset!r} is no asset", expected=f"one of {', '.join(workspace.graph.makers)}"
        )
    if stage.raw is not None and partition is None:
        keys = workspace.list_raw().keys(stage.raw)
        if len(keys) != 1:
            raise UnknownPartitionError(
                f"{asset} has {len(keys)} partitions",
                expected=f"one of: {', '.join(keys)}" if keys else stage.raw.expected,
                remedy="Name one",
            )
        partition = keys[0]
    current = plan_for(workspace, stage, partition)
    if error := current.entry(stage, partition).error:
        raise error
    return current.artifact(stage, asset, partition)
