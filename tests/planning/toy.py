"""A small graph over text files: every kind of stage that the planner knows, in a few lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from resonare_pipeline.artifacts.files import write_bytes
from resonare_pipeline.artifacts.manifest import CheckEntry
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.planning.graph import Check, Graph, Output, StageRun, asset
from resonare_pipeline.planning.made import Made
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.operation import OPERATION
from resonare_pipeline.planning.plan import Plan, Status, plan
from resonare_pipeline.planning.raw import RawKind
from resonare_pipeline.planning.workspace import Workspace, open_workspace
from resonare_pipeline.settings import Places, Section

TEXTS = RawKind(
    folder="texts",
    partitions="text_files",
    suffixes=(".txt",),
    members=("*.txt",),
    expected="a text file",
)


class WordsSettings(Section):
    section: ClassVar[str] = "words"

    upper: bool = False
    """Whether words are written in capitals."""

    longest: int = 100
    """Words above this many letters fail the check."""


@asset(group="texts", raw=TEXTS, reads_raw=True, outputs=(Output(asset="text"),))
def text(run: StageRun) -> None:
    """Copy the text, with its white space folded."""
    with run.outputs["text"].open("text.txt") as sink:
        for name in run.raw.entries:
            with run.raw.open(name) as source:
                sink.write(b" ".join(source.read().split()))
    run.outputs["text"].report(rows=1)


def _verify(run: StageRun) -> list[CheckEntry]:
    with run.outputs["words"].staged().open("words.txt") as stream:
        longest = max((len(word) for word in stream.read().split()), default=0)
    passed = longest <= run.get(WordsSettings).longest
    return [
        CheckEntry(
            name="length",
            asset="words",
            passed=passed,
            message=f"{longest} letters",
            metadata={"letters": longest},
        )
    ]


@asset(
    group="texts",
    raw=TEXTS,
    inputs=("text",),
    settings=(WordsSettings,),
    outputs=(Output(asset="words", deliver=("words.txt",)), Output(asset="letters")),
    checks=(Check(name="length", asset="words", description="No word is too long."),),
    verify=_verify,
)
def words_and_letters(run: StageRun) -> None:
    """Write the words, and how many letters there are."""
    with run.inputs["text"].open("text.txt") as stream:
        content = stream.read()
    if b"boom" in content:
        raise ValueError("boom")
    words = content.upper().split() if run.get(WordsSettings).upper else content.split()
    with run.outputs["words"].open("words.txt") as sink:
        sink.write(b"\n".join(words))
    with run.outputs["letters"].open("letters.txt") as sink:
        sink.write(str(sum(map(len, words))).encode())
    run.outputs["words"].report(rows=len(words))
    run.outputs["letters"].report(rows=1)


@asset(group="texts", raw=TEXTS, inputs=("words",), outputs=(Output(asset="same_words"),))
def same_words(run: StageRun) -> None:
    """Pass the words through."""
    run.outputs["same_words"].alias(run.inputs["words"])
    run.outputs["same_words"].report(rows=run.inputs["words"].entry.rows)


@asset(group="texts", raw=TEXTS, inputs=("letters",), outputs=(Output(asset="parity"),))
def parity(run: StageRun) -> None:
    """Tell whether the number of letters is odd."""
    with run.inputs["letters"].open("letters.txt") as stream:
        count = int(stream.read())
    with run.outputs["parity"].open("parity.txt") as sink:
        sink.write(str(count % 2).encode())
    run.outputs["parity"].report(rows=1)


GRAPH = Graph(stages=(text, words_and_letters, same_words, parity))
OPERATED = Graph(stages=GRAPH.stages, operation=OPERATION)


@dataclass(frozen=True)
class Toy:
    """The toy project in a folder, whose places may lie elsewhere."""

    folder: Path
    location: str = ""

    def place(self, name: str) -> str:
        return f"{self.location or self.folder}/{name}"

    def write(self, name: str, content: str) -> None:
        write_bytes(open_files(self.place("raw")), f"texts/{name}", content.encode())

    def open(
        self,
        overrides: Mapping[str, str] | None = None,
        *,
        store: str = "store",
        graph: Graph = GRAPH,
        single: Path | None = None,
    ) -> Workspace:
        places = Places(raw=self.place("raw"), store=self.place(store), output=self.place("output"))
        return open_workspace(
            graph, overrides=overrides, places=places, folder=self.folder, single=single
        )

    def make(self, workspace: Workspace, partition: str = "a") -> list[Made]:
        return [make(workspace, stage, partition) for stage in GRAPH.stages]

    def caches(self, workspace: Workspace, partition: str = "a") -> dict[str, str]:
        return {made.stage.name: made.cache.value for made in self.make(workspace, partition)}

    def plan(self, workspace: Workspace) -> Plan:
        return plan(GRAPH, workspace.settings, workspace.list_raw(), workspace.store)

    def statuses(self, workspace: Workspace, partition: str = "a") -> dict[str, Status]:
        current = self.plan(workspace)
        return {stage.name: current.entry(stage, partition).status for stage in GRAPH.stages}
