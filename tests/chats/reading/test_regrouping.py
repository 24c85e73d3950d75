"""Rows of many chats that stand mixed reach their chats whole, in order, in few batches."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonare_pipeline.chats.reading.parsed import PARSED, ParsedRun, Sender
from resonare_pipeline.chats.reading.regrouping import Regrouping
from resonare_pipeline.chats.reading.sorting import LIMITS, Limits
from resonare_pipeline.chats.reading.spool import Span, Spool

TIGHT = Limits(
    run_records=3,
    block_records=2,
    run_bytes=200,
    block_bytes=100,
    fan_in=2,
    stretch_rows=4,
    stretch_bytes=1 << 20,
    bearable_visits=0,
)


def run_of(chats: list[int], start: int) -> ParsedRun:
    """One row for each number of a chat; it is sent by the chat's own sender."""
    numbers = range(start, start + len(chats))
    senders = sorted(set(chats))
    given_columns: dict[str, list[object]] = {
        "number": list(numbers),
        "sender": [senders.index(chat) for chat in chats],
        "sent_at": [number * 60_000_000 for number in numbers],
        "text": [
            f"row {number} of chat {chat}" for chat, number in zip(chats, numbers, strict=True)
        ],
    }
    arrays = [
        pa.array(given_columns.get(column.name, [None] * len(chats)), column.type)
        for column in PARSED
    ]
    return ParsedRun(
        rows=pa.record_batch(arrays, schema=PARSED),
        senders=[Sender(f"signal:user{chat}", None) for chat in senders],
        dropped=(),
        local_times=0,
    )


def regroup(folder: Path, pieces: list[list[int]], limits: Limits) -> tuple[Spool, dict[int, Span]]:
    folder.mkdir(parents=True, exist_ok=True)
    spool = Spool(folder)
    spans = {chat: Span(place=(0, chat)) for piece in pieces for chat in piece}
    regrouping = Regrouping(spool, limits)
    done = 0
    for piece in pieces:
        regrouping.add(run_of(piece, done), np.array(piece, np.int64))
        done += len(piece)
    regrouping.finish(spans)
    spool.close()
    return spool, spans


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    pieces=st.lists(st.lists(st.integers(0, 6), max_size=12), max_size=7),
    limits=st.sampled_from([LIMITS, TIGHT]),
)
def test_every_chat_gets_its_rows_in_the_order_in_which_they_came(
    pieces: list[list[int]], limits: Limits, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool, spans = regroup(folder, pieces, limits)
    mixed = [chat for piece in pieces for chat in piece]

    with closing(spool.readers):
        for chat, span in spans.items():
            batches = [spool.batch(number) for number in span.batches]
            own = [number for number, other in enumerate(mixed) if other == chat]
            assert [n for batch in batches for n in batch.column("number").to_pylist()] == own
            codes = {code for batch in batches for code in batch.column("sender").to_pylist()}
            assert {spool.senders[code].id for code in codes} == {f"signal:user{chat}"}
            assert [spool.keys(n).column("number")[0].as_py() for n in span.batches] == [
                batch.column("number")[0].as_py() for batch in batches
            ]
            assert (span.rows, span.elements, span.ordered) == (len(own), len(own), True)
            assert (span.first_sent, span.last_number) == (own[0] * 60_000_000, own[-1])
            assert span.tallies == {codes.pop(): (len(own), len(own) - 1)}
            assert span.first == (
                own[0] * 60_000_000,
                f"signal:user{chat}",
                f"row {own[0]} of chat {chat}",
            )


def test_chats_that_are_in_every_piece_have_few_batches_and_files(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    pieces = [draw.permutation(500).tolist() for _ in range(30)]

    _, spans = regroup(tmp_path / "spool", pieces, LIMITS)

    batches = sum(len(span.batches) for span in spans.values())
    assert batches < 2 * len(spans)  # and not one for each piece
    assert len(list((tmp_path / "spool").glob("*.arrow"))) < 10
