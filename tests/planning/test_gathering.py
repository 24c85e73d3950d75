"""Stages that gather: what is ready they take, what a run will make they wait for."""

import os
from collections.abc import Mapping
from typing import ClassVar

import pytest

from resonare_pipeline.errors import StageError
from resonare_pipeline.planning.delivery import laid_files
from resonare_pipeline.planning.graph import Graph, Output, SettingsOf, StageRun, asset
from resonare_pipeline.planning.made import Made
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.plan import Entry, Plan, Status, plan
from resonare_pipeline.planning.workspace import Workspace
from resonare_pipeline.settings import Section
from tests.planning.toy import GRAPH as TOY_GRAPH
from tests.planning.toy import TEXTS, Toy, words_and_letters


class PickSettings(Section):
    section: ClassVar[str] = "pick"

    include: bool = True
    """Whether a text is gathered."""

    mark: str = ""
    """What is written behind its words."""


def _includes(settings: SettingsOf) -> bool:
    return PickSettings.model_validate(settings[PickSettings]).include


@asset(
    group="book",
    inputs=("words", "letters"),
    reads_dropped=("words",),
    settings_by_partition=(PickSettings,),
    includes=_includes,
    outputs=(Output(asset="book", deliver=("pages/*",)),),
)
def book(run: StageRun) -> None:
    """Write the words of every text, a page each, and who is absent."""
    for name, words in run.gathered["words"].items():
        mark = run.get(PickSettings, name).mark
        with words.open("words.txt") as source:
            content = source.read()
        with run.outputs["book"].open(f"pages/{name.partition('/')[2]}.txt") as sink:
            sink.write(content + mark.encode())
    with run.outputs["book"].open("absent.txt") as sink:
        sink.write(",".join(run.absent).encode())
    run.outputs["book"].report(rows=len(run.gathered["words"]))


@asset(group="book", inputs=("book",), compares="book", outputs=(Output(asset="review"),))
def review(run: StageRun) -> None:
    """Tell how many pages the book has, and how many it had before."""
    before = "none" if run.previous is None else str(run.previous.entry.rows)
    with run.outputs["review"].open("review.txt") as sink:
        sink.write(f"{run.inputs['book'].entry.rows}, before {before}".encode())
    run.outputs["review"].report(rows=1)


GRAPH = Graph(stages=(*TOY_GRAPH.stages, book, review))


class Library:
    """The toy project with a book of all its texts."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        toy.write("b.txt", "four five")

    def open(self, overrides: Mapping[str, str] | None = None) -> Workspace:
        return self.toy.open(overrides, graph=GRAPH)

    def plan(self, partitions: tuple[str, ...] | None = None, *, stands: bool = False) -> Plan:
        workspace = self.open()
        return plan(
            GRAPH,
            workspace.settings,
            workspace.list_raw(),
            workspace.store,
            partitions=partitions,
            as_it_stands=stands,
        )

    def entry(self, *, stands: bool = False) -> Entry:
        return self.plan(stands=stands).entry(book, None)

    def fill(self, *keys: str) -> None:
        for key in keys:
            self.toy.make(self.open(), key)

    def make(self) -> Made:
        return make(self.open(), book, None)

    def review(self) -> str:
        made = make(self.open(), review, None)
        with self.open().store.artifact(made.manifest, "review").open("review.txt") as stream:
            return stream.read().decode()

    def pages(self) -> dict[str, bytes]:
        folder = self.toy.folder / "output/book"
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*.txt"))
        }


@pytest.fixture
def library(toy: Toy) -> Library:
    return Library(toy)


def test_gathering_stage_waits_for_what_the_run_will_make(library: Library) -> None:
    library.fill("a")
    entry = library.entry()
    assert (entry.status, entry.reasons) == (Status.WAITS, ("waits for texts/b",))


def test_gathering_stage_as_it_stands_takes_what_is_ready_and_names_the_absent(
    library: Library,
) -> None:
    library.fill("a")
    assert library.entry(stands=True).gathered.absent.keys() == {"texts/b"}
    made = library.make()
    assert library.pages() == {"pages/a.txt": b"one\ntwo\nthree"}
    with library.open().store.artifact(made.manifest, "book").open("absent.txt") as stream:
        assert stream.read() == b"texts/b"


def test_gathering_stage_never_waits_for_a_partition_nobody_asked_for(library: Library) -> None:
    library.fill("a")
    assert library.plan(("a",)).entry(book, None).status is Status.STALE
    assert library.plan(("b",)).entry(book, None).status is Status.WAITS


def test_gathering_stage_never_waits_for_raw_input_that_cannot_be_used(library: Library) -> None:
    library.fill("a", "b")
    library.toy.write("c.d/other.bin", "no text in this folder")
    entry = library.entry()
    assert entry.status is Status.STALE
    assert "texts/c.d" in entry.gathered.absent


def test_gathering_stage_again_is_a_hit_until_a_partition_changes(library: Library) -> None:
    library.fill("a", "b")
    assert library.make().cache.value == "miss"
    assert library.make().cache.value == "hit"
    library.toy.write("b.txt", "four six")
    library.fill("b")
    assert library.make().cache.value == "miss"
    library.toy.write("b.txt", "four five")
    library.fill("b")
    assert library.make().cache.value == "hit"


def test_gathering_stage_takes_texts_that_were_only_touched(library: Library) -> None:
    library.fill("a", "b")
    library.make()
    for name in ("a", "b"):
        os.utime(library.toy.folder / f"raw/texts/{name}.txt", ns=(1, 1))
    assert library.make().cache.value == "hit"


def test_gathering_stage_drops_the_page_of_a_text_that_is_gone(library: Library) -> None:
    library.fill("a", "b")
    library.make()
    assert library.pages().keys() == {"pages/a.txt", "pages/b.txt"}
    (library.toy.folder / "raw/texts/b.txt").unlink()
    library.make()
    assert library.pages().keys() == {"pages/a.txt"}
    assert laid_files(library.open().output, "book").keys() == {"pages/a.txt"}


def test_gathering_stage_lays_a_page_again_that_was_altered(library: Library) -> None:
    library.fill("a")
    library.make()
    (library.toy.folder / "output/book/pages/a.txt").write_text("scribble")
    assert library.make().cache.value == "hit"
    assert library.pages() == {"pages/a.txt": b"one\ntwo\nthree"}


def test_gathering_stage_reads_settings_by_partition(library: Library) -> None:
    library.fill("a", "b")
    library.make()
    (library.toy.folder / "resonare.toml").write_text(
        '[partition."texts/a".pick]\nmark = "!"\n[partition."texts/b".pick]\ninclude = false\n'
    )
    entry = library.entry()
    assert "setting pick of texts/a.mark: '' → '!'" in entry.reasons
    library.make()
    assert library.pages() == {"pages/a.txt": b"one\ntwo\nthree!"}


def test_excluded_partition_is_no_input_and_not_waited_for(library: Library) -> None:
    library.fill("a")
    (library.toy.folder / "resonare.toml").write_text(
        '[partition."texts/b".pick]\ninclude = false\n'
    )
    entry = library.entry()
    assert entry.status is Status.STALE
    assert not entry.gathered.absent
    library.make()
    library.fill("b")
    assert library.entry().status is Status.HIT


def test_stage_that_compares_knows_the_version_before_and_stays_a_hit(library: Library) -> None:
    library.fill("a")
    library.make()
    assert library.review() == "1, before none"
    library.fill("b")
    library.make()
    assert library.review() == "2, before 1"
    assert make(library.open(), review, None).cache.value == "hit"


def test_stage_that_compares_is_a_hit_when_its_input_is_what_it_was_at_first(
    library: Library,
) -> None:
    added = library.toy.folder / "raw/texts/b.txt"
    added.unlink()
    library.fill("a")
    library.make()
    assert library.review() == "1, before none"
    library.toy.write("b.txt", "four five")
    library.fill("b")
    library.make()
    assert library.review() == "2, before 1"
    added.unlink()
    library.make()
    assert make(library.open(), review, None).cache.value == "hit"
    assert library.review() == "1, before none"


def test_graph_refuses_an_input_with_other_partitions() -> None:
    @asset(group="texts", raw=words_and_letters.raw, inputs=("book",), outputs=(Output(asset="x"),))
    def backwards(run: StageRun) -> None:
        """Ask for what has no partitions."""

    with pytest.raises(StageError, match="book has other partitions"):
        Graph(stages=(*GRAPH.stages, backwards))


class EchoSettings(Section):
    section: ClassVar[str] = "echo_pick"

    echoes: bool = False
    """Whether the echo of a text is gathered."""


@asset(group="texts", raw=TEXTS, inputs=("words",), outputs=(Output(asset="echo"),))
def echo(run: StageRun) -> None:
    """Say the words of a text again."""
    with run.inputs["words"].open("words.txt") as source, run.outputs["echo"].open("e.txt") as sink:
        sink.write(source.read())
    run.outputs["echo"].report(rows=1)


def _wants(asset: str, settings: SettingsOf) -> bool:
    return asset != "echo" or EchoSettings.model_validate(settings[EchoSettings]).echoes


@asset(
    group="book",
    inputs=("words", "echo"),
    settings_by_partition=(EchoSettings,),
    wants=_wants,
    outputs=(Output(asset="anthology"),),
)
def anthology(run: StageRun) -> None:
    """Name the texts, and those that have an echo."""
    with run.outputs["anthology"].open("names.txt") as sink:
        sink.write(f"{sorted(run.gathered['words'])} {sorted(run.gathered['echo'])}".encode())
    run.outputs["anthology"].report(rows=1)


ECHOES = Graph(stages=(*TOY_GRAPH.stages, echo, anthology))


def names_of(workspace: Workspace) -> str:
    made = make(workspace, anthology, None)
    with workspace.store.artifact(made.manifest, "anthology").open("names.txt") as stream:
        return stream.read().decode()


def test_input_that_a_partition_does_not_ask_for_may_be_missing_and_change(toy: Toy) -> None:
    toy.write("b.txt", "four five")
    for key in ("a", "b"):
        toy.make(toy.open(graph=ECHOES), key)
    assert names_of(toy.open(graph=ECHOES)) == "['texts/a', 'texts/b'] []"
    make(toy.open(graph=ECHOES), echo, "a")
    workspace = toy.open(graph=ECHOES)
    entries = plan(ECHOES, workspace.settings, workspace.list_raw(), workspace.store)
    assert entries.entry(anthology, None).status is Status.HIT


def test_input_that_a_partition_asks_for_is_gathered_or_makes_it_absent(toy: Toy) -> None:
    toy.write("b.txt", "four five")
    (toy.folder / "resonare.toml").write_text(
        '[partition."texts/a".echo_pick]\nechoes = true\n', encoding="utf-8"
    )
    for key in ("a", "b"):
        toy.make(toy.open(graph=ECHOES), key)
    assert names_of(toy.open(graph=ECHOES)) == "['texts/b'] []"
    make(toy.open(graph=ECHOES), echo, "a")
    assert names_of(toy.open(graph=ECHOES)) == "['texts/a', 'texts/b'] ['texts/a']"
