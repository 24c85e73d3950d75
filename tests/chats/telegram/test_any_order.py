"""Any order of messages, and any split of a chat into files, gives what one file in order gives."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonare_pipeline.chats.reading.sorting import LIMITS, Limits

Make = Callable[..., Any]
Row = dict[str, Any]

START = 1_700_000_000
NAMES = [("user1", "Ann"), ("user1", "Ann Tan"), ("user2", "Bea"), ("user3", None)]
# Runs of a few records, merged two at a time, and rows written anew wherever that can be.
TIGHT = st.builds(
    Limits,
    run_records=st.integers(1, 6),
    block_records=st.integers(1, 3),
    run_bytes=st.sampled_from([1, 600, 2_000]),
    block_bytes=st.sampled_from([1, 300]),
    fan_in=st.integers(2, 3),
    stretch_rows=st.integers(1, 5),
    stretch_bytes=st.sampled_from([1, 500, 1 << 20]),
    bearable_visits=st.sampled_from([0, 0, 1, 4]),
)
WINDOWS = st.sampled_from([1, 300, 1_500, 1 << 19])
PROPERTY = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def row_of(number: int | str | None, seconds: int, sender: int, text: str, **more: Any) -> Row:
    sender_id, name = NAMES[sender]
    row: Row = {} if number is None else {"id": number}
    row |= {"type": "message", "date_unixtime": str(START + seconds), "from": name}
    return row | {"from_id": sender_id, "text": text} | more


@st.composite
def ordered_chats(draw: st.DrawFn) -> list[Row]:
    """Messages of distinct ids and times, in order; some ids are given out twice."""
    places = draw(
        st.lists(st.tuples(st.integers(0, 9), st.integers(1, 12)), max_size=30, unique=True)
    )
    return [
        row_of(number, seconds, draw(st.integers(0, 3)), draw(st.sampled_from(["", "a", "é b"])))
        for seconds, number in sorted(places)
    ]


@st.composite
def split(draw: st.DrawFn, rows: list[Row]) -> list[list[Row]]:
    """The rows in any order, in one to four files."""
    files: list[list[Row]] = [[] for _ in range(draw(st.integers(1, 4)))]
    for row in draw(st.permutations(rows)):
        draw(st.sampled_from(files)).append(row)
    return files


@PROPERTY
@given(data=st.data(), rows=ordered_chats(), limits=TIGHT, window_bytes=WINDOWS)
def test_any_permutation_in_any_files_gives_the_bytes_of_one_ordered_file(
    data: st.DataObject,
    rows: list[Row],
    limits: Limits,
    window_bytes: int,
    read: Make,
    make_chat: Make,
) -> None:
    rows = [*rows, row_of(99, 99, 0, "there is one at least")]
    files = data.draw(split(rows))

    export = read(*(make_chat(*file) for file in files), limits=limits, window_bytes=window_bytes)

    assert export.digests == read(make_chat(*rows)).digests


@PROPERTY
@given(data=st.data(), rows=ordered_chats(), limits=TIGHT, window_bytes=WINDOWS)
def test_versions_in_any_files_and_order_give_the_bytes_of_the_newest_alone(
    data: st.DataObject,
    rows: list[Row],
    limits: Limits,
    window_bytes: int,
    read: Make,
    make_chat: Make,
) -> None:
    rows = [*rows, row_of(99, 99, 0, "there is one at least")]
    versions: list[Row] = []
    newest: list[Row] = []
    for row in rows:
        # None is what was never edited; an edit may be told twice, word for word.
        edits = data.draw(st.lists(st.none() | st.integers(0, 3), min_size=1, max_size=3))
        told = [
            row
            if edit is None
            else row | {"edited_unixtime": str(START + 1_000 + edit), "text": f"edit {edit}"}
            for edit in edits
        ]
        versions += told
        newest.append(max(told, key=lambda row: row.get("edited_unixtime", "")))
    files = data.draw(split(versions))

    export = read(*(make_chat(*file) for file in files), limits=limits, window_bytes=window_bytes)

    alone = read(make_chat(*newest))
    duplicates = len(versions) - len(newest)
    assert export.digests[1] == alone.digests[1]
    assert export.counts.get("duplicate", 0) == duplicates
    assert export.chats == [row | {"dropped_count": duplicates} for row in alone.chats]


@PROPERTY
@given(
    files=st.lists(
        st.lists(
            st.builds(
                row_of,
                st.integers(1, 4) | st.sampled_from(["a", "b", None]),
                st.integers(0, 2),
                st.integers(0, 3),
                st.sampled_from(["", "a"]),
                edited_unixtime=st.sampled_from(["", str(START + 9), str(START + 8)]),
            ),
            max_size=15,
        ),
        min_size=1,
        max_size=3,
    ),
    limits=TIGHT,
    window_bytes=WINDOWS,
)
def test_no_limit_changes_a_byte_whatever_ids_messages_have(
    files: list[list[Row]], limits: Limits, window_bytes: int, read: Make, make_chat: Make
) -> None:
    files[0].append(row_of(9, 0, 0, "there is one at least"))
    chats = [make_chat(*file) for file in files]

    tight = read(*chats, limits=limits, window_bytes=window_bytes)

    assert tight == read(*chats)
    assert [row["sent_at"] for row in tight.messages] == sorted(
        row["sent_at"] for row in tight.messages
    )


@pytest.mark.parametrize("bearable_visits", [0, LIMITS.bearable_visits])
def test_chat_of_many_stretches_gives_the_bytes_of_the_ordered_one(
    bearable_visits: int, read: Make, make_chat: Make, make_message: Make
) -> None:
    count = 9_001
    rows = [make_message(number, f"text {number}") for number in range(1, count + 1)]
    shuffled = [rows[index * 71 % count] for index in range(count)]
    limits = dataclasses.replace(
        LIMITS, run_records=1_000, run_bytes=1 << 16, bearable_visits=bearable_visits
    )

    export = read(
        make_chat(*shuffled[:4_000]),
        make_chat(*shuffled[3_000:]),
        limits=limits,
        window_bytes=1 << 16,
    )

    alone = read(make_chat(*rows))
    assert export.digests[1] == alone.digests[1]
    assert export.counts == {"duplicate": 1_000}
