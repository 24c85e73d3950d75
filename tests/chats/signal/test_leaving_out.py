"""Which rows are no messages, each with its reason, and people who are forgotten."""

from collections.abc import Callable
from typing import Any

import pytest

from resonare_pipeline.chats.forgetting import ForgetSettings, ForgottenPerson
from resonare_pipeline.errors import InputError
from resonare_pipeline.fingerprint import short_hash
from tests.chats.signal.dumps import BEA, CYD, GROUP, INCOMING, ME, PEOPLE, SENT, dump, row

Make = Callable[..., Any]
REASONS: dict[str, list[dict[str, Any]]] = {
    "service": [{"type": base} for base in (1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)]
    + [{"type": INCOMING | bit} for bit in (0x10000, 0x20000, 0x40000, 0x400000, 0x200, 0x2000)]
    + [{"type": SENT | special << 32} for special in (2, 3, 4, 5, 6, 8, 9, 12, 13)]
    + [{"type": SENT | 0x90000}],
    "unsupported": [{"type": 5}, {"type": 6}],
    "draft": [{"type": 27}],
    "not_sent": [{"type": SENT & ~0x1F | base} for base in (24, 25, 26)],
    "old_revision": [{"latest_revision_id": 9}],
    "deleted": [{"remote_deleted": 1}, {"remote_deleted": "1.0"}],
    "view_once": [{"view_once": 1}],
    "story": [{"story_type": 1}, {"type": INCOMING | 1 << 32}, {"parent_story_id": 4}],
    "scheduled": [{"scheduled_date": 1_800_000_000_000}],
    "no_date": [{"date_sent": 0, "date_received": -1}],
    "unreadable": [
        {"type": ""},
        {"type": "x"},
        {"from_recipient_id": "+12025550103"},
        {"from_recipient_id": "12025550103"},
        {"_id": "x"},
    ],
}


@pytest.mark.parametrize(
    ("reason", "more"),
    [(reason, more) for reason, cases in REASONS.items() for more in cases],
)
def test_what_is_no_message_is_left_out_with_its_reason(
    reason: str, more: dict[str, Any], read: Make
) -> None:
    export = read(dump([row(1, "kept"), row(2, "left out") | more, row(3, "kept", sender=ME)]))

    assert export.texts == ["kept", "kept"]
    number = f"h{short_hash('x')}" if more.get("_id") else "2"
    assert export.dropped == [{"id": f"signal:1:{number}", "reason": reason, "items": 1}]
    assert export.chats[0]["dropped_count"] == 1


@pytest.mark.parametrize(
    "more",
    [
        {"type": 20},
        {"type": 21 | 0xA00000},
        {"type": 22 | 0xA00000},
        {"type": 23},
        {"type": "10485780.0"},
        {"remote_deleted": "0.0", "view_once": "0.0", "story_type": "", "scheduled_date": "-1.0"},
        {"latest_revision_id": "", "parent_story_id": -3},
    ],
)
def test_what_is_a_message_is_kept(more: dict[str, Any], read: Make) -> None:
    export = read(dump([row(1, "a") | more]))

    assert export.texts == ["a"]
    assert export.dropped == []


def test_deleted_by_somebody_is_deleted(read: Make) -> None:
    rows = [
        {key: value for key, value in found.items() if key != "remote_deleted"} | {"deleted_by": by}
        for found, by in ((row(1), ""), (row(2), 3), (row(3), 0))
    ]

    export = read(dump(rows))

    assert export.ids == ["signal:1:1", "signal:1:3"]
    assert export.counts == {"deleted": 1}


def test_blocked_people_are_left_out_with_their_chats_if_asked_for(read: Make) -> None:
    people = [found | {"blocked": int(found["_id"] == BEA)} for found in PEOPLE]
    rows = [
        row(1, "from Bea"),
        row(2, "to Bea", sender=ME),
        row(3, "Bea to all", thread_id=2),
        row(4, "Cyd to all", sender=CYD, thread_id=2),
        row(5, "to all", sender=ME, thread_id=2, to_recipient_id=GROUP),
    ]

    export = read(dump(rows, recipient=people), exclude_blocked=True)

    assert export.texts == ["Cyd to all", "to all"]
    assert export.counts == {"blocked": 3}
    assert len(read(dump(rows, recipient=people)).texts) == 5


def test_rows_of_no_thread_are_counted_in_a_warning(read: Make) -> None:
    export = read(dump([row(1), row(2, thread_id="")]))

    assert export.ids == ["signal:1:1"]
    assert export.metadata["warnings"][0] == "1 rows that name no thread were left out"


def test_a_dump_of_nothing_but_notices_is_refused(read: Make) -> None:
    with pytest.raises(InputError, match="none of 1 messages"):
        read(dump([row(1, type=4)]))


def forgetting(*ids: str, names: tuple[str, ...] = ()) -> ForgetSettings:
    return ForgetSettings(people={person: ForgottenPerson(names=names) for person in ids})


def test_forgetting_a_recipient_leaves_the_thread_of_the_same_number(read: Make) -> None:
    """Thread 3 is with Cyd, and thread 4 with Bea, who is recipient 3."""
    threads = [{"_id": BEA, "recipient_id": CYD}, {"_id": CYD, "recipient_id": BEA}]
    rows = [
        row(1, "from Cyd about 3 things", sender=CYD, thread_id=BEA),
        row(2, "to Cyd", sender=ME, thread_id=BEA, to_recipient_id=CYD),
        row(3, "from Bea", thread_id=CYD),
        row(4, "to Bea", sender=ME, thread_id=CYD),
    ]

    export = read(dump(rows, thread=threads), forget=forgetting("signal:user3", names=("Bea",)))

    assert export.texts == ["from Cyd about 3 things", "to Cyd"]
    assert [chat["chat_id"] for chat in export.chats] == ["signal:3"]
    assert {"id": "[forgotten]", "reason": "forgotten", "items": 2} in export.dropped
    assert [person["name"] for person in export.chats[0]["participants"]] == ["Ann Tan", "Cyd"]


def test_mentions_of_a_forgotten_person_are_gone(read: Make) -> None:
    files = dump(
        [
            row(1, "ask \ufffc", sender=ME, thread_id=2, to_recipient_id=GROUP),
            row(2, "I am Bea", thread_id=2),
            row(3, "who?", sender=CYD, thread_id=2),
        ],
        mention=[
            {"_id": 1, "message_id": 1, "recipient_id": BEA, "range_start": 4, "range_length": 1}
        ],
    )

    export = read(files, forget=forgetting("signal:user3", names=("Bea",)))

    assert export.texts == ["ask [forgotten]", "who?"]
    assert "Bea" not in repr((export.chats, export.messages, export.dropped))
    assert len(PEOPLE) == 4
