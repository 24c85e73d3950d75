"""Messages → CSV in any version of the schema, in any order → read → the same messages."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonare_pipeline.chats.reading.sorting import Limits
from tests.chats.signal.dumps import BEA, CYD, GROUP, ME, START, VERSIONS, Row, dump, row

Make = Callable[..., Any]
PROPERTY = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
TIGHT = st.builds(
    Limits,
    run_records=st.integers(1, 6),
    block_records=st.integers(1, 3),
    run_bytes=st.sampled_from([1, 600]),
    block_bytes=st.sampled_from([1, 300]),
    fan_in=st.integers(2, 3),
    stretch_rows=st.integers(1, 5),
    stretch_bytes=st.sampled_from([1, 1 << 20]),
    bearable_visits=st.sampled_from([0, 4]),
)
# No lone surrogates, which are no text, and no NUL, at which SQLite ends one.
TEXTS = st.text(
    st.one_of(
        st.sampled_from(list('\r\n",\t \u2028\ufffc😀')),
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
    ),
    max_size=12,
)


@st.composite
def talks(draw: st.DrawFn) -> list[Row]:
    """Rows of two threads; some answer an earlier one, whose time no other row has."""
    rows: list[Row] = []
    for number in range(1, draw(st.integers(1, 25)) + 1):
        thread = draw(st.sampled_from([1, 2]))
        sender = draw(st.sampled_from([ME, BEA] if thread == 1 else [ME, BEA, CYD]))
        found = row(
            number * 3,
            draw(TEXTS),
            sender=sender,
            thread_id=thread,
            to_recipient_id=(BEA if thread == 1 else GROUP) if sender == ME else ME,
            date_sent=START + draw(st.integers(0, 5)) * 1_000_000 + number,
        )
        earlier = [other for other in rows if other["thread_id"] == thread]
        if earlier and draw(st.sampled_from(["answer", ""])):
            quoted = draw(st.sampled_from(earlier))
            found["quote_id"] = quoted["date_sent"]
            found["quote_author"] = quoted["from_recipient_id"]
        rows.append(found)
    return rows


def expected(rows: list[Row]) -> list[tuple[Any, ...]]:
    numbers = {found["date_sent"]: found["_id"] for found in rows}
    found = [
        (
            f"signal:{row['thread_id']}:{row['_id']}",
            f"signal:user{row['from_recipient_id']}",
            row["from_recipient_id"] == ME,
            dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(milliseconds=row["date_sent"]),
            row["body"],
            f"signal:{row['thread_id']}:{numbers[row['quote_id']]}" if row["quote_id"] else None,
        )
        for row in rows
    ]
    return sorted(found, key=lambda said: (said[0].split(":")[1], said[3], said[0]))


@PROPERTY
@given(
    data=st.data(),
    rows=talks(),
    version=st.sampled_from(sorted(VERSIONS)),
    limits=TIGHT,
)
def test_messages_come_back_from_any_version_in_any_order(
    data: st.DataObject, rows: list[Row], version: str, limits: Limits, read: Make
) -> None:
    shuffled = data.draw(st.permutations(rows))

    export = read(
        dump(shuffled, VERSIONS[version]), limits=limits, owner="signal:2", chat_kinds=KINDS
    )

    columns = ("message_id", "sender_id", "is_owner", "sent_at", "text", "reply_to_id")
    found = [tuple(message[name] for name in columns) for message in export.messages]
    assert found == expected(rows)
    assert export.dropped == []


@PROPERTY
@given(data=st.data(), rows=talks(), limits=TIGHT)
def test_rows_in_any_order_and_given_twice_are_the_same_messages(
    data: st.DataObject, rows: list[Row], limits: Limits, read: Make
) -> None:
    twice = data.draw(st.lists(st.sampled_from(rows), max_size=5, unique_by=lambda row: row["_id"]))
    shuffled = data.draw(st.permutations([*rows, *twice]))

    export, plain = read(dump(shuffled), limits=limits), read(dump(rows))

    assert export.messages == plain.messages
    assert export.counts.get("duplicate", 0) == len(twice)


KINDS = ("personal_chat", "private_group")
