"""The whole graph: the stages of every group, in order."""

from assets import chats, datasets, publishing, records, style
from resonare_pipeline.planning.graph import Graph
from resonare_pipeline.planning.operation import OPERATION

GRAPH = Graph(
    stages=(*chats.STAGES, *style.STAGES, *records.STAGES, *datasets.STAGES, *publishing.STAGES),
    operation=OPERATION,
)
