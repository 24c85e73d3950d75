"""Messages → messages without names, numbers and keys, before anything is cut from them.

Reads all messages once for who is in them, whom rules leave out included, then a batch at a time.
What may not live here: what is redacted (`privacy`), and which messages go on (`enriching`).
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial

import pyarrow as pa

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.chats.labels import SOMEBODY
from resonare_pipeline.chats.linking import NO_LINKS, Links
from resonare_pipeline.counting import worker_count
from resonare_pipeline.privacy.kinds import Kind
from resonare_pipeline.privacy.people import Person, label_people
from resonare_pipeline.privacy.redaction import Redactor
from resonare_pipeline.privacy.settings import PrivacySettings
from resonare_pipeline.rows import MESSAGES
from resonare_pipeline.workers import map_in_order

NAME_KEY = "name:"  # of people without a sender id
SENDER = ["sender_id", "sender_name"]
DROPPED_COLUMNS = ("entities", "media_path")  # offsets into the old text; names of files

Batches = Iterable[pa.RecordBatch]


def find_people(
    messages: Artifact, file: str, settings: PrivacySettings, links: Links = NO_LINKS
) -> tuple[Person, ...]:
    """Return who wrote messages, by their first one, each with all names that they had.

    Args:
        links: Who of them is one person.
    """
    first: dict[tuple[str | None, str | None], dt.datetime] = {}
    for batch in messages.batches(file, columns=[*SENDER, "sent_at"]):
        seen = pa.Table.from_batches([batch]).group_by(SENDER).aggregate([("sent_at", "min")])
        for row in seen.to_pylist():
            key, sent_at = (row["sender_id"], row["sender_name"]), row["sent_at_min"]
            first[key] = min(sent_at, first.get(key, sent_at))
    ordered = sorted(first, key=lambda key: (first[key], _key(*key), key[1] or ""))
    named = ((links.id(key[0]), key[1]) for key in ordered if any(key))
    linked = ((person_id, name) for person_id, name in links.people.values())
    present = [*named, *linked] if ordered else []
    return label_people(((_key(*key), (key[1],) if key[1] else ()) for key in present), settings)


def labels_by_id(people: Sequence[Person]) -> dict[str, str]:
    """Return the labels of those who have a sender id; the keys of others hold their names."""
    return {person.key: person.label for person in people if not person.key.startswith(NAME_KEY)}


def _key(sender_id: str | None, name: str | None) -> str:
    return sender_id or f"{NAME_KEY}{name}"


def redact_batches(
    batches: Batches, people: Sequence[Person], settings: PrivacySettings, rows: int
) -> Iterator[tuple[pa.RecordBatch, Counter[Kind]]]:
    """Yield batches in which texts and names are redacted, and what was replaced in texts.

    Args:
        people: As `find_people` returns them.
        rows: How many there are, which decides whether other processes help.
    """
    work = partial(_redact_batch, people=tuple(people), settings=settings)
    jobs = ((None, batch) for batch in batches)
    for _, done in map_in_order(work, jobs, workers=worker_count(None, rows)):
        yield done


def _redact_batch(
    batch: pa.RecordBatch, *, people: tuple[Person, ...], settings: PrivacySettings
) -> tuple[pa.RecordBatch, Counter[Kind]]:
    redactor = _redactor(people, settings)
    counts: Counter[Kind] = Counter()
    texts: list[str] = []
    for text in batch.column("text").to_pylist():
        done = redactor.redact(text)
        texts.append(done.text)
        counts.update(done.counts)
    columns = {
        "text": texts,
        "sender_name": _senders(batch, people),
        "forwarded_from": _origins(batch, people, settings),
    }
    columns |= {name: [None] * batch.num_rows for name in DROPPED_COLUMNS}
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns
        else batch.column(field.name)
        for field in MESSAGES
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=MESSAGES), counts


@lru_cache(maxsize=2)
def _redactor(people: tuple[Person, ...], settings: PrivacySettings) -> Redactor:
    return Redactor(settings, people)


def _senders(batch: pa.RecordBatch, people: Sequence[Person]) -> list[str | None]:
    labels = {person.key: person.label for person in people}
    ids, names = (batch.column(name).to_pylist() for name in SENDER)
    return [
        None if name is None else labels[_key(sender_id, name)]
        for sender_id, name in zip(ids, names, strict=True)
    ]


def _origins(
    batch: pa.RecordBatch, people: Sequence[Person], settings: PrivacySettings
) -> list[str | None]:
    names: list[str | None] = batch.column("forwarded_from").to_pylist()
    if settings.people == "keep":
        return names
    labels = {name: person.label for person in reversed(people) for name in person.names}
    return [None if name is None else labels.get(name, SOMEBODY) for name in names]
