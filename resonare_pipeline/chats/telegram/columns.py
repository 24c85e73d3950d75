"""Messages of one chat as columns: bytes of JSON in, Arrow columns out, and nothing else touched.

Work is done column by column over some thousand messages at once. Each column has a quick way for
values that are all of the usual type and a careful way for the rest; both give the same result.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from msgspec import UNSET

from resonare_pipeline.chats.reading.parsed import PARSED, KeptRun, ParsedRun, Sender, keep_runs
from resonare_pipeline.chats.reading.reasons import Reason
from resonare_pipeline.chats.telegram import content, times
from resonare_pipeline.chats.telegram.borders import split
from resonare_pipeline.chats.telegram.ids import LARGEST, sender_id, whole_number
from resonare_pipeline.chats.telegram.message import (
    Message,
    Unreadable,
    decode_element,
    decode_run,
    layout_free,
)
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.rows import ENTITY, REACTION, TIMESTAMP

Dropped = list[tuple[str, str]]
NUMBERS: set[type] = {int}
STRINGS: set[type] = {str}
ID_TYPES: set[type] = {str, int, type(None)}


def parse_run(body: bytes, zone: dt.tzinfo, path: Path) -> KeptRun | None:
    """Parse messages parted by commas into a file; None if `body` is not made of whole elements.

    Raises:
        StoreError: If the file cannot be written.
    """
    messages = decode_run(body)
    return None if messages is None else keep_runs([to_columns(messages, zone)], path)[0]


def parse_file(source: Path, zone: dt.tzinfo, path: Path) -> KeptRun | None:
    """Parse a run that lies in a file of its own, which is deleted; else as `parse_run`."""
    body = source.read_bytes()
    source.unlink()
    return parse_run(body, zone, path)


def parse_pieces(body: bytes, zone: dt.tzinfo) -> ParsedRun:
    """Parse messages one by one, of which some may be broken.

    Raises:
        UnicodeDecodeError: If one is not UTF-8; `start` counts from the start of `body`.
    """
    messages: list[Message] = []
    dropped: Dropped = []
    for offset, piece in split(body):
        try:
            element = decode_element(piece)
        except UnicodeDecodeError as error:
            raise UnicodeDecodeError(
                error.encoding, body, offset + error.start, offset + error.end, error.reason
            ) from error
        if isinstance(element, Unreadable):
            dropped.append((f"h{short_hash(element.source)}", Reason.UNREADABLE))
        else:
            messages.append(element)
    return to_columns(messages, zone, dropped)


def to_columns(
    messages: list[Message], zone: dt.tzinfo, dropped: Sequence[tuple[str, str]] = ()
) -> ParsedRun:
    """Return messages as columns, those left out with their reasons."""
    return to_runs([(messages, dropped)], zone)[0]


def to_runs(
    runs: Iterable[tuple[list[Message], Sequence[tuple[str, str]]]], zone: dt.tzinfo
) -> list[ParsedRun]:
    """Return several runs of messages as columns; these are made together, and then parted.

    Args:
        runs: Messages, and (id in the source, reason) of others that were left out already.
        zone: Of times that have none.
    """
    parts = [_part(messages, zone, dropped) for messages, dropped in runs]
    rows = _rows(parts, zone)
    parsed: list[ParsedRun] = []
    start = 0
    for part in parts:
        parsed.append(
            ParsedRun(
                rows=rows.slice(start, len(part.messages)),
                senders=part.senders,
                dropped=part.dropped,
                local_times=part.local_times,
                old_numbers=part.old_numbers,
            )
        )
        start += len(part.messages)
    return parsed


class _Part(NamedTuple):
    """One run: the messages that are kept, and what of them is not the same in other runs."""

    messages: list[Message]
    sent: list[int]
    senders: list[Sender]
    codes: list[int]
    dropped: Dropped
    local_times: int
    old_numbers: bool


def _part(messages: list[Message], zone: dt.tzinfo, dropped: Sequence[tuple[str, str]]) -> _Part:
    left_out = list(dropped)
    kept = _messages_only(messages, left_out)
    sent, local_times = _sent_times(kept, zone)
    if None in sent:
        left_out += [
            (_source_id(message), Reason.NO_DATE)
            for message, time in zip(kept, sent, strict=True)
            if time is None
        ]
        kept = [message for message, time in zip(kept, sent, strict=True) if time is not None]
    sent_at = [time for time in sent if time is not None]
    senders, codes, old_numbers = _senders(kept)
    return _Part(kept, sent_at, senders, codes, left_out, local_times, old_numbers)


def _rows(parts: list[_Part], zone: dt.tzinfo) -> pa.RecordBatch:
    messages = [message for part in parts for message in part.messages]
    sent_at = [time for part in parts for time in part.sent]
    codes = [code for part in parts for code in part.codes]
    sender_ids = [part.senders[code].id for part in parts for code in part.codes]
    texts = _texts(messages)
    numbers, labels, hashes = _ids(messages, sent_at, texts, sender_ids)
    reply_numbers, replies_elsewhere = _replies(messages)
    columns = [
        pa.array(numbers, pa.int64()),
        _sparse(labels, pa.string()),
        _sparse(hashes, pa.int64()),
        pa.array(np.array(codes, np.int32)),
        pa.array(np.array(sent_at, np.int64)).cast(TIMESTAMP),
        pa.array(texts, pa.string()),
        _sparse(_entities(messages, texts), pa.list_(ENTITY)),
        _sparse(reply_numbers, pa.int64()),
        _sparse(replies_elsewhere, pa.string()),
        _sparse(_forwarded(messages), pa.string()),
        _sparse(_media_kinds(messages), pa.string()),
        _sparse(_media_paths(messages), pa.string()),
        _sparse(_each(messages, "reactions", content.reactions_of), pa.list_(REACTION)),
        _edit_times(messages, sent_at, zone),
    ]
    return pa.record_batch(columns, schema=PARSED)


def _messages_only(messages: list[Message], dropped: Dropped) -> list[Message]:
    reasons = [
        None if message.type == "message" else _reason_to_drop(message) for message in messages
    ]
    if reasons.count(None) == len(messages):
        return messages
    pairs = list(zip(messages, reasons, strict=True))
    dropped += [(_source_id(message), reason) for message, reason in pairs if reason is not None]
    return [message for message, reason in pairs if reason is None]


def _reason_to_drop(message: Message) -> Reason | None:
    if message.type in (Reason.SERVICE, Reason.UNSUPPORTED):
        return Reason(message.type)
    if isinstance(message.action, str):
        return Reason.SERVICE
    told = (message.text, message.text_entities, message.date, message.date_unixtime)
    return Reason.UNREADABLE if all(value is None for value in told) else None


def _source_id(message: Message) -> str:
    if isinstance(message.id, str | int) and not isinstance(message.id, bool) and message.id != "":
        return str(message.id)
    return f"h{short_hash(layout_free(message))}"


def _column(messages: Iterable[Message], name: str) -> list[Any]:
    return list(map(attrgetter(name), messages))


def _each(messages: list[Message], name: str, read: Callable[[object], Any]) -> list[Any]:
    return [None if value is None else read(value) for value in _column(messages, name)]


def _sparse(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Return a column that is mostly or wholly null."""
    if values.count(None) == len(values):
        return pa.nulls(len(values), kind)
    return pa.array(values, kind)


def _types(values: list[Any]) -> set[type]:
    return set(map(type, values))


def _sent_times(messages: list[Message], zone: dt.tzinfo) -> tuple[list[int | None], int]:
    seconds = _column(messages, "date_unixtime")
    if _types(seconds) in (STRINGS, NUMBERS):
        try:
            whole = np.array(list(map(int, seconds)), np.int64)
        except (ValueError, OverflowError):
            whole = np.zeros(1, np.int64)
        if whole.min() > 0 and whole.max() < times.END_OF_TIME:
            return (whole * times.MICROSECONDS).tolist(), 0
    clocks = _column(messages, "date")
    found = [times.of_message(*pair, zone) for pair in zip(seconds, clocks, strict=True)]
    return [time for time, _ in found], sum(local for _, local in found)


def _edit_times(messages: list[Message], sent: list[int], zone: dt.tzinfo) -> pa.Array:
    seconds, clocks = _column(messages, "edited_unixtime"), _column(messages, "edited")
    if seconds.count(None) == clocks.count(None) == len(messages):
        return pa.nulls(len(messages), TIMESTAMP)
    edited = [
        None if second is None and clock is None else times.of_message(second, clock, zone)[0]
        for second, clock in zip(seconds, clocks, strict=True)
    ]
    # Early exports write 1970 for messages that were never edited.
    later = [
        time if time is not None and time >= since else None
        for time, since in zip(edited, sent, strict=True)
    ]
    return pa.array(later, pa.int64()).cast(TIMESTAMP)


def _senders(messages: list[Message]) -> tuple[list[Sender], list[int], bool]:
    ids, names = _column(messages, "from_id"), _column(messages, "from_name")
    if not _types(ids) <= ID_TYPES:
        ids = [value if type(value) in ID_TYPES else None for value in ids]
    if not _types(names) <= {str, type(None)}:
        names = content.strings(names)
    index: dict[tuple[str | int | None, str | None], int] = {}
    codes = [index.setdefault(pair, len(index)) for pair in zip(ids, names, strict=True)]
    senders = [Sender(sender_id(said, name), name or None) for said, name in index]
    return senders, codes, any(isinstance(said, int) for said, _ in index)


def _texts(messages: list[Message]) -> list[str]:
    texts = _column(messages, "text")
    if _types(texts) == STRINGS:
        return texts
    return [text if type(text) is str else content.text_of(text) for text in texts]


def _entities(messages: list[Message], texts: list[str]) -> list[list[content.Entity] | None]:
    raw, parts = _column(messages, "text"), _column(messages, "text_entities")
    return [
        None
        # Nearly all messages have one part at most, and that is plain.
        if type(whole) is str
        and (not marks or (len(marks) == 1 and marks[0].type == content.PLAIN))
        else content.entities_of(whole, marks, text)
        for whole, marks, text in zip(raw, parts, texts, strict=True)
    ]


def _ids(
    messages: list[Message], sent: list[int], texts: list[str], senders: list[str | None]
) -> tuple[list[int | None], list[str | None], list[int | None]]:
    said = _column(messages, "id")
    none: list[Any] = [None] * len(said)
    if _types(said) == NUMBERS and min(said) >= -LARGEST and max(said) <= LARGEST:
        return said, none, none
    numbers = [whole_number(value) for value in said]
    labels = [
        _label(value) if number is None else None
        for value, number in zip(said, numbers, strict=True)
    ]
    hashes = [
        int(short_hash(facts), 16) if number is None and label is None else None
        for number, label, facts in zip(
            numbers, labels, zip(sent, senders, texts, strict=True), strict=True
        )
    ]
    return numbers, labels, hashes


def _label(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _replies(messages: list[Message]) -> tuple[list[int | None], list[str | None]]:
    targets = _each(messages, "reply_to_message_id", whole_number)
    peers = _column(messages, "reply_to_peer_id")
    if peers.count(None) == len(peers):
        return targets, peers
    elsewhere = [
        f"{sender_id(peer, None)}:{target}" if target is not None and peer else None
        for target, peer in zip(targets, peers, strict=True)
    ]
    return targets, elsewhere


def _forwarded(messages: list[Message]) -> list[str | None]:
    origins, saved = _column(messages, "forwarded_from"), _column(messages, "saved_from")
    return [
        None if origin is UNSET and kept is None else content.forwarded_from(origin, kept)
        for origin, kept in zip(origins, saved, strict=True)
    ]


def _media_kinds(messages: list[Message]) -> list[str | None]:
    kinds, photos, files = (_column(messages, name) for name in ("media_type", "photo", "file"))
    rare = list(map(content.rare_media, messages))
    return [
        None
        if kind is photo is file is None and others == content.NO_RARE_MEDIA
        else content.media_kind(kind, photo, file, others)
        for kind, photo, file, others in zip(kinds, photos, files, rare, strict=True)
    ]


def _media_paths(messages: list[Message]) -> list[str | None]:
    photos, files = _column(messages, "photo"), _column(messages, "file")
    return [
        None if photo is file is None else content.present(photo) or content.present(file)
        for photo, file in zip(photos, files, strict=True)
    ]
