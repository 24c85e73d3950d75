"""Messages → blocks, through the stage's own files."""

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.chats.blocks import BlocksSettings, make_blocks
from resonare_pipeline.chats.rendering import ConversationSettings, ConversationShape
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.rows import CHATS, MESSAGES
from resonare_pipeline.tokenizers import TokenizerSettings, load_tokenizer

START = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
SMALL = BlocksSettings(min_tokens_per_block=1, max_tokens_per_block=200)

Said = tuple[str, str, dt.timedelta]  # who (M is the owner), text, time since the start


class Bench:
    """Writes chats and cuts them."""

    def __init__(self, folder: Path) -> None:
        self.files = LocalFiles(folder)
        self.made = 0

    def draft(self, asset: str) -> OutputDraft:
        self.made += 1
        return OutputDraft(asset, self.files, f"{self.made}")

    def write(self, chats: Mapping[str, Sequence[Said]]) -> tuple[Artifact, Artifact]:
        messages, table = self.draft("messages"), self.draft("chats")
        count = 0
        with messages.table("messages.parquet", MESSAGES) as out:
            for chat_id, said in sorted(chats.items()):
                for number, (who, text, since) in enumerate(said, start=1):
                    out.add(
                        {
                            "message_id": f"{chat_id}:{number}",
                            "chat_id": chat_id,
                            "sender_id": f"telegram:{who}",
                            "sender_name": who,
                            "is_owner": who == "M",
                            "sent_at": START + since,
                            "text": text,
                        }
                    )
                    count += 1
        messages.report(rows=count)
        with table.table("chats.parquet", CHATS) as out:
            for chat_id, said in sorted(chats.items()):
                people = sorted({who for who, _, _ in said})
                out.add(
                    {
                        "chat_id": chat_id,
                        "source": "telegram",
                        "message_count": len(said),
                        "dropped_count": 0,
                        "participants": [
                            {
                                "sender_id": f"telegram:{who}",
                                "name": who,
                                "messages": 1,
                                "is_owner": who == "M",
                            }
                            for who in people
                        ],
                    }
                )
        table.report(rows=len(chats))
        return messages.staged(), table.staged()

    def cut(
        self,
        chats: Mapping[str, Sequence[Said]],
        blocks: BlocksSettings = SMALL,
        conversations: ConversationSettings | None = None,
        tokenizer: TokenizerSettings | None = None,
    ) -> tuple[list[dict[str, Any]], Artifact]:
        messages, table = self.write(chats)
        out = self.draft("blocks")
        make_blocks(
            messages,
            table,
            out,
            blocks=blocks,
            conversations=conversations or ConversationSettings(),
            tokenizer=tokenizer or TokenizerSettings(),
        )
        return list(out.staged().rows("blocks.parquet")), out.staged()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def members(block: dict[str, Any]) -> list[str]:
    return [member["message_id"] for member in block["members"]]


def test_make_blocks_silence_of_exactly_the_threshold_keeps_one_block(bench: Bench) -> None:
    said = [("A", "hi", 0 * MINUTE), ("M", "hey", 60 * MINUTE)]
    rows, _ = bench.cut({"c": said})
    assert [members(row) for row in rows] == [["c:1", "c:2"]]
    assert rows[0]["started_at"] == START
    assert rows[0]["ended_at"] == START + 60 * MINUTE


def test_make_blocks_silence_of_a_day_and_five_minutes_ends_the_run(bench: Bench) -> None:
    day = dt.timedelta(days=1, minutes=5)
    said = [("A", "a", 0 * MINUTE), ("M", "b", MINUTE), ("A", "c", day), ("M", "d", day + MINUTE)]
    rows, _ = bench.cut({"c": said})
    assert [members(row) for row in rows] == [["c:1", "c:2"], ["c:3", "c:4"]]


def test_make_blocks_blank_message_is_dropped_but_bridges_a_silence(bench: Bench) -> None:
    said = [("A", "hi", 0 * MINUTE), ("A", " \u200b", 50 * MINUTE), ("M", "hey", 100 * MINUTE)]
    rows, made = bench.cut({"c": said})
    assert [members(row) for row in rows] == [["c:1", "c:3"]]
    assert list(made.rows("dropped.parquet")) == [{"id": "c:2", "reason": "no_text", "items": 1}]


def test_make_blocks_chats_never_share_a_block(bench: Bench) -> None:
    rows, made = bench.cut(
        {"c": [("A", "hi", MINUTE)], "d": [("A", "yo", MINUTE), ("M", "o", MINUTE)]}
    )
    assert [(row["chat_id"], members(row)) for row in rows] == [("d", ["d:1", "d:2"])]
    assert made.entry.dropped == {"no_persona": 1}


def test_make_blocks_ids_are_the_chat_the_first_message_and_a_hash(bench: Bench) -> None:
    said = {"telegram:user5": [("A", "hi", MINUTE), ("M", "hey", MINUTE)]}
    rows, _ = bench.cut(said)
    chat_id, rest = rows[0]["block_id"][: len("telegram:user5")], rows[0]["block_id"][14:]
    assert chat_id == "telegram:user5"
    assert rest.startswith(":1-")
    assert len(rest) == len(":1-") + 12


def test_make_blocks_no_messages_gives_an_empty_table(bench: Bench) -> None:
    rows, made = bench.cut({})
    assert rows == []
    assert made.entry.rows == 0
    assert made.entry.metadata["token_total"] == 0


def chatter(seed: int, count: int) -> dict[str, list[Said]]:
    rng = random.Random(seed)  # noqa: S311  # chooses test data, guards nothing
    words = ["ok", "да, конечно!", "你好。", "lol...", "What about 12:30?", "😂", "/start", ""]
    chats: dict[str, list[Said]] = {}
    for name in ("c", "d"):
        at = dt.timedelta(0)
        chats[name] = []
        for _ in range(count // 2):
            at += MINUTE * (rng.randint(0, 5) if rng.random() < 0.95 else 300)
            text = " ".join(rng.choices(words, k=rng.randint(1, 12)))
            if rng.random() < 0.01:
                text *= 60
            chats[name].append((rng.choice("AMM"), text, at))
    return chats


@pytest.mark.parametrize("shape", list(ConversationShape))
def test_make_blocks_every_message_is_in_blocks_or_dropped(
    bench: Bench, shape: ConversationShape
) -> None:
    settings = BlocksSettings(min_tokens_per_block=40, max_tokens_per_block=160)
    chats = chatter(1, 3000)
    rows, made = bench.cut(chats, settings, ConversationSettings(conversation_shape=shape))
    assert rows
    assert all(40 <= row["token_count"] <= 160 for row in rows)
    inside = [name for row in rows for name in members(row)]
    dropped = [row["id"] for row in made.rows("dropped.parquet")]
    pieces = {m["message_id"] for row in rows for m in row["members"] if m["start"] is not None}
    texts = {f"{chat}:{k}": s[1] for chat, said in chats.items() for k, s in enumerate(said, 1)}
    assert set(inside) | set(dropped) == set(texts)
    assert not (set(inside) & set(dropped)) - pieces
    once = [name for name in inside + dropped if name not in pieces and len(texts[name]) < 500]
    assert len(once) == len(set(once))
    assert made.entry.metadata["messages_in_blocks"] == len(set(inside))
    assert made.entry.metadata["token_total"] == sum(row["token_count"] for row in rows)
    assert sum(made.entry.dropped.values()) == len(dropped)
    assert len({row["block_id"] for row in rows}) == len(rows)


def test_make_blocks_number_of_workers_changes_no_byte(bench: Bench) -> None:
    chats = chatter(2, 4000)
    digests = {
        bench.cut(chats, tokenizer=TokenizerSettings(workers=workers))[1].digest
        for workers in (0, 2)
    }
    assert len(digests) == 1


def test_make_blocks_message_over_the_maximum_is_split_beside_its_reply(bench: Bench) -> None:
    sentence = "This is one sentence of a very long letter. "
    letter = "\n\n".join([sentence * 6] * 10)
    settings = BlocksSettings(min_tokens_per_block=16, max_tokens_per_block=256)
    said = [("A", letter, 0 * MINUTE), ("M", letter, MINUTE)]
    rows, _ = bench.cut({"c": said}, settings)
    spans = [m for row in rows for m in row["members"]]
    assert all(16 <= row["token_count"] <= 256 for row in rows)
    assert {m["message_id"] for m in spans} == {"c:1", "c:2"}
    assert all(letter[m["start"] : m["end"]].endswith(".") for m in spans)


@pytest.mark.parametrize("shape", list(ConversationShape))
def test_make_blocks_hundred_thousand_characters_without_a_space(
    bench: Bench, shape: ConversationShape
) -> None:
    said = [("A", "x1y2" * 25_000, 0 * MINUTE), ("M", "z9" * 50_000, MINUTE)]
    rows, _ = bench.cut(
        {"c": said}, BlocksSettings(), ConversationSettings(conversation_shape=shape)
    )
    assert rows
    assert all(64 <= row["token_count"] <= 2048 for row in rows)


def test_make_blocks_special_token_text_is_counted_as_text(bench: Bench) -> None:
    said = [("A", "<|endoftext|>", MINUTE), ("M", "<|endofprompt|>", MINUTE)]
    rows, _ = bench.cut({"c": said})
    wanted = load_tokenizer(TokenizerSettings()).count_conversation(
        [
            {"role": "user", "content": ">>> <|endoftext|>"},
            {"role": "assistant", "content": ">>> <|endofprompt|>"},
        ]
    )
    assert rows[0]["token_count"] == wanted > 20


def test_make_blocks_unknown_persona_is_refused(bench: Bench) -> None:
    with pytest.raises(SettingsError, match="Zoe"):
        bench.cut({"c": [("A", "hi", MINUTE)]}, conversations=ConversationSettings(persona="Zoe"))


def test_blocks_settings_minimum_over_maximum_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValidationError, match=r"\(65\) must not be over .* \(64\)"):
        BlocksSettings(min_tokens_per_block=65, max_tokens_per_block=64)


def test_blocks_settings_equal_bounds_are_allowed() -> None:
    assert BlocksSettings(min_tokens_per_block=64, max_tokens_per_block=64)
