"""The second reading of a dump's messages: rows become parsed messages on the spool, by thread.

Threads stand mixed in the table, so that rows are held until there are many, and then written
thread by thread.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from resonare_pipeline.chats.reading.parsed import PARSED, ParsedRun, Sender, keep_runs
from resonare_pipeline.chats.reading.reasons import Reason
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
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.rows import TIMESTAMP

HELD_ROWS = 1 << 14
HELD_CHARACTERS = 8 << 20
FACT_ROWS = 1 << 12  # rows whose facts are at hand
_MICROSECONDS = 1_000  # in a millisecond, which Signal counts
_NO_CONTACTS = ("", "[]")

Said = list[list[int]]
"""Facts about one message: fact, first, second, third."""


@dataclass(slots=True)
class _Held:
    """Messages of one thread that are not on the spool yet, column by column."""

    columns: list[list[object]] = field(default_factory=lambda: [[] for _ in PARSED.names])
    senders: dict[str, int] = field(default_factory=dict)
    dropped: list[tuple[str, str]] = field(default_factory=list)


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
        self._held: dict[int, _Held] = {}
        self._rows = self._characters = 0

    def add(self, table: MessageRows) -> None:
        """Take in the rows of the next table."""
        for fields in table:
            if not self._row % FACT_ROWS:
                self._said = self._facts.before(self._row + FACT_ROWS)
            self._add(fields, self._said.get(self._row) or [], is_sms=table.is_sms)
            self._row += 1
        self.flush()

    def _add(self, fields: Fields, said: Said, *, is_sms: bool) -> None:
        thread = whole(fields.thread)
        span = None if thread is None else self._spans.get(thread)
        if thread is None or span is None:
            self.lost += 1
            return
        if not span.taken:
            span.elements += 1
            return
        held = self._held.get(thread)
        if held is None:
            held = self._held[thread] = _Held()
        kind, sender = whole(fields.kind), recipient_of(fields.sender)
        key, sent = key_of(fields, is_sms=is_sms), sent_of(fields)
        by_owner = kind is not None and is_outgoing(kind)
        is_hidden = thread in self._blocked or (sender in self._hidden and not by_owner)
        reason = why_left_out(fields, kind, sender) or (Reason.BLOCKED if is_hidden else None)
        if reason is not None or key is None or sent is None or sender is None:
            place = f"h{short_hash(fields.id)}" if key is None else source_id(key)
            other = Reason.UNREADABLE if key is None else Reason.NO_DATE
            held.dropped.append((place, reason or other))
        else:
            who = self._owner if by_owner else sender_id(sender)
            self._keep(held, thread, key, sent, who, fields, said)
        self._rows += 1
        if self._rows >= HELD_ROWS or self._characters >= HELD_CHARACTERS:
            self.flush()

    def _keep(
        self, held: _Held, thread: int, key: int, sent: int, who: str, fields: Fields, said: Said
    ) -> None:
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
        self._characters += len(text)

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

    def flush(self) -> None:
        """Put what is held onto the spool."""
        held = {thread: self._held[thread] for thread in sorted(self._held)}
        batch = _rows([part.columns for part in held.values()])
        runs: list[ParsedRun] = []
        start = 0
        for part in held.values():
            count = len(part.columns[0])
            runs.append(
                ParsedRun(
                    rows=batch.slice(start, count),
                    senders=[Sender(who, self._name(who)) for who in part.senders],
                    dropped=part.dropped,
                    local_times=0,
                )
            )
            start += count
        for thread, run in zip(held, keep_runs(runs, self._spool.new_path()), strict=True):
            self._spool.add(self._spans[thread], run)
        self._held.clear()
        self._rows = self._characters = 0

    def _name(self, who: str) -> str | None:
        if who == self._owner:
            return self._owner_name
        return self._people.name(int(who.removeprefix(USER)))


def _medium(fields: Fields, said: Said) -> str | None:
    found = min((fact[1:3] for fact in said if fact[0] == Fact.MEDIA), default=None)
    if found is not None:
        return media_kind(found[1])
    return CONTACT if fields.contacts not in _NO_CONTACTS else None


def _rows(parts: Sequence[Sequence[list[object]]]) -> pa.RecordBatch:
    """Return the columns of several threads, one behind the other."""
    columns = [[value for part in parts for value in part[at]] for at in range(len(PARSED.names))]
    arrays = [_array(values, name) for values, name in zip(columns, PARSED, strict=True)]
    return pa.record_batch(arrays, schema=PARSED)


def _array(values: list[object], column: pa.Field) -> pa.Array:
    kind = column.type
    if values.count(None) == len(values) and values:
        return pa.nulls(len(values), kind)
    if kind == TIMESTAMP:
        return pa.array(values, pa.int64()).cast(TIMESTAMP)
    return pa.array(values, kind)
