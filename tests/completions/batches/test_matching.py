import json
from pathlib import Path
from typing import Any

import pytest

from resonare_pipeline.completions.batches.matching import Results
from resonare_pipeline.completions.requests import Usage
from tests.cli.batch_files import put


def answer(body: Any, *, status: int = 200) -> dict[str, Any]:
    return {"custom_id": "a", "response": {"status_code": status, "body": body}, "error": None}


FAILED = answer({"error": {"message": "busy", "code": "overloaded"}}, status=503)
EXPIRED = {"custom_id": "a", "response": None, "error": {"code": "batch_expired", "message": "x"}}


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_of_two_lines_of_a_request_the_answer_wins(tmp_path: Path, order: list[int]) -> None:
    found = [answer({"usage": {"prompt_tokens": 3, "completion_tokens": 4}}), FAILED]
    with Results() as results:
        for number in order:
            results.take_in(put(tmp_path / f"{number}.jsonl", [found[number]]))
        match = results.take("a")
        assert match is not None
        assert match.is_answer
        assert json.loads(match.text) == found[0]
        assert results.repeated == 1
        assert results.take("a") is None
        assert results.left == 0


def test_of_two_answers_the_first_counts(tmp_path: Path) -> None:
    with Results() as results:
        results.take_in(put(tmp_path / "one.jsonl", [answer({"id": 1}), answer({"id": 2})]))
        match = results.take("a")
    assert match is not None
    assert json.loads(match.text)["response"]["body"] == {"id": 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (FAILED, "server"),
        (EXPIRED, "expired"),
        (answer({"error": {"message": "no"}}), "server"),
        (answer("text"), "server"),
        (answer({"error": {"code": "x"}}, status=400), "invalid"),
        ({"custom_id": "a", "response": None, "error": None}, "server"),
    ],
)
def test_what_is_no_answer_says_why(tmp_path: Path, line: dict[str, Any], reason: str) -> None:
    with Results() as results:
        results.take_in(put(tmp_path / "one.jsonl", [line]))
        match = results.take("a")
    assert match is not None
    assert not match.is_answer
    assert match.setback.failure == reason


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"prompt_tokens": 5, "completion_tokens": 2},
            Usage(input_tokens=5, output_tokens=2),
        ),
        (
            {
                "input_tokens": 9,
                "output_tokens": 1,
                "input_tokens_details": {"cached_tokens": 4},
            },
            Usage(input_tokens=9, output_tokens=1, cached_tokens=4),
        ),
        ({"prompt_tokens": 7, "total_tokens": 7}, Usage(input_tokens=7)),
        ({}, None),
        (None, None),
    ],
)
def test_what_was_billed_is_read_in_each_spelling(
    tmp_path: Path, usage: Any, expected: Usage | None
) -> None:
    with Results() as results:
        results.take_in(put(tmp_path / "one.jsonl", [answer({"usage": usage, "error": None})]))
        match = results.take("a")
    assert match is not None
    assert match.is_answer
    assert match.usage == expected
