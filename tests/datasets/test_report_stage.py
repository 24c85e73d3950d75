from bs4 import BeautifulSoup

from assets.graph import GRAPH
from resonare_pipeline.artifacts.reading import first_rows
from resonare_pipeline.planning.made import Cache, Made
from resonare_pipeline.planning.making import make
from tests.datasets.exports import DatasetProject, many

REPORT = GRAPH.makers["dataset_report"]


def made_report(project: DatasetProject, **settings: str) -> tuple[Made, BeautifulSoup]:
    """Make the report and all that it needs; return what came of it, and the page people get."""
    project.make(**settings)
    made = make(project.open(**settings), REPORT, None)
    return made, BeautifulSoup((project.output / "report.html").read_bytes(), "html.parser")


def text_of(page: BeautifulSoup, selector: str) -> str:
    return " ".join(page.select(selector)[0].get_text(" ").split())


def test_report_of_real_exports_is_laid_beside_the_dataset(project: DatasetProject) -> None:
    project.write("alice", many(8))
    made, page = made_report(project)
    summary = project.summary()
    assert made.cache is Cache.MISS
    assert f"{summary.examples} examples with {summary.tokens:,} tokens" in text_of(page, ".lede")
    assert "alice" in text_of(page, "#sources")
    assert "first version" in text_of(page, "#changes")
    assert "entries in the exports 48 messages read 48" in text_of(page, "#left-out .funnel")
    assert page.select(".sample .trace code")
    assert (project.output / "summary.json").exists()


def test_report_is_a_hit_until_something_that_it_shows_changes(project: DatasetProject) -> None:
    project.write("alice", many(8))
    made_report(project)
    assert made_report(project)[0].cache is Cache.HIT
    made, page = made_report(project, dataset_report__samples_per_split="1")
    assert made.cache is Cache.MISS
    assert len(page.select(".sample")) == len(project.summary().splits)


def test_report_after_more_was_exported_tells_what_is_new(project: DatasetProject) -> None:
    project.write("alice", many(8))
    made_report(project)
    before = project.summary()
    project.write("bo", many(4, first=300))
    _, page = made_report(project)
    added = project.summary().examples - before.examples
    changes = text_of(page, "#changes .legend")
    assert added > 0
    assert f"{before.examples} kept" in changes
    assert f"{added} added" in changes
    assert "0 removed" in changes


def test_report_leaves_out_the_messages_of_sources_that_are_not_included(
    project: DatasetProject,
) -> None:
    project.write("alice", many(8))
    project.write("bo", many(4, first=300))
    _, page = made_report(project)
    assert "messages read 72" in text_of(page, "#left-out .funnel")
    (project.folder / "resonare.toml").write_text('[partition."chats/bo".mixture]\ninclude = false')
    _, page = made_report(project)
    assert "messages read 48" in text_of(page, "#left-out .funnel")
    assert "chats/bo" not in text_of(page, "#sources")


def test_rows_of_a_report_are_its_file(project: DatasetProject) -> None:
    project.write("alice", many(8))
    made, _ = made_report(project)
    artifact = project.open().store.artifact(made.manifest, "dataset_report")
    [row] = first_rows(artifact, 5)
    assert row["file"] == "report.html"
    assert row["bytes"] == artifact.file("report.html").size
    assert str(row["place"]).endswith("/report.html")
