"""The stages of the style group, on small tables of messages."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.rows import MESSAGES
from resonare_pipeline.settings import load_settings
from resonare_pipeline.style import TrainingDataCreator, streaming
from resonare_pipeline.style.example_files import write_style_examples
from resonare_pipeline.style.files import PLOT_FILES
from resonare_pipeline.style.settings import (
    EpisodeSettings,
    StyleExamplesSettings,
    TextingStyleSettings,
    WindowSettings,
)
from resonare_pipeline.style.strategies import Strategy
from resonare_pipeline.style.streaming import read_pieces
from resonare_pipeline.style.texting import describe, write_style
from resonare_pipeline.style.windowing import write_episodes, write_windows
from tests.style.making import months, project, rows_of

EVERY = tuple(Strategy)


class Project:
    """A store with messages, and the stages that read them."""

    def __init__(
        self,
        folder: Path,
        conversations: int = 40,
        *,
        only_others: bool = False,
        text: Callable[[int, str], str] = lambda _, text: text,
    ) -> None:
        frame = project(months(conversations)).sort_values(["chat_id", "sent_at"])
        self.frame = frame[~frame.is_owner] if only_others else frame
        self._store = Store(LocalFiles(folder))
        out = self._out("messages")
        with out.table("messages.parquet", MESSAGES) as table:
            for number, row in enumerate(rows_of(self.frame)):
                sent_at = row["sent_at"].to_pydatetime()
                row["text"] = text(number, row["text"])
                table.add({**dict.fromkeys(MESSAGES.names), **row, "sent_at": sent_at})
        out.report(rows=table.count)
        self.messages = out.staged()

    def _out(self, asset: str) -> Any:
        return self._store.output(self._store.attempt(asset, "p", "f"), asset)

    def windows(self, **settings: Any) -> Artifact:
        out = self._out("conversation_windows")
        write_windows(self.messages, out, WindowSettings(**settings))
        return self._staged(out)

    def episodes(self, **settings: Any) -> Artifact:
        out = self._out("dialogue_episodes")
        write_episodes(self.messages, out, EpisodeSettings(**settings))
        return self._staged(out)

    def style(self, **settings: Any) -> Artifact:
        out = self._out("texting_style")
        write_style(self.messages, out, TextingStyleSettings(**settings))
        return self._staged(out)

    def examples(self, **settings: Any) -> Artifact:
        out = self._out("style_examples")
        write_style_examples(
            self.windows(),
            self.episodes(),
            self.style(),
            out,
            StyleExamplesSettings(**settings),
        )
        return self._staged(out)

    def _staged(self, out: Any) -> Artifact:
        artifact: Artifact = out.staged()
        return artifact


@pytest.fixture
def made(tmp_path: Path) -> Project:
    return Project(tmp_path)


def content(artifact: Artifact, name: str) -> bytes:
    with artifact.open(name) as stream:
        return stream.read()


def rows(artifact: Artifact, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in artifact.lines(name)]


def test_windows_of_the_stage_are_those_of_the_python_interface(made: Project) -> None:
    expected = TrainingDataCreator().create_conversation_windows(made.frame)
    table = list(made.windows().rows("windows.parquet"))
    assert len(table) == len(expected)
    for row, window in zip(table, expected, strict=True):
        assert [line["text"] for line in row["context"]] == [c["text"] for c in window["context"]]
        assert row["response"] == window["response"]["text"]
        assert row["momentum"] == window["metadata"]["momentum"]
        assert row["partner_name"] == window["metadata"]["conversation_partner"]
        assert row["responded_at"] == dt.datetime.fromtimestamp(
            window["response"]["timestamp"], dt.UTC
        )


def test_episodes_of_the_stage_are_those_of_the_python_interface(made: Project) -> None:
    expected = TrainingDataCreator().segment_natural_dialogues(made.frame)
    table = list(made.episodes().rows("episodes.parquet"))
    assert len(table) == len(expected)
    for row, episode in zip(table, expected, strict=True):
        metadata = episode["metadata"]
        assert [line["text"] for line in row["messages"]] == [
            message["text"] for message in episode["messages"]
        ]
        assert row["mean_response_seconds"] == metadata["avg_response_time"]
        assert row["conversation_type"] == metadata["conversation_type"]
        assert {"You": row["turns_of_you"], "Other": row["turns_of_others"]} == (
            metadata["participant_turns"]
        )


def test_style_of_the_stage_is_that_of_the_python_interface(made: Project) -> None:
    expected = TrainingDataCreator().analyze_personal_texting_style(
        made.frame, include_word_frequency=True, analyze_time_patterns=True
    )
    own = json.loads(content(made.style(), "style.json"))["you"]
    del expected["burst_patterns"]["burst_intervals"]  # one number for each burst of a life
    assert own == json.loads(json.dumps(expected))


@pytest.mark.parametrize("strategy", [Strategy.CONVERSATIONAL, Strategy.BURST, Strategy.COMPLETION])
def test_examples_of_the_stage_are_those_of_the_python_interface(
    made: Project, strategy: Strategy
) -> None:
    expected, _ = TrainingDataCreator().create_training_examples(made.frame, strategies=[strategy])
    examples = rows(made.examples(strategies=[strategy]), "examples.jsonl")
    assert [(e["input"], e["output"]) for e in examples] == [
        (e["input"], e["output"]) for e in expected
    ]


def test_adaptive_examples_use_partners_of_the_style(made: Project) -> None:
    examples = rows(made.examples(strategies=["adaptive"]), "examples.jsonl")
    assert {
        (e["metadata"]["conversation_partner"], e["metadata"]["partner_style"]) for e in examples
    } == {("Alice", "lengthy_texter"), ("Bob", "concise_texter")}


def test_pieces_of_any_size_give_the_same(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (
        made.windows().digest,
        made.episodes().digest,
        describe(made.messages, TextingStyleSettings()),
    )
    monkeypatch.setattr(streaming, "PIECE_ROWS", 7)
    assert len(list(read_pieces(made.messages, max_gap_seconds=3_600))) > 10
    again = (
        made.windows().digest,
        made.episodes().digest,
        describe(made.messages, TextingStyleSettings()),
    )
    assert again == whole


def test_train_lines_are_conversations_with_what_the_dataset_asks_for(made: Project) -> None:
    artifact = made.examples(strategies=EVERY)
    lines = rows(artifact, "train.jsonl")
    assert len(lines) == artifact.entry.rows
    assert {tuple(turn["role"] for turn in line["messages"]) for line in lines} == {
        ("system", "user", "assistant")
    }
    assert len({line["metadata"]["example_id"] for line in lines}) == len(lines)
    for line in lines:
        metadata = line["metadata"]
        started, ended = (
            dt.datetime.fromisoformat(metadata[n]) for n in ("started_at", "ended_at")
        )
        assert started <= ended
        assert metadata["chat_id"].startswith("signal:")


def test_limit_is_shared_evenly_and_the_rest_is_counted_as_left_out(made: Project) -> None:
    every = made.examples(strategies=EVERY).entry
    artifact = made.examples(strategies=EVERY, max_examples=50)
    kinds = [e["metadata"]["type"] for e in rows(artifact, "examples.jsonl")]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "conversational": 10,
        "burst_sequence": 10,
        "adaptive": 10,
        "completion": 10,
        "qa": 10,
    }
    assert artifact.entry.dropped == {"over_limit": every.rows - 50}
    unbalanced = made.examples(strategies=EVERY, max_examples=50, balance_examples=False)
    assert unbalanced.entry.rows == 50
    seeded = made.examples(strategies=EVERY, max_examples=50, seed=1)
    assert seeded.digest != artifact.digest


def test_what_messages_have_gained_of_links_and_images_is_nobodys_own_words(tmp_path: Path) -> None:
    def written(number: int, text: str) -> str:
        return "" if number % 3 == 0 else text

    def gained(number: int, text: str) -> str:
        own = [written(number, text)] if written(number, text) else []
        more = ["[Link: Is it a comet? ☄️ — yes (one)]", "[Image: Two people.]"]
        return "\n".join([*own, *(more if number % 2 == 0 else [])])

    plain = Project(tmp_path / "plain", text=written)
    richer = Project(tmp_path / "richer", text=gained)

    assert content(richer.style(), "style.json") == content(plain.style(), "style.json")
    told = [row for row in richer.windows().rows("windows.parquet") if "[Link: " in str(row)]
    assert told  # they are what was talked about


def test_page_tells_the_owner_and_holds_no_message(made: Project) -> None:
    artifact = made.style(time_zone="Europe/Berlin")
    page = content(artifact, "style.md").decode()
    assert page.startswith("# How you write\n\nYour messages are short: 28 characters on average")
    assert "Times in Europe/Berlin." in page
    assert "| Alice | lengthy texter |" in page
    for name in PLOT_FILES:
        assert f"({name})" in page
        assert content(artifact, name).startswith(b"\x89PNG\r\n\x1a\n")
    said = [text for text in made.frame.text if len(text.split()) > 3]
    assert said
    assert not any(text in page for text in said)
    assert not any(text in content(artifact, "style.json").decode() for text in said)


def test_page_of_somebody_who_never_wrote_says_so(tmp_path: Path) -> None:
    silent = Project(tmp_path, conversations=1, only_others=True)
    assert "no messages of yours" in content(silent.style(), "style.md").decode()
    assert silent.windows().entry.rows == 0
    assert silent.examples(strategies=EVERY).entry.rows == 0


@pytest.mark.parametrize(
    "setting",
    [
        "texting_style.time_zone=Mars/Olympus",
        "conversation_windows.window_size=1",
        "dialogue_episodes.max_episode_length=2",
        'style_examples.strategies=["bursts"]',
        "style_examples.max_burst_size=1",
    ],
)
def test_settings_that_cannot_be_used_are_refused(setting: str, tmp_path: Path) -> None:
    kinds = (TextingStyleSettings, WindowSettings, EpisodeSettings, StyleExamplesSettings)
    key, _, value = setting.partition("=")
    settings_of = {kind.section: kind for kind in kinds}[key.partition(".")[0]]
    with pytest.raises(SettingsError, match=key.partition(".")[0]):
        load_settings(kinds, folder=tmp_path, environ={}, overrides={key: value}).section(
            settings_of
        )
