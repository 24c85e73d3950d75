"""The stages of books, made by the planner."""

import json
from pathlib import Path
from typing import Any

import pytest

from assets.graph import GRAPH
from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.books.chapters import Chapters, make_chapters
from resonare_pipeline.errors import CheckFailedError, InputError, SettingsError
from resonare_pipeline.planning.made import Made
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import Workspace, open_workspace
from resonare_pipeline.settings import Places
from tests.books.making import epub

STAGES = [stage for stage in GRAPH.stages if stage.group == "books"]
CONTENTS = "<li><a href='a.xhtml'>One</a></li><li><a href='b.xhtml'>Two</a></li>"


class Project:
    """A project whose raw input is books."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.raw = folder / "raw" / "books"
        self.raw.mkdir(parents=True)

    def put(self, content: bytes, name: str = "text.epub") -> None:
        (self.raw / name).write_bytes(content)

    def open(self, **overrides: str) -> Workspace:
        places = Places(
            raw=str(self.folder / "raw"),
            store=str(self.folder / "store"),
            output=str(self.folder / "output"),
        )
        named = {name.replace("__", "."): value for name, value in overrides.items()}
        return open_workspace(GRAPH, overrides=named, places=places, folder=self.folder)

    def make(self, key: str = "text", **overrides: str) -> dict[str, Made]:
        workspace = self.open(**overrides)
        return {stage.name: make(workspace, stage, key) for stage in STAGES}

    def artifact(self, made: Made, asset: str) -> Artifact:
        return self.open().store.artifact(made.manifest, asset)

    def laid(self, key: str = "text") -> Path:
        return self.folder / "output" / "books" / key


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def book(**bodies: str) -> bytes:
    found = {
        "a": "<h1>One</h1><p>x<a epub:type='noteref' href='#n'>1</a></p><h2>A</h2><p>y</p>"
        "<aside id='n'>N.</aside>",
        "b": "<h1>Two</h1><p>10<sup>-3</sup></p>",
    } | bodies
    documents = {f"{name}.xhtml": body for name, body in found.items()}
    return epub({**documents, "c.xhtml": "<img src='x.png' alt=''/>"}, contents=CONTENTS)


def test_a_book_becomes_rows_and_a_document_a_chapter(project: Project) -> None:
    project.put(book())
    made = project.make()
    rows = list(project.artifact(made["chapters"], "chapters").rows("chapters.parquet"))
    assert [(row["book"], row["path"]) for row in rows] == [
        ("text", ["One"]),
        ("text", ["One", "A"]),
        ("text", ["Two"]),
    ]
    files = sorted(path.name for path in (project.laid() / "chapters").iterdir())
    assert files == ["001-one.json", "002-two.json"]
    first: dict[str, Any] = json.loads((project.laid() / "chapters" / files[0]).read_bytes())
    assert (first["book"], first["title"], first["kind"]) == ("A Book", "One", "body")
    assert [topic["text"] for topic in first["topics"]] == [
        "# One\n\nx[^1]\n\n[^1]: N.",
        "## A\n\ny",
    ]


def test_what_a_book_is_and_what_was_left_out_is_told(project: Project) -> None:
    project.put(book())
    made = project.make()
    entry = made["chapters"].manifest.outputs["chapters"]
    assert entry.dropped == {"image_of_a_page": 1}
    assert entry.metadata["chapters"] == 2
    contents = (project.laid() / "contents.md").read_text()
    assert "- One (" in contents
    assert "  - A (" in contents
    assert "- OPS/c.xhtml: image_of_a_page" in contents
    assert {check.passed for check in made["chapters"].manifest.checks} == {True}


def test_a_second_making_is_all_hits_and_a_note_of_metadata_changes_no_chapter(
    project: Project,
) -> None:
    project.put(book())
    before = project.make()
    assert {made.cache.value for made in project.make().values()} == {"hit"}
    project.put(book() + b"")
    assert {made.cache.value for made in project.make().values()} == {"hit"}
    project.put(book(b="<h1>Two</h1><p>other</p>"))
    after = project.make()
    assert after["chapters"].manifest.fingerprint != before["chapters"].manifest.fingerprint


def test_a_setting_decides_how_deep_topics_go(project: Project) -> None:
    project.put(book())
    made = project.make(chapters__topic_levels="1")
    assert made["chapters"].manifest.outputs["chapters"].rows == 2


def test_a_book_that_cannot_be_read_leaves_the_others(project: Project) -> None:
    project.put(book())
    project.put(b"no book", "bad.epub")
    with pytest.raises(InputError, match="no ZIP archive"):
        project.make("bad")
    assert project.make()["chapters"].manifest.outputs["chapters"].rows == 3


def test_a_folder_is_a_book_if_it_holds_one(project: Project) -> None:
    (project.raw / "shelf").mkdir()
    (project.raw / "shelf" / "a.epub").write_bytes(book())
    assert project.make("shelf")["chapters"].manifest.outputs["chapters"].rows == 3
    (project.raw / "shelf" / "b.epub").write_bytes(book())
    with pytest.raises(InputError, match="2 books"):
        project.make("shelf")


SCAN = "<div><img src='x.png' alt='Page {}'/></div>"


def test_a_book_of_images_of_pages_is_refused(project: Project) -> None:
    scans = {f"p{number}.xhtml": SCAN.format(number) for number in range(9)}
    project.put(epub({"a.xhtml": "<h1>A Book</h1><p>scanned by a library</p>", **scans}))
    with pytest.raises(InputError, match=r"9 of its 10 pages are images.* hold 6 words.*OCR"):
        project.make()
    project.put(epub(scans))
    with pytest.raises(InputError, match="9 of its 9 pages are images"):
        project.make()
    project.put(epub({"a.xhtml": "<div/>"}))
    with pytest.raises(InputError, match="no text in its 1 documents"):
        project.make()


def test_images_of_pages_in_a_book_of_text_are_left_out_and_listed(project: Project) -> None:
    text = f"<h1>One</h1><p>{'word ' * 120}</p>"
    described = (
        "<img src='y.png' alt='A graph of temperature against time that rises and then falls"
    )
    pages = {"cover.xhtml": SCAN, "a.xhtml": text, "p.xhtml": SCAN, "d.xhtml": f"{described}'/>"}
    project.put(epub(pages))
    made = project.make()["chapters"]
    assert made.manifest.outputs["chapters"].dropped == {"image_of_a_page": 2}
    assert "- OPS/p.xhtml: image" in (project.laid() / "contents.md").read_text()
    rows = list(project.artifact(made, "chapters").rows("chapters.parquet"))
    assert [row["title"] for row in rows] == ["One"]
    assert rows[0]["text"].endswith("rises and then falls](y.png)")


def test_rows_have_the_same_bytes_each_time(project: Project, tmp_path: Path) -> None:
    project.put(book())
    other = Project(tmp_path / "other")
    other.put(book())
    digests = [
        each.make()["chapters"].manifest.outputs["chapters"].digest for each in (project, other)
    ]
    assert digests[0] == digests[1]
    assert LocalFiles(other.laid()).stat("chapters/001-one.json")


def test_clean_chapters_are_mended_counted_and_shown(project: Project) -> None:
    code = "<pre>eﬃcient  code</pre>"
    project.put(book(b=f"<h1>Two</h1><p>an eﬃcient way -- so</p>{code}"))
    made = project.make()["clean_chapters"]
    artifact = project.artifact(made, "clean_chapters")
    rows = list(artifact.rows("chapters.parquet"))
    assert rows[-1]["text"] == "# Two\n\nan efficient way — so\n\n```\neﬃcient  code\n```"
    assert rows[-1]["end"] - rows[-1]["start"] == len(rows[-1]["text"])
    changes = artifact.entry.metadata["changes"]
    assert (changes["ligatures"], changes["dashes"], changes["units"]) == (1, 1, 0)
    page = (project.laid() / "cleaning.md").read_text()
    assert "| `Two an eﬃcient way -- so` | `Two an efficient way -- so` |" in page
    assert (project.laid() / "clean_chapters" / "002-two.json").exists()
    assert {check.passed for check in made.manifest.checks} == {True}


def test_titles_are_cleaned_with_their_texts_and_paths_agree(project: Project) -> None:
    inner = "<ol><li><a href='b.xhtml'>A ﬁne Way</a></li></ol>"
    contents = f"<li><a href='a.xhtml'>Eﬃcient  Ways</a>{inner}</li>"
    bodies = {"a.xhtml": "<h1>Eﬃcient Ways</h1><p>x</p>", "b.xhtml": "<h2>A ﬁne Way</h2><p>y</p>"}
    project.put(epub(bodies, contents=contents))
    made = project.make()["clean_chapters"]
    rows = list(project.artifact(made, "clean_chapters").rows("chapters.parquet"))
    assert [row["path"] for row in rows] == [["Efficient Ways"], ["Efficient Ways", "A fine Way"]]
    assert [row["title"] for row in rows] == [row["path"][-1] for row in rows]
    assert [row["text"].split("\n")[0].lstrip("# ") for row in rows] == [r["title"] for r in rows]
    document = json.loads((project.laid() / "clean_chapters/001-efficient-ways.json").read_bytes())
    assert (document["title"], document["topics"][1]["title"]) == ("Efficient Ways", "A fine Way")


def test_a_rule_that_is_switched_off_changes_nothing(project: Project) -> None:
    project.put(book(b="<h1>Two</h1><p>an eﬃcient way -- so</p>"))
    made = project.make(clean_chapters__off="ligatures")["clean_chapters"]
    rows = list(project.artifact(made, "clean_chapters").rows("chapters.parquet"))
    assert rows[-1]["text"] == "# Two\n\nan eﬃcient way — so"
    with pytest.raises(SettingsError, match="no rule is named ligature"):
        project.make(clean_chapters__off="ligature")


def test_a_book_whose_words_are_not_kept_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*arguments: Any, **named: Any) -> Chapters:
        made = make_chapters(*arguments, **named)
        made.rows[0]["text"] = made.rows[0]["text"][: len(made.rows[0]["text"]) // 2]
        return made

    monkeypatch.setattr("resonare_pipeline.books.making.make_chapters", cut)
    project.put(book(a="<h1>One</h1><p>" + "some words of it " * 50 + "</p>"))
    with pytest.raises(CheckFailedError, match="words_kept"):
        project.make()
    assert not (project.laid() / "contents.md").exists()
