"""The second reading of a dump's messages: rows become parsed messages on the spool, by thread.

Threads stand mixed in the table; what brings their rows together stands in `reading.regrouping`.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from resonare_pipeline.chats.reading.parsed import PARSED, ParsedRun, Sender
from resonare_pipeline.chats.reading.reasons import Reason
from resonare_pipeline.chats.reading.regrouping import Regrouping
from resonare_pipeline.chats.reading.sorting import LIMITS, Limits
from resonare_pipeline.chats.reading.spool import Span, Spool
from resonare_pipeline.chats.signal.csv_rows import shown
from resonare_pipeline.chats.signal.facts import Fact, FactsByRow
from resonare_pipeline.chats.signal.ids import (
    SELF,
    USER,
    chat_id,
    recipient_of,
    sender_id,
)
from resonare_pipeline.chats.signal.kinds import is_outgoing
from resonare_pipeline.chats.signal.left_out import LeftOut
from resonare_pipeline.chats.signal.media import CONTACT, media_kind
from resonare_pipeline.chats.signal.mentions import Entity, marked_text
from resonare_pipeline.chats.signal.message_rows import (
    Fields,
    MessageRows,
    key_of,
    sent_of,
    source_id,
    why_left_out,
)
from resonare_pipeline.chats.signal.people import People
from resonare_pipeline.chats.signal.styles import styles_of
from resonare_pipeline.chats.signal.values import whole
from resonare_pipeline.rows import TIMESTAMP

HELD_STRETCHES = 4  # of rows, as many as are put together at a time later on
FACT_ROWS = 1 << 12  # rows whose facts are at hand
_MICROSECONDS = 1_000  # in a millisecond, which Signal counts
_NO_CONTACTS = ("", "[]")

Said = list[list[int]]
"""Facts about one message: fact, first, second, third."""


@dataclass(slots=True)
class _Held:
    """Messages that are not on the spool yet, column by column, and the numbers of their chats."""

    columns: list[list[object]] = field(default_factory=lambda: [[] for _ in PARSED.names])
    senders: dict[str, int] = field(default_factory=dict)
    chats: list[int] = field(default_factory=list)
    characters: int = 0


class Messages:
    """Takes the rows of a dump's tables, in the order of the survey.

    Attributes:
        lost: Rows that name no thread.

    Args:
        spool: Where messages go.
        spans: Thread → its messages; those that are not taken are counted.
        people: Names of recipients.
        owner: The recipient that is the owner, if that is known.
        facts: What is said of rows.
        reactions: What the numbers of reactions stand for.
        hidden: Recipients who are left out, and threads with one of them alone.
        limits: How much is held in memory.
    """

    def __init__(
        self,
        spool: Spool,
        spans: Mapping[int, Span],
        people: People,
        owner: int | None,
        facts: FactsByRow,
        reactions: Sequence[str],
        hidden: Collection[int] = (),
        limits: Limits = LIMITS,
    ) -> None:
        self.lost = 0
        self._spool = spool
        self._spans = spans
        self._people = people
        self._owner = SELF if owner is None else sender_id(owner)
        self._owner_name = None if owner is None else people.name(owner)
        self._facts = facts
        self._reactions = reactions
        self._hidden = hidden
        hidden_peers = set(map(sender_id, hidden))
        self._blocked = {number for number, span in spans.items() if span.peer in hidden_peers}
        self._row = 0
        self._said: dict[int, Said] = {}
        self._held = _Held()
        self._limits = limits
        taken = {number: span for number, span in spans.items() if span.taken}
        # Chats are read later by the order of their ids as texts.
        order = sorted(taken, key=lambda number: taken[number].chat_id)
        self._places = {number: place for place, number in enumerate(order)}
        self._spans_in_order = {place: taken[number] for place, number in enumerate(order)}
        self._regrouping = Regrouping(spool, limits)
        self._left_out = LeftOut(spool, limits)

    def add(self, table: MessageRows) -> None:
        """Take in the rows of the next table."""
        for fields in table:
            if not self._row % FACT_ROWS:
                self._said = self._facts.before(self._row + FACT_ROWS)
            self._add(fields, self._said.get(self._row) or [], is_sms=table.is_sms)
            self._row += 1

    def _add(self, fields: Fields, said: Said, *, is_sms: bool) -> None:
        thread = whole(fields.thread)
        span = None if thread is None else self._spans.get(thread)
        if thread is None or span is None:
            self.lost += 1
            return
        if not span.taken:
            span.elements += 1
            return
        kind, sender = whole(fields.kind), recipient_of(fields.sender)
        key, sent = key_of(fields, is_sms=is_sms), sent_of(fields)
        by_owner = kind is not None and is_outgoing(kind)
        is_hidden = thread in self._blocked or (sender in self._hidden and not by_owner)
        reason = why_left_out(fields, kind, sender) or (Reason.BLOCKED if is_hidden else None)
        if reason is not None or key is None or sent is None or sender is None:
            other = Reason.UNREADABLE if key is None else Reason.NO_DATE
            self._left_out.add(self._places[thread], key, fields.id, reason or other)
            return
        self._keep(thread, key, sent, self._owner if by_owner else sender_id(sender), fields, said)
        if (
            len(self._held.chats) >= HELD_STRETCHES * self._limits.stretch_rows
            or self._held.characters >= HELD_STRETCHES * self._limits.stretch_bytes
        ):
            self._flush()

    def _keep(self, thread: int, key: int, sent: int, who: str, fields: Fields, said: Said) -> None:
        held = self._held
        text, marks = shown(fields.body), None
        edited = reply = None
        if said:
            first_sent = next((fact[1] for fact in said if fact[0] == Fact.FIRST_SENT), None)
            if first_sent is not None and 0 < first_sent <= sent:
                sent, edited = first_sent, sent
            reply = next((fact[1] for fact in said if fact[0] == Fact.QUOTE), None)
        if said or fields.ranges:
            text, marks = self._marked(text, fields, said)
        is_sms = key & 1
        number_of_reply = None if reply is None or reply & 1 else reply >> 1
        values = (
            None if is_sms else key >> 1,
            source_id(key) if is_sms else None,
            None,
            held.senders.setdefault(who, len(held.senders)),
            sent * _MICROSECONDS,
            text,
            marks,
            number_of_reply,
            f"{chat_id(thread)}:{source_id(reply)}" if reply is not None and reply & 1 else None,
            None,
            _medium(fields, said),
            None,
            self._reacted(said) if said else None,
            None if edited is None else edited * _MICROSECONDS,
        )
        for column, value in zip(held.columns, values, strict=True):
            column.append(value)
        held.chats.append(self._places[thread])
        held.characters += len(text)

    def _marked(self, text: str, fields: Fields, said: Said) -> tuple[str, list[Entity] | None]:
        spans = [(fact[1], fact[2], fact[3]) for fact in said if fact[0] == Fact.MENTION]
        styles = styles_of(fields.ranges)
        if not text or not (spans or styles):
            return text, None
        text, marks = marked_text(text, spans, styles, self._people.name, sender_id)
        return text, marks or None

    def _reacted(self, said: Said) -> list[tuple[str, int]] | None:
        counts = Counter(fact[1] for fact in said if fact[0] == Fact.REACTION)
        found = [(self._reactions[number], count) for number, count in counts.items()]
        return sorted(found, key=lambda reaction: (-reaction[1], reaction[0])) or None

    def finish(self) -> None:
        """Give all that was taken in to the spans of its threads.

        Raises:
            StoreError: If a temporary file cannot be written.
        """
        self._flush()
        self._regrouping.finish(self._spans_in_order)
        for place, entries in self._left_out.by_chat():
            self._spool.add_dropped(self._spans_in_order[place], entries)

    def _flush(self) -> None:
        held, self._held = self._held, _Held()
        run = ParsedRun(
            rows=_rows(held.columns),
            senders=[Sender(who, self._name(who)) for who in held.senders],
            dropped=(),
            local_times=0,
        )
        self._regrouping.add(run, np.array(held.chats, np.int64))

    def _name(self, who: str) -> str | None:
        if who == self._owner:
            return self._owner_name
        return self._people.name(int(who.removeprefix(USER)))


def _medium(fields: Fields, said: Said) -> str | None:
    found = min((fact[1:3] for fact in said if fact[0] == Fact.MEDIA), default=None)
    if found is not None:
        return media_kind(found[1])
    return CONTACT if fields.contacts not in _NO_CONTACTS else None


def _rows(columns: Sequence[list[object]]) -> pa.RecordBatch:
    arrays = [_array(values, name) for values, name in zip(columns, PARSED, strict=True)]
    return pa.record_batch(arrays, schema=PARSED)


def _array(values: list[object], column: pa.Field) -> pa.Array:
    kind = column.type
    if values.count(None) == len(values) and values:
        return pa.nulls(len(values), kind)
    if kind == TIMESTAMP:
        return pa.array(values, pa.int64()).cast(TIMESTAMP)
    return pa.array(values, kind)
