"""Messages as plain columns, and the lines among them: messages that have a text.

Everything else in `style` works on lines. A run is a stretch of one chat without a silence that is
too long, media and all; nothing that is made of lines reaches over the end of a run. Numbers of
chats and senders count within one object only. What may not live here: frames, tables, labels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from resonare_pipeline.runs import MICROSECONDS, gap_limit

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

YOU = "You"
OTHER = "Other"
NOBODY = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Messages, those of one chat together, in the order in which they are to be read.

    Attributes:
        chats: Number of each message's chat.
        senders: Number of each message's sender.
        is_owner: Whether the person whose style counts wrote it.
        at: Microseconds since 1970, UTC.
        media: Whether something is attached.
        texts: Empty where there is none.
        ids: Of the messages, in their own type.
        chat_ids: By number.
        sender_ids: By number.
        names: Of senders, by number.
    """

    chats: IntArray
    senders: IntArray
    is_owner: BoolArray
    at: IntArray
    media: BoolArray
    texts: Sequence[str]
    ids: Sequence[object]
    chat_ids: Sequence[object]
    sender_ids: Sequence[object]
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Messages with a text, in the order of their messages.

    Attributes:
        chats: Number of each line's chat.
        runs: Number of each line's run; never falls.
        firsts: For each line, the place of the first line of its run.
        senders: Number of each line's sender.
        is_owner: Whether the person whose style counts wrote it.
        at: Microseconds since 1970, UTC.
        lengths: Code points of each text.
        media_before: Messages with media before each line; one more than there are lines.
        media: Whether each line has something attached.
        texts: Without white space at either end; never empty.
        ids: Of the messages.
        chat_ids: By number.
        sender_ids: By number.
        names: Of senders, by number.
    """

    chats: IntArray
    runs: IntArray
    firsts: IntArray
    senders: IntArray
    is_owner: BoolArray
    at: IntArray
    lengths: IntArray
    media_before: IntArray
    media: BoolArray
    texts: list[str]
    ids: list[object]
    chat_ids: Sequence[object]
    sender_ids: Sequence[object]
    names: Sequence[str]
    labelled: dict[str, list[str]] = field(default_factory=dict, compare=False)

    def __len__(self) -> int:
        return len(self.texts)

    def spoken(self, other: str = OTHER) -> list[str]:
        """Return each line behind its speaker, as in `You: Hi!`; made once for each label."""
        if other not in self.labelled:
            heads = (f"{other}: ", f"{YOU}: ")
            self.labelled[other] = [
                heads[own] + text
                for own, text in zip(self.is_owner.tolist(), self.texts, strict=True)
            ]
        return self.labelled[other]

    def has_media(self, firsts: IntArray, lasts: IntArray) -> BoolArray:
        """Tell of spans of lines, both ends included, whether any message in them has media."""
        before = self.media_before[lasts] + self.media[lasts]
        held: BoolArray = before > self.media_before[firsts]
        return held

    def partner_before(self) -> IntArray:
        """Return for each line the last line before it in its run that others wrote, or -1."""
        places = np.arange(len(self))
        last = np.maximum.accumulate(np.where(self.is_owner, NOBODY, places))
        before = np.concatenate(([NOBODY], last[:-1])) if len(self) else last
        return np.where(before >= self.firsts, before, NOBODY)


def run_numbers(messages: Messages, *, max_gap_seconds: float) -> IntArray:
    """Number the runs of messages: a new chat or a longer silence begins one.

    Steps back in time begin none, as in `runs.split_runs`.
    """
    begins = np.ones(len(messages), np.bool_)
    begins[1:] = (np.diff(messages.chats) != 0) | (
        np.diff(messages.at) > gap_limit(max_gap_seconds)
    )
    numbers: IntArray = np.cumsum(begins) - 1
    return numbers


def lines_of(messages: Messages, *, max_gap_seconds: float) -> Lines:
    """Return the lines of messages, in runs without a silence longer than this."""
    texts = [text.strip() for text in messages.texts]
    rows = np.flatnonzero(np.fromiter(map(bool, texts), np.bool_, len(texts)))
    kept = rows.tolist()
    runs = run_numbers(messages, max_gap_seconds=max_gap_seconds)[rows]
    media = np.concatenate(([0], np.cumsum(messages.media)))
    lines = [texts[row] for row in kept]
    return Lines(
        chats=messages.chats[rows],
        runs=runs,
        firsts=firsts_of(runs),
        senders=messages.senders[rows],
        is_owner=messages.is_owner[rows],
        at=messages.at[rows],
        lengths=np.fromiter(map(len, lines), np.int64, len(lines)),
        media_before=media[rows],
        media=messages.media[rows],
        texts=lines,
        ids=[messages.ids[row] for row in kept],
        chat_ids=messages.chat_ids,
        sender_ids=messages.sender_ids,
        names=messages.names,
    )


def firsts_of(runs: IntArray) -> IntArray:
    """Return for each place the first place that has the same number; equal ones are neighbours."""
    begins = np.ones(len(runs), np.bool_)
    begins[1:] = np.diff(runs) != 0
    firsts: IntArray = np.maximum.accumulate(np.where(begins, np.arange(len(runs)), 0))
    return firsts


def borders_of(runs: IntArray) -> tuple[IntArray, IntArray]:
    """Return where each stretch of equal numbers begins, and the place behind its end."""
    begins = np.flatnonzero(np.diff(runs, prepend=runs[0] - 1)) if len(runs) else runs
    return begins, np.append(begins[1:], len(runs)) if len(runs) else begins


def cut_evenly(starts: IntArray, ends: IntArray, most: int) -> tuple[IntArray, IntArray]:
    """Cut spans that are longer than `most` into as few parts as will do, of nearly one length."""
    sizes = ends - starts
    parts = -(-sizes // most)
    of = np.repeat(np.arange(len(sizes)), parts)
    number = np.arange(len(of)) - np.repeat(np.cumsum(parts) - parts, parts)
    begins = starts[of] + sizes[of] * number // parts[of]
    return begins, starts[of] + sizes[of] * (number + 1) // parts[of]


def seconds(microseconds: IntArray) -> FloatArray:
    """Return microseconds as seconds; time that runs backwards counts as none."""
    passed: FloatArray = np.maximum(microseconds, 0) / MICROSECONDS
    return passed


def whole_seconds(microseconds: IntArray) -> list[int]:
    """Return times in whole seconds since 1970."""
    times: list[int] = (microseconds // MICROSECONDS).tolist()
    return times


def numbered(values: Iterable[object]) -> tuple[IntArray, list[object]]:
    """Number values by their first appearance; return the numbers, and the values by number."""
    known: dict[object, int] = {}
    numbers = [known.setdefault(value, len(known)) for value in values]
    return np.array(numbers, np.int64), list(known)
