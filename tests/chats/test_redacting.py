"""Redacted deliverables of one export, through the whole graph of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from assets.graph import GRAPH
from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import open_workspace
from resonare_pipeline.settings import Places

MAYA, JONAS, OWNER = ("user7", "Maya Smith"), ("user8", "Jonas Weber"), ("user1", "Olga Petrova")
SAID = [
    (OWNER, "hi Maya, is Jonas' number +1 202 555 0143?"),
    (MAYA, "yes Olga! or jonas@example.com"),
    (JONAS, "Maya Smith told you all my secrets, password: hunter2"),
    (OWNER, "thanks Jonas"),
]
NAMES = ("Maya", "Smith", "Jonas", "Weber", "Olga", "Petrova", "Somebody")


def export() -> dict[str, Any]:
    messages = [
        {
            "id": number,
            "type": "message",
            "date": f"2024-05-01T12:0{number}:00",
            "date_unixtime": str(1_714_557_600 + number * 60),
            "from": name,
            "from_id": user,
            "text": text,
            "text_entities": [{"type": "plain", "text": text}],
        }
        for number, ((user, name), text) in enumerate(SAID)
    ]
    messages[2]["forwarded_from"] = "Somebody Else"
    head = {"name": "Maya, Jonas & Olga", "type": "private_group", "id": 5}
    return {
        "personal_information": {"user_id": 1, "first_name": "Olga", "phone_number": ""},
        "chats": {"about": "", "list": [head | {"messages": messages}]},
    }


class Project:
    """One export and the settings it is made with."""

    def __init__(self, folder: Path) -> None:
        raw = folder / "raw" / "chats"
        raw.mkdir(parents=True)
        (raw / "friends.json").write_text(json.dumps(export()), encoding="utf-8")
        self.folder = folder
        self.places = Places(
            raw=str(folder / "raw"), store=str(folder / "s"), output=str(folder / "o")
        )

    def made(self, **overrides: str) -> dict[str, Artifact]:
        common = {"blocks.min_tokens_per_block": "1", "messages.owner": "telegram:user1"}
        named = {name.replace("__", "."): value for name, value in overrides.items()}
        workspace = open_workspace(
            GRAPH, places=self.places, folder=self.folder, overrides=common | named
        )
        found: dict[str, Artifact] = {}
        for stage in (stage for stage in GRAPH.stages if stage.group == "chats"):
            manifest = make(workspace, stage, "friends").manifest
            for asset in stage.assets:
                found[asset] = workspace.store.artifact(manifest, asset)
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def contents(artifact: Artifact) -> str:
    """Return all text that an artifact's readable files hold."""
    names = [f.name for f in artifact.entry.files if f.name.endswith((".json", ".jsonl", ".md"))]
    assert names
    return "\n".join(line.decode() for name in names for line in artifact.lines(name))


def test_redact_off_is_an_alias_whatever_privacy_says(project: Project) -> None:
    plain = project.made()["enriched_messages"]
    assert plain.entry.alias_of == "messages"
    assert project.made(privacy__people="keep")["enriched_messages"].digest == plain.digest


def test_redact_on_leaves_no_name_and_no_item_in_any_deliverable(project: Project) -> None:
    made = project.made(enriched_messages__redact="true")
    for asset in ("chat_conversations", "chat_statistics", "enriched_messages"):
        text = contents(made[asset])
        assert [word for word in (*NAMES, "202 555", "@example", "hunter2") if word in text] == []


def test_redact_on_replaces_texts_and_senders_by_consistent_labels(project: Project) -> None:
    enriched = project.made(enriched_messages__redact="true")["enriched_messages"]
    rows = list(enriched.rows("messages.parquet"))
    assert [(row["sender_name"], row["text"]) for row in rows] == [
        ("[PERSON_1]", "hi [PERSON_2], is [PERSON_3]' number [PHONE]?"),
        ("[PERSON_2]", "yes [PERSON_1]! or [EMAIL]"),
        ("[PERSON_3]", "[PERSON_2] told you all my secrets, password: [SECRET]"),
        ("[PERSON_1]", "thanks [PERSON_3]"),
    ]
    assert [row["forwarded_from"] for row in rows] == [None, None, "[PERSON]", None]
    assert {row["entities"] is None and row["media_path"] is None for row in rows} == {True}
    assert enriched.entry.metadata["redacted_person"] == 5


def test_redact_on_with_pseudonyms_labels_lines_of_groups_by_them(project: Project) -> None:
    made = project.made(enriched_messages__redact="true", privacy__people="pseudonym")
    (line,) = made["chat_conversations"].lines("train.jsonl")
    user = json.loads(line)["messages"][0]
    senders = [row["sender_name"] for row in made["enriched_messages"].rows("messages.parquet")]
    assert len(set(senders)) == 3
    assert f">>> {senders[1]}: yes {senders[0]}! or [EMAIL]" in user["content"]


def test_redact_on_persona_is_chosen_by_real_name_and_shown_without(project: Project) -> None:
    made = project.made(enriched_messages__redact="true", chat_conversations__persona="Maya Smith")[
        "chat_conversations"
    ]
    (line,) = made.lines("train.jsonl")
    turns = json.loads(line)["messages"]
    assert turns[-1] == {"role": "assistant", "content": ">>> yes [PERSON_1]! or [EMAIL]"}
    assert "Maya" not in contents(made)


def test_redact_on_keeps_token_bounds_of_what_is_written(project: Project) -> None:
    made = project.made(enriched_messages__redact="true", blocks__max_tokens_per_block="60")[
        "blocks"
    ]
    counts = [row["token_count"] for row in made.rows("blocks.parquet")]
    assert counts
    assert max(counts) <= 60
