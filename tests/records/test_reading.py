import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonare_pipeline.errors import InputChangedError, InputError
from resonare_pipeline.records import splitting
from resonare_pipeline.records.items import Format
from resonare_pipeline.records.reading import find_source, unchanged
from tests.records.making import fill_bytes, lines, prompt


def format_of(content: bytes) -> Format:
    return find_source("input", len(content), lambda: io.BytesIO(content)).format


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1}\n{"a": 2}\n', Format.JSONL),
        (b'\xef\xbb\xbf\r\n  {"a": 1}\r\n', Format.JSONL),
        (b'[{"a": 1}]', Format.JSON),
        (b'\n [\n {"a": 1}]', Format.JSON),
        (b'{\n "a": 1\n}\n', Format.JSON),
        (b'{"a": broken\n{"a": 2}\n', Format.JSONL),
        (b"PAR1....", Format.PARQUET),
    ],
)
def test_the_format_is_found_from_the_content(content: bytes, expected: Format) -> None:
    assert format_of(content) is expected


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_error(content: bytes) -> None:
    with pytest.raises(InputError, match="the file is empty"):
        format_of(content)


def test_a_file_of_something_else_says_what_it_begins_with() -> None:
    with pytest.raises(InputError, match=r"begins with b'name,tex'.*--input-format"):
        format_of(b"name,text\n")


def test_blank_lines_are_no_records_and_lines_keep_their_numbers() -> None:
    done = fill_bytes(b'\n{"messages": []}\n\n{"broken\n' + lines(prompt()))
    assert len(done.rows) == 2
    assert [(row["number"], row["place"]) for row in done.dropped] == [(1, "line 4")]
    assert done.dropped[0]["text"] == '{"broken'


def test_a_last_line_without_an_end_is_a_record() -> None:
    assert len(fill_bytes(lines(prompt(), prompt()).rstrip()).rows) == 2


@given(
    st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=8) | st.integers()), max_size=6),
    st.sampled_from([None, 0, 2]),
    st.integers(1, 40),
)
def test_arrays_are_split_alike_however_they_are_laid_out_or_arrive(
    values: list[object], indent: int | None, chunk: int
) -> None:
    content = json.dumps(values, indent=indent).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "CHUNK_BYTES", chunk)
        found = list(splitting.JsonSplitter(io.BytesIO(content)))
    assert [json.loads(record.text) for record in found] == values


def test_values_that_follow_one_another_are_records() -> None:
    content = b"\n".join(json.dumps(prompt(str(n)), indent=2).encode() for n in range(3))
    done = fill_bytes(content)
    assert [row["messages"][0]["content"] for row in done.rows] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("tail", "detail", "text"),
    [
        (b', {"messages": [', "it is cut off", '{"messages": ['),
        (b",", "the array is cut off", ""),
        (b"] more", "text behind the end of the array", "more"),
        (b' {"a": 1}]', "no comma behind a value", '{"a": 1}]'),
    ],
)
def test_a_broken_array_gives_its_whole_records_and_keeps_the_rest(
    tail: bytes, detail: str, text: str
) -> None:
    content = json.dumps([prompt("a"), prompt("b")]).encode()[:-1] + tail
    done = fill_bytes(content)
    assert len(done.rows) == 2
    assert [(row["detail"], row["text"]) for row in done.dropped] == [(detail, text)]


def test_a_record_that_is_too_long_is_left_out_whole() -> None:
    long = json.dumps(prompt("ä" * 4000)).encode()
    for content in (long + b"\n" + lines(prompt()), b"[" + long + b"," + lines(prompt()) + b"]"):
        done = fill_bytes(content, longest=2000)
        assert len(done.rows) == 1
        assert done.reasons == {"too_long": 1}
        assert done.dropped[0]["text"].rstrip("\n") == long.decode()


def test_bytes_that_are_no_text_are_kept_as_they_are() -> None:
    bad = b'{"messages": "\xff\xfe"}'
    done = fill_bytes(bad + b"\n" + lines(prompt()))
    assert done.reasons == {"not_json": 1}
    assert done.dropped[0]["text"].encode("utf-8", "surrogateescape") == bad


def test_nesting_without_end_is_left_out() -> None:
    deep = b'{"messages": ' + b"[" * 200_000 + b"]" * 200_000 + b"}\n"
    done = fill_bytes(deep + lines(prompt()))
    assert done.reasons == {"not_json": 1}
    assert done.dropped[0]["detail"] == "nested too deeply"


@pytest.mark.parametrize("is_replaced", [True, False])
def test_an_input_that_changed_is_not_opened_again(tmp_path: Path, *, is_replaced: bool) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"{}\n")
    opened = unchanged(path)
    with opened() as stream:
        assert stream.read() == b"{}\n"
        if is_replaced:
            (tmp_path / "new").write_bytes(b"[]\n")
            (tmp_path / "new").replace(path)
        else:
            path.write_bytes(b"{}\n{}\n")
    with pytest.raises(InputChangedError, match="changed while"):
        opened()
