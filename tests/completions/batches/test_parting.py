import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonare_pipeline.completions.batches.checking import InputFile
from resonare_pipeline.completions.batches.parting import Limits, Part, covering, plan_parts
from resonare_pipeline.completions.batches.splitting import split_file
from resonare_pipeline.errors import InputChangedError, InputError
from tests.cli.batch_files import line, lines, put

FREE = Limits(lines=1000, bytes=1_000_000, tokens=lambda _model: None)


def plan(path: Path, limits: Limits = FREE) -> list[Part]:
    return plan_parts(InputFile(path).checked(), limits, where=path, assumed_output_tokens=100)


@given(
    models=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=40),
    most=st.integers(1, 7),
    skipped=st.sets(st.integers(1, 40)),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_line_is_in_one_part_but_those_that_are_left_out(
    tmp_path: Path, models: list[str], most: int, skipped: set[int]
) -> None:
    path = put(tmp_path / "in.jsonl", [line(n, model=model) for n, model in enumerate(models, 1)])
    parts = plan_parts(
        InputFile(path).checked(),
        Limits(lines=most, bytes=10_000, tokens=lambda _model: None),
        where=path,
        assumed_output_tokens=1,
        left_out=lambda request: request.number in skipped,
    )
    assert all(1 <= part.lines <= most for part in parts)
    for number, request in enumerate(InputFile(path).checked(), 1):
        inside = [part for part in parts if covering([part])(request)]
        assert len(inside) == (number not in skipped)


def test_a_line_of_more_tokens_than_a_part_may_have_is_a_part_by_itself(tmp_path: Path) -> None:
    long = line(1)
    long["body"]["messages"][0]["content"] = "word " * 100
    path = put(tmp_path / "in.jsonl", [line(0), long, line(2), line(3)])
    parts = plan(path, Limits(lines=9, bytes=10_000, tokens=lambda _model: 50))
    assert [part.lines for part in parts] == [1, 1, 2]


def test_a_line_larger_than_a_part_may_be_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "in.jsonl", lines(2))
    with pytest.raises(InputError, match=r"line 1: the line has .* bytes"):
        plan(path, Limits(lines=9, bytes=100, tokens=lambda _model: None))


def test_tokens_and_answers_of_each_endpoint_are_counted(tmp_path: Path) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "/v1/chat/completions": {"messages": [{"role": "user", "content": "one two three"}]},
        "/v1/responses": {"input": "one two three", "instructions": "four"},
        "/v1/completions": {"prompt": "one two three", "max_tokens": 7, "n": 2},
        "/v1/embeddings": {"input": ["one", "two"]},
        "/v1/images/generations": {"prompt": "one two three"},
    }
    rows = [
        line(n, url=url, body={"model": "gpt-4o-mini", **body})
        for n, (url, body) in enumerate(bodies.items())
    ]
    parts = plan(put(tmp_path / "in.jsonl", rows))
    assert [part.output_tokens for part in parts] == [100, 100, 14, 0, 0]
    assert all(part.tokens >= 3 for part in parts)


def test_a_file_that_changes_while_it_is_split_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "in.jsonl", lines(3))
    known = InputFile.known

    def changed(file: InputFile) -> object:
        put(path, [*lines(2), line(9)])
        return known(file)

    monkeypatch.setattr(InputFile, "known", changed)
    with pytest.raises(InputChangedError):
        split_file(InputFile(path), tmp_path / "parts", FREE, assumed_output_tokens=1)
    assert not list((tmp_path / "parts").iterdir())


def test_line_ends_and_a_byte_order_mark_are_no_part_of_lines(tmp_path: Path) -> None:
    texts = [json.dumps(line(n)) for n in range(2)]
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n".join(texts).encode())
    ((place, part),) = split_file(InputFile(path), tmp_path, FREE, assumed_output_tokens=1)
    assert place.read_text() == "".join(text + "\n" for text in texts)
    assert part.bytes == place.stat().st_size
