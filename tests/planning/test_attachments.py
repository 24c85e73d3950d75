"""Files that a raw input speaks of: read and hashed only where a stage asks for them."""

import datetime as dt
import os
from pathlib import Path
from typing import ClassVar

import pytest

from resonare_pipeline.artifacts.files import write_bytes
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.planning.graph import Graph, Output, SettingsOf, StageRun, asset
from resonare_pipeline.planning.made import Made
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.plan import DUE, Status, plan
from resonare_pipeline.planning.raw import RawKind
from resonare_pipeline.planning.watching import forms_of
from resonare_pipeline.planning.workspace import Workspace
from resonare_pipeline.settings import Section
from tests.planning.toy import Toy

ALBUMS = RawKind(
    folder="albums",
    partitions="albums",
    suffixes=(".txt",),
    members=("*.txt",),
    expected="an album",
    attachments=("*.jpg",),
)


class LooksSettings(Section):
    section: ClassVar[str] = "looks"

    images: bool = False
    """Whether images are looked at."""


class LensSettings(Section):
    section: ClassVar[str] = "lens"

    width: int = 1
    """Matters where images are looked at."""


@asset(group="albums", raw=ALBUMS, reads_raw=True, outputs=(Output(asset="album"),))
def album(run: StageRun) -> None:
    """Count the texts."""
    with run.outputs["album"].open("album.txt") as sink:
        sink.write(str(len(run.raw.entries)).encode())
    run.outputs["album"].report(rows=1)


def _looks(settings: SettingsOf) -> bool:
    looks = settings[LooksSettings]
    return isinstance(looks, LooksSettings) and looks.images


def _heeds(kind: type[Section], settings: SettingsOf) -> bool:
    return kind is not LensSettings or _looks(settings)


RETRY: dict[str, dt.datetime | None] = {}
"""When the stage below says that it may be tried again."""


@asset(
    group="albums",
    raw=ALBUMS,
    inputs=("album",),
    settings=(LooksSettings, LensSettings),
    reads_attachments=_looks,
    heeds=_heeds,
    outputs=(Output(asset="sights"),),
)
def sights(run: StageRun) -> None:
    """Write the sizes of the images."""
    with run.outputs["sights"].open("sights.txt") as sink:
        for name, digest in sorted(run.attachments.items()):
            with run.raw.open(name) as stream:
                sink.write(f"{name} {digest[:4]} {len(stream.read())}\n".encode())
    run.outputs["sights"].report(rows=len(run.attachments), retry_at=RETRY.get("at"))


@asset(group="albums", raw=ALBUMS, inputs=("sights",), outputs=(Output(asset="after"),))
def after(run: StageRun) -> None:
    """Pass through."""
    run.outputs["after"].alias(run.inputs["sights"])
    run.outputs["after"].report(rows=1)


GRAPH = Graph(stages=(album, sights, after))
LOOKING = {"looks.images": "true"}


def lay(toy: Toy, name: str, content: bytes) -> None:
    write_bytes(open_files(toy.place("raw")), f"albums/{name}", content)


def made(workspace: Workspace, key: str = "a") -> list[Made]:
    return [make(workspace, stage, key) for stage in GRAPH.stages]


def caches(workspace: Workspace) -> list[str]:
    return [item.cache.value for item in made(workspace)]


def text(workspace: Workspace) -> str:
    manifest = made(workspace)[1].manifest
    with workspace.store.artifact(manifest, "sights").open("sights.txt") as stream:
        return stream.read().decode()


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    RETRY.clear()
    toy = Toy(tmp_path)
    lay(toy, "a/a.txt", b"words")
    lay(toy, "a/photos/1.jpg", b"one")
    lay(toy, "a/photos/2.JPG", b"second")
    lay(toy, "a/photos/.hidden.jpg", b"hidden")
    lay(toy, "a/other.bin", b"other")
    return toy


def test_an_attachment_is_no_input_of_a_stage_that_does_not_ask(toy: Toy) -> None:
    workspace = toy.open(graph=GRAPH)
    assert caches(workspace) == ["miss", "miss", "miss"]
    assert text(workspace) == ""
    lay(toy, "a/photos/1.jpg", b"another")
    assert caches(workspace) == ["hit", "hit", "hit"]


def test_a_stage_that_asks_gets_every_attachment_and_its_hash(toy: Toy) -> None:
    found = text(toy.open(LOOKING, graph=GRAPH))
    assert [line.split()[0] for line in found.splitlines()] == [
        "a/photos/1.jpg",
        "a/photos/2.JPG",
    ]
    assert [line.split()[2] for line in found.splitlines()] == ["3", "6"]


def test_a_changed_attachment_makes_again_the_stage_that_asks_and_nothing_else(toy: Toy) -> None:
    workspace = toy.open(LOOKING, graph=GRAPH)
    made(workspace)
    lay(toy, "a/photos/1.jpg", b"larger than before")
    entry = plan(GRAPH, workspace.settings, workspace.list_raw(), workspace.store).entry(
        sights, "a"
    )
    assert entry.reasons == ("an attachment is new, or its size or time has changed",)
    assert caches(workspace) == ["hit", "miss", "miss"]
    assert "18" in text(workspace)


def test_an_attachment_touched_but_the_same_is_a_hit(toy: Toy) -> None:
    workspace = toy.open(LOOKING, graph=GRAPH)
    made(workspace)
    lay(toy, "a/photos/1.jpg", b"one")
    assert caches(workspace) == ["hit", "hit", "hit"]


def test_a_stage_that_asks_gets_nothing_from_outside_of_the_input(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "private.jpg").write_bytes(b"private")
    photos = Path(toy.place("raw")) / "albums/a/photos"
    (photos / "3.jpg").symlink_to(tmp_path / "private.jpg")
    (photos / "4").symlink_to(photos)
    os.mkfifo(photos / "5.jpg")
    found = text(toy.open(LOOKING, graph=GRAPH))
    assert [line.split()[0] for line in found.splitlines()] == [
        "a/photos/1.jpg",
        "a/photos/2.JPG",
    ]


def test_a_single_file_has_no_attachments(toy: Toy) -> None:
    lay(toy, "b.txt", b"alone")
    workspace = toy.open(LOOKING, graph=GRAPH)
    assert made(workspace, "b")[1].manifest.outputs["sights"].rows == 0


def test_an_attachment_that_comes_changes_the_form_that_sensors_see(toy: Toy) -> None:
    workspace = toy.open(graph=GRAPH)
    before = forms_of(workspace.list_raw(), ALBUMS)
    lay(toy, "a/photos/3.jpg", b"third")
    assert forms_of(workspace.list_raw(), ALBUMS) != before


def test_a_section_counts_only_where_it_is_heeded(toy: Toy) -> None:
    assert caches(toy.open(graph=GRAPH)) == ["miss", "miss", "miss"]
    assert caches(toy.open({"lens.width": "2"}, graph=GRAPH)) == ["hit", "hit", "hit"]
    assert caches(toy.open(LOOKING, graph=GRAPH)) == ["hit", "miss", "miss"]
    changed = toy.open({**LOOKING, "lens.width": "2"}, graph=GRAPH)
    assert caches(changed) == ["hit", "miss", "hit"]  # the same bytes: the wave stops


def test_what_could_not_be_had_is_made_again_when_its_time_has_come(toy: Toy) -> None:
    now = dt.datetime.now(dt.UTC)
    workspace = toy.open(LOOKING, graph=GRAPH)
    RETRY["at"] = now + dt.timedelta(hours=1)
    made(workspace)
    assert caches(workspace) == ["hit", "hit", "hit"]
    RETRY["at"] = now - dt.timedelta(seconds=1)
    make(workspace, sights, "a", force=True)
    entry = plan(GRAPH, workspace.settings, workspace.list_raw(), workspace.store).entry(
        sights, "a"
    )
    # It can be used until it is made again.
    assert entry.status is Status.HIT
    assert entry.is_due
    RETRY["at"] = None
    again = make(workspace, sights, "a")
    assert (again.cache.value, again.reasons) == ("miss", (DUE,))
    assert caches(workspace) == ["hit", "hit", "hit"]
