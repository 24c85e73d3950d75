import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from assets import chats, style
from assets.chats import CHAT_EXPORTS
from assets.datasets import dataset
from assets.graph import GRAPH
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import open_workspace
from tests.cli.command import Resonare

SAMPLES = Path(__file__).parents[2] / "data" / "sample" / "chats"
STAGES = ["chat_conversations", "blocks", "enriched_messages", "chat_tables", "chat_export"]


def make_all(project: Path, **settings: str) -> None:
    workspace = open_workspace(GRAPH, folder=project, overrides=settings)
    for key in workspace.list_raw().keys(CHAT_EXPORTS):
        for stage in chats.STAGES:
            make(workspace, stage, key)
    make(workspace, dataset, None)


def rows(project: Path, partition: str) -> list[dict[str, Any]]:
    lines = (project / "data/output/chats" / partition / "train.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def example_id(project: Path) -> str:
    """The only example of the export `friends`."""
    make_all(project)
    [row] = rows(project, "friends")
    found: str = row["metadata"]["example_id"]
    return found


def test_a_row_leads_back_to_the_very_messages_of_the_export(
    project: Path, resonare: Resonare, example_id: str
) -> None:
    found = resonare("trace", example_id, "--json").json

    export = json.loads((project / "data/raw/chats/friends.json").read_text())
    by_id = {str(message["id"]): message for message in export["messages"]}
    source = found["source"]
    assert found["row"]["values"] == rows(project, "friends")[0]
    assert len(source["source_ids"]) > 2
    assert [by_id[number]["text"] for number in source["source_ids"]] == [
        message["text"] for message in source["messages"]
    ]
    said = "".join(turn["content"] for turn in found["row"]["values"]["messages"])
    assert all(message["text"] in said for message in source["messages"])
    assert source["chat"]["name"] == export["name"]
    [file] = source["files"]
    assert (file["place"], file["is_same"]) == (
        str(project / "data/raw/chats/friends.json"),
        True,
    )


def test_every_stage_on_the_way_is_told_with_its_fingerprint_and_settings(
    project: Path, resonare: Resonare, example_id: str
) -> None:
    steps = resonare("trace", example_id, "--json").json["steps"]

    assert [step["stage"] for step in steps] == ["dataset", *STAGES]
    for step in steps:
        folder = step["partition"] or "_"
        home = project / "data/artifacts/stages" / step["stage"] / folder / step["fingerprint"]
        manifest = json.loads((home / "manifest.json").read_text())
        assert manifest["ingredients"] == step["ingredients"]
        assert step["current"]
    assert steps[2]["changed"] == {"blocks.min_tokens_per_block": 8}
    assert len(steps[1]["checks"]) == 4


def test_a_row_of_the_dataset_leads_to_its_source_and_shows_what_was_redacted(
    project: Path, resonare: Resonare, example_id: str
) -> None:
    found = resonare("trace", example_id, "--json").json

    row = found["dataset"]
    table = pq.read_table(project / "data/output/dataset" / row["file"]).to_pylist()
    own_id = row["values"]["example_id"]
    assert table[row["number"]]["example_id"] == own_id != example_id
    assert resonare("trace", own_id, "--json").json == found | {"example_id": example_id}
    assert table[row["number"]]["messages"] == row["values"]["messages"]
    assert found["row"]["partition"] == "friends"
    shown = resonare("trace", example_id).out
    assert "redaction changed" in shown
    assert "Alice!" in shown.split("→")[0]
    assert "[PERSON_" in shown.split("→")[1]


def test_of_a_dataset_whose_source_was_pruned_the_row_itself_is_shown(
    project: Path, resonare: Resonare, example_id: str
) -> None:
    own_id = resonare("trace", example_id, "--json").json["dataset"]["values"]["example_id"]
    shutil.rmtree(project / "data/artifacts/stages/chat_conversations")

    outcome = resonare("trace", own_id)

    assert outcome.code == 0
    assert "the chat_conversations that it was made from is no longer in the store" in outcome.out


def test_the_tree_shows_texts_places_and_settings(
    project: Path, resonare: Resonare, example_id: str
) -> None:
    shown = resonare("trace", example_id[:5]).out

    for words in (
        example_id,
        "Hi Alice! I'm doing great",
        str(project / "data/raw/chats/friends.json"),
        "as it was read",
        "blocks.min_tokens_per_block = 8",
        "4 of 4 checks passed",
        "current",
    ):
        assert words in shown


def test_a_row_of_an_old_artifact_is_traced_and_said_to_be_old(
    project: Path, resonare: Resonare, example_id: str
) -> None:
    with (project / "resonare.toml").open("a") as stream:
        stream.write('\n[chat_conversations]\nmessage_prefix = "- "\n')
    make_all(project)

    outcome = resonare("trace", example_id)

    assert outcome.code == 0
    assert "old: another one is current" in outcome.out
    assert "Hi Alice! I'm doing great" in outcome.out


def test_what_was_pruned_on_the_way_is_named(
    project: Path, resonare: Resonare, example_id: str
) -> None:
    shutil.rmtree(project / "data/artifacts/stages/blocks/friends")

    outcome = resonare("trace", example_id)

    assert outcome.code == 0
    assert "blocks of friends is no longer in the store" in outcome.out
    assert "resonare run" in outcome.out


def test_an_export_that_changed_or_is_gone_is_said(
    project: Path, resonare: Resonare, example_id: str
) -> None:
    raw = project / "data/raw/chats/friends.json"
    raw.write_text(raw.read_text() + " ")
    assert "touched since it was read" in resonare("trace", example_id).out

    raw.unlink()
    outcome = resonare("trace", example_id)
    assert "friends.json: gone" in outcome.out
    assert "the raw input is gone" in outcome.out


def test_of_several_files_the_one_that_holds_the_messages_is_named(
    project: Path, resonare: Resonare
) -> None:
    raw = project / "data/raw/chats"
    folder = raw / "two"
    folder.mkdir()
    (raw / "friends.json").rename(folder / "result.json")
    other = json.loads((folder / "result.json").read_text()) | {"id": 99}
    for message in other["messages"]:
        message["id"] += 5000
    (folder / "result2.json").write_text(json.dumps(other))
    make_all(project)

    files = {}
    for row in rows(project, "two"):
        example = row["metadata"]["example_id"]
        [file] = resonare("trace", example, "--json").json["source"]["files"]
        files[row["metadata"]["chat_id"]] = Path(file["place"]).name
    assert files == {"telegram:user123456789": "result.json", "telegram:user99": "result2.json"}


def test_of_one_example_in_two_exports_both_are_told(
    project: Path, resonare: Resonare, example_id: str
) -> None:
    raw = project / "data/raw/chats"
    shutil.copy(raw / "friends.json", raw / "again.json")
    make_all(project)

    first = resonare("trace", example_id, "--json").json
    assert first["row"]["partition"] == "again"
    assert "stands in friends as well" in first["notes"][0]
    other = resonare("trace", example_id, "-p", "friends", "--json").json
    assert other["row"]["partition"] == "friends"
    assert other["notes"] == []


def test_a_style_example_that_stands_in_two_files_of_its_export_is_told_once(
    project: Path, resonare: Resonare
) -> None:
    shutil.copy(SAMPLES / "maya.json", project / "data/raw/chats")
    workspace = open_workspace(GRAPH, folder=project)
    for stage in (*chats.STAGES, *style.STAGES):
        make(workspace, stage, "maya")
    folder = project / "data/output/style/maya"
    for name in ("examples.jsonl", "train.jsonl"):
        line = (folder / name).read_text().splitlines()[0]
        found = resonare("trace", json.loads(line)["metadata"]["example_id"], "--json").json
        assert (found["row"]["asset"], found["row"]["number"]) == ("style_examples", 0)
        assert found["notes"] == []


def test_an_id_of_nothing_and_one_of_several_are_errors(
    project: Path, resonare: Resonare, example_id: str
) -> None:
    unknown = resonare("trace", "no such id")
    several = resonare("trace", "")

    elsewhere = resonare("trace", example_id, "-p", "group")

    assert (unknown.code, several.code, elsewhere.code) == (2, 2, 2)
    assert "in any artifact of group" in elsewhere.err
    assert "no row with the id 'no such id'" in unknown.err
    assert len(rows(project, "group")) > 0
    assert example_id in several.err
