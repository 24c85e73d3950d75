import datetime as dt
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.chats.enriching import EnrichedMessagesSettings, enrich_messages
from resonare_pipeline.rows import MESSAGES

DAYS = ("2024-01-01", "2024-01-02", "2024-01-03")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFiles(tmp_path))


@pytest.fixture
def messages(store: Store) -> Artifact:
    """Two messages a day, in its first and last microsecond: Ann's and a nameless one's."""
    draft = store.output(store.attempt("messages", "p", "f"), "messages")
    with draft.table("messages.parquet", MESSAGES) as table:
        for day in DAYS:
            first = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
            last = first + dt.timedelta(days=1) - dt.timedelta(microseconds=1)
            for sent_at, sender, name in ((first, "telegram:user1", "Ann"), (last, None, None)):
                row = dict.fromkeys(MESSAGES.names) | {
                    "message_id": f"{day}{'a' if name else 'b'}",
                    "chat_id": "telegram:user1",
                    "sender_id": sender,
                    "sender_name": name,
                    "is_owner": False,
                    "sent_at": sent_at,
                    "text": "hi",
                }
                table.add(row)
    draft.report(rows=6)
    return draft.staged()


def enrich(store: Store, messages: Artifact, settings: EnrichedMessagesSettings) -> Artifact:
    draft = store.output(store.attempt("enriched_messages", "p", "f"), "enriched_messages")
    enrich_messages(messages, draft, settings)
    return draft.staged()


def ids(artifact: Artifact) -> list[str]:
    return [row["message_id"] for row in artifact.rows("messages.parquet")]


def test_enrich_messages_without_rules_is_an_alias(store: Store, messages: Artifact) -> None:
    enriched = enrich(store, messages, EnrichedMessagesSettings())
    assert enriched.entry.alias_of == "messages"
    assert enriched.digest == messages.digest
    assert enriched.entry.files == messages.entry.files


def test_enrich_messages_since_and_until_are_whole_days_included(
    store: Store, messages: Artifact
) -> None:
    day = dt.date(2024, 1, 2)
    enriched = enrich(store, messages, EnrichedMessagesSettings(since=day, until=day))
    assert ids(enriched) == ["2024-01-02a", "2024-01-02b"]
    assert enriched.entry.dropped == {"after_until": 2, "before_since": 2}
    dropped = {row["id"]: row["reason"] for row in enriched.rows("dropped.parquet")}
    assert dropped["2024-01-01b"] == "before_since"
    assert dropped["2024-01-03a"] == "after_until"


@pytest.mark.parametrize("who", ["Ann", "telegram:user1"])
def test_enrich_messages_excluded_sender_goes_and_the_nameless_stay(
    store: Store, messages: Artifact, who: str
) -> None:
    enriched = enrich(store, messages, EnrichedMessagesSettings(exclude_senders=(who,)))
    assert ids(enriched) == [f"{day}b" for day in DAYS]
    assert enriched.entry.dropped == {"excluded_sender": 3}
