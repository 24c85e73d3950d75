"""Blocks → conversations and the checks of them, through the stages' own files."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.chats import conversation_checks
from resonare_pipeline.chats.blocks import BlocksSettings, make_blocks
from resonare_pipeline.chats.conversations import check_conversations, make_conversations
from resonare_pipeline.chats.rendering import ConversationSettings, ConversationShape
from resonare_pipeline.errors import StageError
from resonare_pipeline.rows import CHATS, MESSAGES
from resonare_pipeline.tokenizers import TokenizerSettings

START = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
TOKENIZER = TokenizerSettings()
CHECKS = ["token_bounds", "roles", "no_empty_turns", "unique_ids"]

Said = tuple[str, str, int]  # who (M is the owner), text, minutes since the start
PAIR: list[Said] = [
    ("M", "hello??", 0),
    ("A", "hey", 1),
    ("A", " how are you?\n", 1),
    ("M", "fine", 2),
    ("A", "great", 500),
    ("M", "is it", 501),
]
GROUP: list[Said] = [("A", "who comes?", 0), ("B", "me", 1), ("M", "me too", 2)]


@dataclass(kw_only=True)
class Made:
    """One chain of stages, from messages to checked conversations."""

    folder: Path
    chats: dict[str, Sequence[Said]]
    order: list[str] = field(default_factory=list)
    blocks_settings: BlocksSettings = field(
        default_factory=lambda: BlocksSettings(min_tokens_per_block=1, max_tokens_per_block=200)
    )
    settings: ConversationSettings = field(default_factory=ConversationSettings)

    def __post_init__(self) -> None:
        self.files = LocalFiles(self.folder)
        self.messages = self._write_messages()
        self.table = self._write_chats()
        draft = self.draft("blocks")
        make_blocks(
            self.messages,
            self.table,
            draft,
            blocks=self.blocks_settings,
            conversations=self.settings,
            tokenizer=TOKENIZER,
        )
        self.blocks = draft.staged()
        self.staged = self.render(self.blocks)

    def draft(self, asset: str) -> OutputDraft:
        return OutputDraft(asset, self.files, asset)

    def _write_messages(self) -> Artifact:
        draft = self.draft("messages")
        with draft.table("messages.parquet", MESSAGES) as out:
            for chat_id, said in sorted(self.chats.items()):
                for number, (who, text, minutes) in enumerate(said, start=1):
                    out.add(
                        {
                            "message_id": f"{chat_id}:{number}",
                            "chat_id": chat_id,
                            "sender_id": f"telegram:{who}",
                            "sender_name": f"Name {who}",
                            "is_owner": who == "M",
                            "sent_at": START + dt.timedelta(minutes=minutes),
                            "text": text,
                        }
                    )
        draft.report(rows=sum(map(len, self.chats.values())))
        return draft.staged()

    def _write_chats(self) -> Artifact:
        draft = self.draft("chats")
        with draft.table("chats.parquet", CHATS) as out:
            for chat_id in self.order or sorted(self.chats):
                people = sorted({who for who, _, _ in self.chats[chat_id]})
                out.add(
                    {
                        "chat_id": chat_id,
                        "name": f"Chat {chat_id}",
                        "kind": "personal_chat",
                        "source": "telegram",
                        "message_count": len(self.chats[chat_id]),
                        "dropped_count": 0,
                        "participants": [
                            {
                                "sender_id": f"telegram:{who}",
                                "name": f"Name {who}",
                                "messages": 1,
                                "is_owner": who == "M",
                            }
                            for who in people
                        ],
                    }
                )
        draft.report(rows=len(self.chats))
        return draft.staged()

    def render(self, blocks: Artifact) -> Artifact:
        draft = self.draft("chat_conversations")
        make_conversations(
            self.messages,
            self.table,
            blocks,
            draft,
            blocks=self.blocks_settings,
            conversations=self.settings,
            tokenizer=TOKENIZER,
        )
        return draft.staged()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.staged.lines("train.jsonl")]

    def processed(self) -> dict[str, Any]:
        with self.staged.open("processed.json") as stream:
            found: dict[str, Any] = json.load(stream)
        return found

    def check(self, content: bytes | None = None) -> dict[str, bool]:
        staged = self.staged
        if content is not None:
            draft = OutputDraft("chat_conversations", self.files, "altered")
            with draft.open("train.jsonl") as stream:
                stream.write(content)
            draft.report(rows=content.count(b"\n"))
            staged = draft.staged()
        entries = check_conversations(
            staged,
            self.blocks,
            blocks=self.blocks_settings,
            conversations=self.settings,
            tokenizer=TOKENIZER,
        )
        assert [entry.name for entry in entries] == CHECKS
        assert {entry.asset for entry in entries} == {"chat_conversations"}
        return {entry.name: entry.passed for entry in entries}


def test_make_conversations_pair_chat_has_prefixed_merged_turns(tmp_path: Path) -> None:
    made = Made(folder=tmp_path, chats={"c": PAIR})
    first, second = made.lines()
    assert first["messages"] == [
        {"role": "user", "content": ">>> hey\n>>> how are you?"},
        {"role": "assistant", "content": ">>> fine"},
    ]
    assert second["messages"][0]["content"] == ">>> great"
    assert list(first) == ["messages", "metadata"]
    metadata = first["metadata"]
    assert metadata["chat_id"] == "c"
    assert metadata["started_at"] == "2024-05-01T12:01:00Z"
    assert metadata["ended_at"] == "2024-05-01T12:02:00Z"
    assert metadata["block_id"] == next(made.blocks.rows("blocks.parquet"))["block_id"]
    assert set(made.check().values()) == {True}


def test_make_conversations_group_names_the_others_only(tmp_path: Path) -> None:
    made = Made(folder=tmp_path, chats={"c": GROUP})
    assert made.lines()[0]["messages"] == [
        {"role": "user", "content": ">>> Name A: who comes?\n>>> Name B: me"},
        {"role": "assistant", "content": ">>> me too"},
    ]
    assert set(made.check().values()) == {True}


def test_make_conversations_as_is_keeps_the_chats_own_order_and_ends(tmp_path: Path) -> None:
    settings = ConversationSettings(
        conversation_shape=ConversationShape.AS_IS, system_prompt="You are M.", persona="Name M"
    )
    made = Made(folder=tmp_path, chats={"c": PAIR}, settings=settings)
    roles = [turn["role"] for turn in made.lines()[0]["messages"]]
    assert roles == ["system", "assistant", "user", "assistant"]
    assert set(made.check().values()) == {True}


def test_make_conversations_without_metadata_has_messages_alone(tmp_path: Path) -> None:
    settings = ConversationSettings(include_metadata=False)
    made = Made(folder=tmp_path, chats={"c": PAIR}, settings=settings)
    assert all(list(line) == ["messages"] for line in made.lines())
    assert set(made.check().values()) == {True}


def test_make_conversations_pieces_of_a_message_stand_in_order(tmp_path: Path) -> None:
    words = " ".join(f"word{number}." for number in range(300))
    bounds = BlocksSettings(min_tokens_per_block=1, max_tokens_per_block=120)
    settings = ConversationSettings(conversation_shape=ConversationShape.AS_IS, message_prefix="> ")
    chats: dict[str, Sequence[Said]] = {"c": [("M", words, 0)]}
    made = Made(folder=tmp_path, chats=chats, blocks_settings=bounds, settings=settings)
    lines = made.lines()
    assert len(lines) > 5
    text = " ".join(line["messages"][0]["content"].replace("\n> ", " ")[2:] for line in lines)
    assert text == words
    assert set(made.check().values()) == {True}


def test_make_conversations_ids_do_not_depend_on_other_chats(tmp_path: Path) -> None:
    alone = Made(folder=tmp_path / "1", chats={"d": PAIR})
    beside = Made(folder=tmp_path / "2", chats={"c": PAIR, "d": PAIR})
    assert beside.lines()[2:] == alone.lines()
    ids = [line["metadata"]["example_id"] for line in beside.lines()]
    assert len(set(ids)) == 4


@pytest.mark.parametrize("order", [["c", "d", "e"], ["e", "d", "c"]])
def test_processed_json_holds_settings_and_every_chat(tmp_path: Path, order: list[str]) -> None:
    chats: dict[str, Sequence[Said]] = {"c": PAIR, "d": [("A", "anyone?", 0)], "e": GROUP}
    made = Made(folder=tmp_path, chats=chats, order=order)
    processed = made.processed()
    assert processed["settings"]["chat_conversations"]["persona"] == "owner"
    assert set(processed["settings"]) == {"blocks", "chat_conversations", "tokenizer"}
    by_id = {chat["chat_id"]: chat for chat in processed["chats"]}
    assert sorted(by_id) == ["c", "d", "e"]
    assert by_id["d"]["blocks"] == []
    assert by_id["c"]["name"] == "Chat c"
    assert [person["name"] for person in by_id["e"]["participants"]] == [
        "Name A",
        "Name B",
        "Name M",
    ]
    first = by_id["c"]["blocks"][0]
    assert first["message_ids"] == ["c:2", "c:3", "c:4"]
    rows = list(made.blocks.rows("blocks.parquet"))
    assert first["token_count"] == rows[0]["token_count"]
    assert sum(len(chat["blocks"]) for chat in processed["chats"]) == len(rows)


def test_processed_json_is_no_part_of_the_digest(tmp_path: Path) -> None:
    made = Made(folder=tmp_path, chats={"c": PAIR})
    auxiliary = {file.name: file.auxiliary for file in made.staged.entry.files}
    assert auxiliary == {"train.jsonl": False, "processed.json": True}


def test_processed_json_no_chats_is_valid(tmp_path: Path) -> None:
    made = Made(folder=tmp_path, chats={})
    assert made.processed()["chats"] == []
    assert made.lines() == []
    assert set(made.check().values()) == {True}


def test_make_conversations_blocks_of_other_messages_are_refused(tmp_path: Path) -> None:
    made = Made(folder=tmp_path / "1", chats={"c": PAIR})
    other = Made(folder=tmp_path / "2", chats={"c": PAIR[:2]})
    with pytest.raises(StageError, match="c:3"):
        other.render(made.blocks)


ALTERED: list[tuple[str, str, str]] = [
    ("token_bounds", ">>> fine", ">>> fine fine"),
    ("roles", '"role":"assistant"', '"role":"user"'),
    ("no_empty_turns", '">>> fine"', '" "'),
    ("unique_ids", '"block_id":"c:2', '"block_id":"c:3'),
]


@pytest.mark.parametrize(("name", "before", "after"), ALTERED)
def test_check_conversations_altered_line_fails_its_check(
    tmp_path: Path, name: str, before: str, after: str
) -> None:
    made = Made(folder=tmp_path, chats={"c": PAIR})
    content = b"".join(line + b"\n" for line in made.staged.lines("train.jsonl"))
    altered = content.replace(before.encode(), after.encode(), 1)
    assert altered != content
    assert not made.check(altered)[name]


def test_check_conversations_many_are_sampled_and_an_altered_sample_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_checks, "FEW", 1)
    made = Made(folder=tmp_path, chats={"c": PAIR, "d": PAIR})
    assert set(made.check().values()) == {True}
    first, *others = made.staged.lines("train.jsonl")
    altered = [first.replace(b">>> fine", b">>> fine fine"), *others]
    assert not made.check(b"".join(line + b"\n" for line in altered))["token_bounds"]


def test_check_conversations_missing_line_fails(tmp_path: Path) -> None:
    made = Made(folder=tmp_path, chats={"c": PAIR})
    first = next(made.staged.lines("train.jsonl")) + b"\n"
    assert not made.check(first)["unique_ids"]


def test_check_conversations_other_bounds_fail(tmp_path: Path) -> None:
    made = Made(folder=tmp_path, chats={"c": PAIR})
    made.blocks_settings = BlocksSettings(min_tokens_per_block=150, max_tokens_per_block=200)
    assert not made.check()["token_bounds"]
