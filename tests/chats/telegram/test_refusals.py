"""Files that are refused or warned of: no export, another encoding, bytes too many or changed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from resonare_pipeline.errors import InputChangedError, InputError

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "the file is empty"),
        (b" \n\t ", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"PK\x03\x04 zip", "this is not JSON"),
        (b"hello", "this is not JSON"),
        (b"<!DOCTYPE html>\n<html><head>", "this is an HTML export"),
        (b"<?xml version='1.0'?>", "this is XML or HTML"),
        (b'"text"', "a single JSON value"),
        (b"12", "a single JSON value"),
        (b"null", "a single JSON value"),
        (b'{"a": 1, "b": {"c": 2}}', "keys found: 'a', 'b'"),
        (b"{}", "keys found: none"),
        (b"[]", "keys found: none"),
        (b"[1, 2]", "keys found: none"),
        (b'[{"role": "user"}]', "keys found: 'role'"),
        (b'{"contacts": {"list": []}}', "keys found: 'contacts'"),
        (b'{"messages": {"a": 1}}', "`messages` is not a list"),
        (b'{"messages": null}', "`messages` is not a list"),
        (b'{"messages": []}', "none of 0 messages"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "none of 1 messages"),
        (b'{"name": "x" "messages": []}', "broken JSON"),
        (b"{name: 1}", "broken JSON"),
        (b'{"messages": [{"id": 1}}', "broken JSON"),
        (b'{"messages": [', "cut off before the end of its first message"),
        (b"{", "cut off before the end of its first message"),
    ],
)
def test_file_that_is_no_export_is_refused_with_the_reason(
    content: bytes, found: str, read: Make
) -> None:
    with pytest.raises(InputError) as caught:
        read(content)

    assert found in str(caught.value)
    assert caught.value.expected
    assert caught.value.remedy


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_wide_encoding_is_refused_by_name(
    encoding: str, read: Make, make_chat: Make, make_message: Make
) -> None:
    content = json.dumps(make_chat(make_message(1))).encode(encoding)

    with pytest.raises(InputError, match=encoding[:6].upper()) as caught:
        read(content)

    assert "iconv" in caught.value.remedy


@pytest.mark.parametrize("indent", [1, None])
@pytest.mark.parametrize("window_bytes", [30, 1 << 19])
def test_byte_that_is_not_utf8_is_refused_with_its_place(
    indent: int | None, window_bytes: int, read: Make, make_chat: Make, make_message: Make
) -> None:
    chat = make_chat(make_message(1), make_message(2, "Grüße"), make_message(3))
    content = json.dumps(chat, indent=indent, ensure_ascii=False).encode("latin-1")

    with pytest.raises(InputError, match="not UTF-8") as caught:
        read(content, window_bytes=window_bytes)

    place = content.index("ü".encode("latin-1"))
    assert caught.value.where == f"1/result.json, byte {place}"


def test_name_that_is_not_utf8_is_refused_with_its_place(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    content = json.dumps(make_chat(make_message(1), name="HERE")).encode()

    with pytest.raises(InputError, match="not UTF-8") as caught:
        read(content.replace(b"HERE", b"Gr\xfc"))

    assert caught.value.where == f"1/result.json, byte {content.index(b'HERE') + 2}"


def test_bytes_after_the_end_are_warned_of_and_a_second_document_refused(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    content = json.dumps(make_chat(make_message(1))).encode()

    assert f"byte {len(content)}" in read(content + b"\x00\x00").metadata["warnings"][0]
    with pytest.raises(InputError, match="second JSON document"):
        read(content + b"\n" + content)


def test_file_other_than_listed_is_refused_however_it_looks(
    read: Make, make_chat: Make, make_message: Make
) -> None:
    content = json.dumps(make_chat(make_message(1), make_message(2))).encode()

    for found in (content + b" ", content[:-30], b"", b"<html>", content.replace(b'"id"', b"id")):
        with pytest.raises(InputChangedError, match="changed while"):
            read(found, listed=content)
