"""Leaves people out of what was read: their messages, their chats, their traces in the rest.

Works on chats before they are written, and on finished batches of messages. What a trace is, is
decided in `chats.forgetting`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.chats.forgetting import PLACEHOLDER, Traces
from resonare_pipeline.chats.reading.gathering import IntArray
from resonare_pipeline.chats.reading.order import ChatPlan, Ordering
from resonare_pipeline.chats.reading.owner import Owner, OwnerBasis
from resonare_pipeline.chats.reading.parsed import PARSED, tally
from resonare_pipeline.chats.reading.spool import Spool
from resonare_pipeline.rows import MESSAGES

_COLUMNS = tuple(map(PARSED.get_field_index, ("number", "sender", "sent_at", "forwarded_from")))
_ENTITIES = MESSAGES.field("entities").type


class _Part(NamedTuple):
    """What is looked at of one batch: a value a row, and the numbers of what goes."""

    theirs: npt.NDArray[np.bool_]
    codes: npt.NDArray[np.int32]
    sent: IntArray
    numbers: IntArray


@dataclass(slots=True)
class Forgetting:
    """People who are left out of one export, and how much went with them.

    Attributes:
        traces: What tells of them.
        messages: Messages left out: in their chats under the placeholder, else by chat.
        numbers: Chat → numbers of the messages left out there, for replies to them.
    """

    traces: Traces
    messages: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, IntArray] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nobody is left out."""
        return not self.traces.ids

    def plans(self, spool: Spool, ordering: Ordering, plans: list[ChatPlan]) -> list[ChatPlan]:
        """Return chats without the messages of the people, and without the chats with them."""
        if self.is_empty:
            return plans
        senders = [self.traces.is_person(sender.id, sender.name) for sender in spool.senders]
        theirs = np.array(senders, np.bool_)
        return [
            self._plan(spool, ordering, plan, theirs)
            for plan in plans
            if not self._is_their_chat(plan)
        ]

    def _is_their_chat(self, plan: ChatPlan) -> bool:
        if plan.peer not in self.traces.ids:
            return False
        self._count(PLACEHOLDER, plan.count)
        return True

    def _count(self, where: str, messages: int) -> None:
        if messages:
            self.messages[where] = self.messages.get(where, 0) + messages

    def _plan(
        self, spool: Spool, ordering: Ordering, plan: ChatPlan, senders: npt.NDArray[np.bool_]
    ) -> ChatPlan:
        plan = replace(plan, name=self.traces.without(plan.name) if plan.name else plan.name)
        read = [self._look(spool.columns(n, _COLUMNS), senders) for n in plan.rows.batches]
        if not any(part.theirs.any() for part in read):
            return plan
        theirs, codes, sent, numbers = map(np.concatenate, zip(*read, strict=True))
        self.numbers[plan.chat_id] = np.unique(numbers)
        rows = ordering.without(plan.rows, theirs)
        kept = rows.in_order()
        self._count(plan.chat_id, plan.count - len(kept))
        others = plan.duplicates
        return replace(
            plan,
            rows=rows,
            duplicates=None if others is None else ordering.without(others, theirs),
            count=len(kept),
            first_sent=int(sent[kept[0]]) if len(kept) else None,
            last_sent=int(sent[kept[-1]]) if len(kept) else None,
            tallies=tally(codes[kept], 0) if len(kept) else {},
        )

    def _look(self, batch: pa.RecordBatch, senders: npt.NDArray[np.bool_]) -> _Part:
        codes = batch.column("sender").to_numpy()
        theirs = senders[codes] | self._forwarded(batch.column("forwarded_from"))
        numbers = batch.column("number").filter(pa.array(theirs)).drop_null()
        return _Part(
            theirs=theirs,
            codes=codes,
            sent=batch.column("sent_at").cast(pa.int64()).to_numpy(),
            numbers=numbers.cast(pa.int64()).to_numpy(),
        )

    def _forwarded(self, origins: pa.Array) -> npt.NDArray[np.bool_]:
        """Tell which messages are words of theirs that somebody else has passed on."""
        names = [name for name in origins.unique().to_pylist() if self.traces.is_name(name)]
        found = pc.is_in(origins, value_set=pa.array(names, pa.string()))
        return np.asarray(found, np.bool_)

    def owner(self, owner: Owner) -> Owner:
        """Return the owner of the export, or nobody if that is one of the people."""
        if self.traces.is_person(owner.sender_id, owner.name):
            return Owner(sender_id=None, name=None, basis=OwnerBasis.NONE)
        return owner

    def batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return messages of others with placeholders for all that tells of the people."""
        if self.is_empty or not batch.num_rows:
            return batch
        changed: dict[str, pa.Array] = {"reply_to_id": self._replies(batch.column("reply_to_id"))}
        for name in ("forwarded_from", "media_path"):
            changed[name] = self._texts(batch.column(name))
        changed |= self._marked_texts(batch)
        columns = [changed.get(name, batch.column(name)) for name in MESSAGES.names]
        return pa.record_batch(columns, schema=MESSAGES)

    def _likely(self, texts: pa.Array) -> npt.NDArray[np.bool_]:
        found = pc.match_substring_regex(texts, self.traces.likely, ignore_case=True)
        return np.asarray(pc.fill_null(found, pa.scalar(False)), np.bool_)  # noqa: FBT003  # its signature

    def _texts(self, texts: pa.Array) -> pa.Array:
        rows = np.flatnonzero(self._likely(texts))
        if not rows.size:
            return texts
        values = texts.to_pylist()
        for row in rows.tolist():
            values[row] = self.traces.without(values[row])
        return pa.array(values, texts.type)

    def _replies(self, targets: pa.Array) -> pa.Array:
        values = targets.to_pylist()
        for row, target in enumerate(values):
            if target is not None and self._is_theirs(target):
                values[row] = None
        return pa.array(values, targets.type)

    def _is_theirs(self, message_id: str) -> bool:
        chat_id, _, own = message_id.rpartition(":")
        if chat_id in self.traces.ids:
            return True
        numbers = self.numbers.get(chat_id)
        return numbers is not None and own.isdecimal() and bool(np.isin(int(own), numbers))

    def _marked_texts(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        texts, marks = batch.column("text"), batch.column("entities")
        found = self._likely(texts)
        values = marks.flatten().field("value")
        found[pc.list_parent_indices(marks).to_numpy()[self._likely(values)]] = True
        rows = np.flatnonzero(found)
        if not rows.size:
            return {}
        new_texts, new_marks = texts.to_pylist(), marks.to_pylist()
        for row in rows.tolist():
            new_texts[row], new_marks[row] = _cleaned(new_texts[row], new_marks[row], self.traces)
        return {
            "text": pa.array(new_texts, texts.type),
            "entities": pa.array(new_marks, _ENTITIES),
        }


Mark = dict[str, Any]


def _cleaned(text: str, marks: list[Mark] | None, traces: Traces) -> tuple[str, list[Mark] | None]:
    """Return a text with placeholders, and its marks where they stand then.

    A mark that says who is meant goes, and the words under it with it.
    """
    kept = [mark for mark in marks or () if not _names_person(mark, traces)]
    spans = [match.span() for match in traces.in_texts.finditer(text)]
    spans += [
        (mark["offset"], mark["offset"] + mark["length"])
        for mark in marks or ()
        if _names_person(mark, traces) and mark["type"] == "mention_name"
    ]
    merged = _merged(spans)
    parts, at = [], 0
    for start, end in merged:
        parts += [text[at:start], PLACEHOLDER]
        at = end
    moved = [moved for mark in kept if (moved := _moved(mark, merged, traces))]
    return "".join([*parts, text[at:]]), moved or None


def _names_person(mark: Mapping[str, Any], traces: Traces) -> bool:
    return mark["type"] == "mention_name" and mark["value"] in traces.numbers | traces.ids


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _moved(mark: Mark, spans: list[tuple[int, int]], traces: Traces) -> Mark | None:
    """Return a mark where its words stand now; None for one that was about a trace alone."""
    start, end = mark["offset"], mark["offset"] + mark["length"]
    if any(first <= start and end <= last for first, last in spans):
        return None
    new_start = _place(start, spans, at_end=False)
    new_end = _place(end, spans, at_end=True)
    value = mark["value"] and traces.without(mark["value"])
    return mark | {"offset": new_start, "length": new_end - new_start, "value": value}


def _place(offset: int, spans: list[tuple[int, int]], *, at_end: bool) -> int:
    """Return where an offset is once each span is a placeholder."""
    shift = 0
    for start, end in spans:
        if end <= offset:
            shift += len(PLACEHOLDER) - (end - start)
        elif start < offset:
            return start + shift + (len(PLACEHOLDER) if at_end else 0)
    return offset + shift
