"""Every block of the published reference: calls must run, literals must show what is returned."""

import ast
import datetime as dt
import gc
import random
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from resonare_pipeline import style
from resonare_pipeline.style.examples import ORIGIN
from tests.style.making import ALICE, YOU, months, recipients

REFERENCE = Path(__file__).parents[1] / "data" / "style" / "interface.md"
ADDED_KEYS = {  # what is returned beyond the printed keys
    "episode": {"participant_messages", "initiator"},
    "style": {"emojis_per_message", "time_zone"},
    "burst": set(ORIGIN),
    "adaptive": {"style_difference", "conversation_partner", *ORIGIN},
}


def blocks() -> list[tuple[str, str]]:
    """Return heading and code of each block."""
    parts = re.split(r"^## (.*)$", REFERENCE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [
        (heading, code)
        for heading, body in zip(parts[::2], parts[1::2], strict=True)
        for code in re.findall(r"```python\n(.*?)\n```", body, flags=re.DOTALL)
    ]


def is_literal(code: str) -> bool:
    body = ast.parse(code).body
    return len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Dict)


CALLS = [(heading, code) for heading, code in blocks() if not is_literal(code)]
LITERALS = {heading: ast.literal_eval(code) for heading, code in blocks() if is_literal(code)}


def recent_months() -> pd.DataFrame:
    """Return messages of which the last are of today, since one block asks for recent ones."""
    frame = months()
    shift = int(dt.datetime.now(dt.UTC).timestamp() * 1000) - int(frame.date_sent.max())
    return frame.assign(date_sent=frame.date_sent + shift)


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    frame = recent_months()
    for folder in (Path(), Path("data/raw/signal-flatfiles")):
        folder.mkdir(parents=True, exist_ok=True)
        frame.to_csv(folder / "signal.csv", index=False)
        recipients().to_csv(folder / "recipient.csv", index=False)
    Path("cache").mkdir()
    creator = style.TrainingDataCreator(your_recipient_id=YOU)
    strategies = ["conversational", "burst", "adaptive"]
    examples, own = creator.create_training_examples(frame, recipients(), strategies=strategies)
    return {name: getattr(style, name) for name in style.__all__} | {
        "__name__": "block",
        "pd": pd,
        "np": np,
        "gc": gc,
        "random": random,
        "sys": sys,
        "partial": partial,
        "datetime": dt.datetime,
        "timedelta": dt.timedelta,
        "messages_df": frame,
        "recipients_df": recipients(),
        "creator": creator,
        "examples": examples,
        "training_examples": examples,
        "style": own,
        "partner_threads": [1],
        "your_recipient_id": YOU,
        "save_checkpoint": lambda examples, name: None,  # noqa: ARG005
        "process_in_chunks": lambda frame, chunk_size: [],  # noqa: ARG005
    }


def test_reference_has_all_its_blocks() -> None:
    assert (len(CALLS), len(LITERALS)) == (33, 6)


@pytest.mark.parametrize(
    "code", [code for _, code in CALLS], ids=[f"{n}-{h}" for n, (h, _) in enumerate(CALLS)]
)
def test_block_of_the_reference_runs(code: str, names: dict[str, Any]) -> None:
    exec(compile(code, "reference", "exec"), names)  # noqa: S102  # committed text


def shape(value: Any) -> Any:
    """Return keys and types, of lists those of their first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), shape(value[0]) if value else None
    return type(value)


def assert_shows(printed: dict[str, Any], made: dict[str, Any], added: set[str]) -> None:
    """Assert that all printed keys are there with values of the printed types, and few others."""
    assert set(made) - set(printed) <= added
    for key, value in printed.items():
        assert key in made
        if isinstance(value, dict):
            assert_shows(value, made[key], added)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            assert_shows(value[0], made[key][0], added)
        else:
            assert shape(made[key]) == shape(value), key


def test_window_has_the_printed_keys_and_types(names: dict[str, Any]) -> None:
    made = names["creator"].create_conversation_windows(names["messages_df"])
    assert_shows(LITERALS["create_conversation_windows"], made[0], set())


def test_episode_has_the_printed_keys_and_types(names: dict[str, Any]) -> None:
    made = names["creator"].segment_natural_dialogues(names["messages_df"])
    assert_shows(LITERALS["segment_natural_dialogues"], made[0], ADDED_KEYS["episode"])


def test_style_has_the_printed_keys_and_types(names: dict[str, Any]) -> None:
    made = names["creator"].analyze_personal_texting_style(
        names["messages_df"], include_word_frequency=True, analyze_time_patterns=True
    )
    printed = LITERALS["analyze_personal_texting_style"]
    assert_shows(printed, made, ADDED_KEYS["style"])


def test_style_has_words_and_times_only_if_asked_for(names: dict[str, Any]) -> None:
    made = names["creator"].analyze_personal_texting_style(names["messages_df"])
    printed = set(LITERALS["analyze_personal_texting_style"])
    assert set(made) == printed - {"vocabulary", "time_patterns"}


def test_burst_example_has_the_printed_keys_and_types(names: dict[str, Any]) -> None:
    made = names["creator"].create_burst_sequence_data(names["messages_df"])
    printed = LITERALS["create_burst_sequence_data"]
    assert_shows(printed, made[0], ADDED_KEYS["burst"])
    assert made[0]["instruction"] == printed["instruction"]
    assert made[0]["metadata"]["type"] == printed["metadata"]["type"]


def test_adaptive_example_has_the_printed_keys_and_types(names: dict[str, Any]) -> None:
    made = names["creator"].create_adaptive_training_data(names["messages_df"], recipients())
    to_alice = [e for e in made if e["metadata"]["conversation_partner"] == "Alice"]
    printed = LITERALS["create_adaptive_training_data"]
    assert_shows(printed, to_alice[0], ADDED_KEYS["adaptive"])
    assert to_alice[0]["instruction"] == printed["instruction"]
    for key in ("type", "partner_style", "your_usual_style"):
        assert to_alice[0]["metadata"][key] == printed["metadata"][key]


def test_result_of_a_whole_run_has_the_printed_keys_and_types(names: dict[str, Any]) -> None:
    folder = Path("data/raw/signal-flatfiles")
    made = names["create_training_data_from_signal"](
        folder / "signal.csv",
        folder / "recipient.csv",
        "out.json",
        strategies=["conversational", "burst", "adaptive"],
    )
    printed = dict(LITERALS["create_training_data_from_signal"])
    own = printed.pop("style_analysis")
    assert_shows(printed, {k: v for k, v in made.items() if k != "style_analysis"}, set())
    assert own.keys() <= made["style_analysis"].keys()
    assert made["total_examples"] == sum(made["examples_by_type"].values())


def test_functions_of_the_reference_work_when_they_are_called(names: dict[str, Any]) -> None:
    for heading in ("Memory-Efficient Processing", "Caching for Repeated Processing"):
        code = next(code for found, code in CALLS if found == heading)
        exec(compile(code, "reference", "exec"), names)  # noqa: S102  # committed text
    in_chunks = names["process_large_dataset"]("signal.csv", chunk_size=200)
    assert len(in_chunks) > 100
    cached = names["CachedTrainingDataCreator"](cache_dir="cache/style", your_recipient_id=YOU)
    first = cached.create_training_examples(names["messages_df"], recipients())
    assert cached.create_training_examples(names["messages_df"], recipients()) == first


def test_profiles_are_by_partner_with_a_classification(names: dict[str, Any]) -> None:
    profiles = names["StyleAnalyzer"]().analyze_all_communication_styles(
        names["messages_df"], your_recipient_id=YOU
    )
    assert profiles[ALICE]["classification"] == "lengthy_texter"
