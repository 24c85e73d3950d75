"""Faults of CSV files: bare carriage returns, broken rows, ends within a row, huge fields."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from resonare_pipeline.chats.signal import csv_rows, text_lines
from resonare_pipeline.errors import InputError
from tests.chats.signal.dumps import ME, csv_of, dump, row

Make = Callable[..., Any]
TEXTS = [
    "one\rtwo",
    "\rx",
    "x\r",
    "a\r\nb",
    'quo"te\r',
    "  ",
    "a,b",
    "\n",
    "\u2028 \x0b \x1c",
    "é😀",
]
TALK = [row(number, text) for number, text in enumerate(TEXTS, 1)]


def test_texts_with_any_line_ends_are_read_as_they_are(read: Make) -> None:
    assert read(dump(TALK)).texts == TEXTS


def test_lines_that_end_with_returns_are_read_too(read: Make) -> None:
    rows = [row(1, "plain"), row(2, "one\ntwo", sender=ME), row(3, "end")]
    files = dump(rows)

    converted = {name: content.replace(b"\n", b"\r\n") for name, content in files.items()}

    assert read(converted).texts == ["plain", "one\r\ntwo", "end"]
    assert read(converted).column("sender_name") == read(files).column("sender_name")


def test_rows_that_fell_into_pieces_are_put_together(read: Make) -> None:
    files = dump([row(1, "one\rtwo\rthree"), row(2, "next", sender=ME), row(3, "a\r\rb")])
    files["message.csv"] = files["message.csv"].replace(b"\r", b"\n")

    export = read(files)

    assert export.texts == ["one\ntwo\nthree", "next", "a\n\nb"]
    assert export.metadata["warnings"] == []


def test_rows_of_too_many_or_few_fields_are_counted_in_a_warning(read: Make) -> None:
    files = dump([row(1, "a"), row(2, "b", sender=ME)])
    lines = files["message.csv"].splitlines(keepends=True)
    lines[2:2] = [lines[1].rstrip(b"\n") + b",1,2\n", b"7,8\n"]
    files["message.csv"] = b"".join(lines)

    export = read(files)

    assert export.texts == ["a", "b"]
    assert export.metadata["warnings"] == ["message.csv: 2 broken rows were left out"]


def test_of_a_file_that_is_cut_off_all_complete_rows_are_read(read: Make) -> None:
    files = dump([row(1, "a"), row(2, "b"), row(3, "one\ntwo 😀 three")])
    content = files["message.csv"]

    for end in (content.index(b"two"), content.index("😀".encode()) + 2):
        export = read(files | {"message.csv": content[:end]})
        assert export.texts == ["a", "b"]
        assert "cut off" in export.metadata["warnings"][0]


def test_marks_of_byte_order_are_no_part_of_the_first_column(read: Make) -> None:
    files = dump(TALK)

    marked = {name: b"\xef\xbb\xbf" + content for name, content in files.items()}

    assert read(marked).digests == read(files).digests


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_that_went_through_a_table_program_are_read(
    separator: str, end: str, mark: str, read: Make
) -> None:
    rows = [row(1, "a;b,c\td"), row(2, "one\ntwo", sender=ME), row(3, 'say "hi"'), row(4, "end")]
    files = dump(rows)

    def rewritten(content: bytes) -> bytes:
        table = list(csv.reader(io.StringIO(content.decode())))
        order = sorted(range(len(table[0])), key=lambda at: table[0][at])  # by name
        written = io.StringIO()
        writer = csv.writer(written, delimiter=separator, lineterminator=end)
        writer.writerows([[fields[at] for at in order] for fields in table])
        return f"{mark}{written.getvalue()}".encode()

    export = read({name: rewritten(content) for name, content in files.items()})

    assert export.digests == read(files).digests
    assert export.metadata["warnings"] == []


def test_tables_without_a_row_are_refused_by_name(read: Make) -> None:
    header = dump(TALK)["message.csv"].partition(b"\n")[0] + b"\n"

    with pytest.raises(InputError, match=r"message\.csv: .*nothing follows the names of columns"):
        read(dump(TALK) | {"message.csv": header})
    with pytest.raises(InputError, match="2 broken rows were left out"):
        read(dump(TALK) | {"message.csv": header + 2 * (b"1" + b"," * 99 + b"\n")})
    assert read(dump(TALK) | {"sms.csv": header}).texts == TEXTS


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\xff\xfe_\x00i\x00d\x00", "UTF-16"),
        (csv_of([row(1, "a")]).replace(b",a,", b",\xe9,"), "not UTF-8"),
        (b"", "the file is empty"),
        (b"\n\r\n", "the file is empty"),
        (b"_id\rthread_id\r1\r", "carriage returns alone"),
        (b"name,age\nx,3\n", "it has name, age"),
    ],
)
def test_what_is_no_table_of_messages_is_refused(content: bytes, found: str, read: Make) -> None:
    with pytest.raises(InputError, match=found):
        read({"message.csv": content})


def test_long_fields_are_read_and_endless_ones_are_refused(
    read: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = csv.field_size_limit()
    long = "x" * 300_000
    assert read(dump([row(1, long, message_extras="QUJD" * 200_000)])).texts == [long]

    monkeypatch.setattr(csv_rows, "MOST_FIELD", 100_000)
    with pytest.raises(InputError, match="not CSV: field larger"):
        read(dump([row(1, long)]))
    monkeypatch.setattr(text_lines, "MOST_LINE", 100_000)
    with pytest.raises(InputError, match="a line without end"):
        read({"message.csv": b"_id" * 1_000_000})
    assert csv.field_size_limit() == limit


def test_files_without_a_table_of_messages_are_refused_by_their_names(read: Make) -> None:
    with pytest.raises(InputError, match=r"no table of messages among recipient\.csv, "):
        read({name: dump(TALK)[name] for name in ("recipient.csv", "thread.csv")})
