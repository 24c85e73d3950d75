"""The whole graph: the stages of every group, in order."""

from assets import books, chats, datasets, publishing, records, style
from resonare_pipeline.planning.graph import Graph
from resonare_pipeline.planning.operation import OPERATION

GRAPH = Graph(
    stages=(
        *chats.STAGES,
        *style.STAGES,
        *records.STAGES,
        *books.STAGES,
        *datasets.STAGES,
        *publishing.STAGES,
    ),
    operation=OPERATION,
)
