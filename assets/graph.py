"""The whole graph: the stages of every group, in order."""

from assets import chats
from resonare_pipeline.planning.graph import Graph

GRAPH = Graph(stages=(*chats.STAGES,))
