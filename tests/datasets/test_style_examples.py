"""Examples of style in the dataset: only where they are asked for, by the rules for all rows."""

from assets.graph import GRAPH
from resonare_pipeline.planning.made import Made
from resonare_pipeline.planning.making import make
from tests.datasets.exports import DATASET, DatasetProject, many

SHORT = {"conversation_windows__min_window_messages": "2"}


def make_all(project: DatasetProject) -> Made:
    workspace = project.fill(**SHORT)
    for stage in GRAPH.stages:
        if stage.group == "style" and stage.raw is not None:
            for key in workspace.list_raw().keys(stage.raw):
                make(workspace, stage, key)
    return make(workspace, DATASET, None)


def ask_for_style(project: DatasetProject, key: str) -> None:
    (project.folder / "resonare.toml").write_text(
        f'[partition."chats/{key}".mixture]\nstyle_examples = true\n', encoding="utf-8"
    )


def test_style_goes_into_the_dataset_of_the_exports_that_ask_for_it(
    project: DatasetProject,
) -> None:
    project.write("a", many(12))
    project.write("b", many(4, first=300))
    ask_for_style(project, "a")
    make_all(project)
    sources = project.summary().sources
    assert {name: source.asset for name, source in sources.items()} == {
        "chats/a": "chat_conversations",
        "chats/b": "chat_conversations",
        "style/a": "style_examples",
    }
    assert sources["style/a"].examples == 36
    assert sources["chats/a"].examples == 36


def test_style_is_redacted_and_shares_the_split_of_its_chat(project: DatasetProject) -> None:
    project.write("a", many(30))
    ask_for_style(project, "a")
    make_all(project)
    rows = project.all_rows()
    assert {row["source"] for row in rows} == {"chats", "style"}
    splits: dict[str, set[str]] = {}
    for split in project.summary().splits:
        for row in project.rows(split):
            splits.setdefault(row["root_id"], set()).add(split)
    assert len(splits) == 30
    assert set(map(len, splits.values())) == {1}
    assert "Surname" not in str(rows)
    excerpts = [row for row in rows if row["source"] == "style"]
    assert {tuple(turn["role"] for turn in row["messages"]) for row in excerpts} == {
        ("system", "user", "assistant")
    }


def test_dataset_that_asks_for_no_style_waits_for_none(project: DatasetProject) -> None:
    project.write("a", many(12))
    made = project.make(**SHORT)
    assert project.summary().sources.keys() == {"chats/a"}
    assert make_all(project).manifest.fingerprint == made.manifest.fingerprint
