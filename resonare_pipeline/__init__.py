"""What each stage of the pipeline does, free of the orchestrator that runs it.

`load` is the way in for a notebook; no stage uses it, so it counts for no stage's code identity.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load"]


def load(asset: str, partition: str | None = None) -> "pd.DataFrame":
    """Read an artifact as a table: the one that fits the present settings and raw input.

    Args:
        asset: Name of an asset, as in the graph.
        partition: Its key; may be left out where there is only one.

    Raises:
        ResonareError: If there is no such asset or partition, or it has not been made.
    """
    import pandas as pd

    from assets.graph import GRAPH
    from resonare_pipeline.artifacts.reading import first_rows, main_file
    from resonare_pipeline.loading import find_artifact
    from resonare_pipeline.planning.workspace import open_workspace

    artifact = find_artifact(open_workspace(GRAPH), asset, partition)
    file = main_file(artifact)
    if file.name.endswith(".parquet"):
        with artifact.open(file.name) as stream:
            return pd.read_parquet(stream)
    return pd.DataFrame(first_rows(artifact, artifact.entry.rows))
