import json
from pathlib import Path

import pytest

from tests.cli.command import Resonare
from tests.fake_openai.running import serving
from tests.records.making import prompt


def test_run_with_several_record_sets_keeps_one_cap(
    project: Path, resonare: Resonare, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = project / "data" / "raw" / "records"
    raw.mkdir()
    for name in ("one", "two"):
        lines = [json.dumps(prompt(f"{name} {number}")) + "\n" for number in range(4)]
        (raw / f"{name}.jsonl").write_text("".join(lines))
    # What is expected of four answers is under the cap, and not beside what four have cost.
    cap = ("--set", "completions.max_tokens=100", "--set", "completions.max_cost_usd=0.00027")
    with serving() as server:
        monkeypatch.setenv("BASE_URL", server.url)
        monkeypatch.setenv("API_KEY", "dummy")
        monkeypatch.setenv("MODEL", "gpt-4o-mini")
        first = resonare("run", "records", *cap, "--json")
        assert len(server.journal()) == 4
        second = resonare("run", "records", *cap, "--json")
        assert len(server.journal()) == 8
    assert list(first.json["failures"]) == ["records/two"]
    assert "of which" in first.json["failures"]["records/two"]
    assert second.json["failures"] == {}
