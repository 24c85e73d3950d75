"""The page about style: its example runs, and its labels are those that there are."""

import inspect
import re
from pathlib import Path

import pytest

from resonare_pipeline import style
from resonare_pipeline.style.labels import ConversationType, Length, Momentum
from resonare_pipeline.style.strategies import TYPES, Strategy

PAGE = (Path(__file__).parents[2] / "docs" / "style.md").read_text(encoding="utf-8")


def test_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)\n```", PAGE, flags=re.DOTALL)
    exec(compile(code, "docs/style.md", "exec"), {})  # noqa: S102  # committed text
    assert (tmp_path / "style.jsonl").read_bytes().count(b"\n") > 1
    assert (tmp_path / "style.style.json").exists()


@pytest.mark.parametrize("word", [*Momentum, *Length, *ConversationType, *Strategy, *TYPES])
def test_page_names_every_label(word: str) -> None:
    assert word in PAGE


def test_page_lists_the_parameters_of_every_call_of_a_creator() -> None:
    for name, call in inspect.getmembers(style.TrainingDataCreator, inspect.isfunction):
        if name.startswith("_"):
            continue
        (shown,) = re.findall(rf"`\.{name}\((.*?)\)` \|", PAGE)
        for parameter in inspect.signature(call).parameters.values():
            optional = parameter.name == "recipients_df" and "recipients_df" not in shown
            assert parameter.name == "self" or parameter.name in shown or optional
