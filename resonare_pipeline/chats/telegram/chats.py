"""The chats of one Telegram export file, wherever they stand in it, onto the spool.

Many at a time where the layout is plain, else one by one by their keys. Where lists of chats stand
in a document, and what else is in it, is not known here.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeVar

from resonare_pipeline.artifacts.files import storage_errors
from resonare_pipeline.chats.reading.owner import Owner
from resonare_pipeline.chats.reading.parsed import KeptRun, keep_runs
from resonare_pipeline.chats.reading.spool import Span, Spool
from resonare_pipeline.chats.telegram import cursor, refusals
from resonare_pipeline.chats.telegram.borders import Style
from resonare_pipeline.chats.telegram.columns import parse_file, parse_pieces, parse_run
from resonare_pipeline.chats.telegram.elements import parted, runs
from resonare_pipeline.chats.telegram.ids import chat_id
from resonare_pipeline.chats.telegram.lists import Edges, ListCutting, one_by_one
from resonare_pipeline.chats.telegram.message import count_pieces, count_run
from resonare_pipeline.chats.telegram.several import (
    Head,
    KeptChats,
    parse_chats,
    parse_chats_file,
)
from resonare_pipeline.chats.telegram.window import Window, not_utf8
from resonare_pipeline.workers import WAITING, Lane, done

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Reading:
    """One file while it is being read."""

    window: Window
    spool: Spool
    file_number: int
    kinds: frozenset[str]
    zone: dt.tzinfo
    lane: Lane
    keys: list[str] = field(default_factory=list)
    owner: Owner | None = None
    spans: list[Span] = field(default_factory=list)


def read_list(reading: Reading, section: int) -> None:
    """Put the chats of the array that begins here onto the spool.

    Args:
        reading: The file; its window is left behind the array.
        section: Place of the array among others of the file.
    """
    cursor.take(reading.window, b"[", "an array")
    chats = _Chats(reading, section)
    try:
        for run in parted(
            chats.cutting,
            lambda: one_by_one(chats.cutting, chats.take_one),
            WAITING * reading.lane.workers,
        ):
            chats.add(run)
    finally:
        chats.close()
        reading.lane.close()


class _Open(NamedTuple):
    """A chat of which more is to come."""

    span: Span
    head: Head


class _Chats:
    """The chats of one list while they are being read."""

    def __init__(self, reading: Reading, section: int) -> None:
        self._reading = reading
        self._section = section
        self._number = 0
        self._open: _Open | None = None
        self.cutting: ListCutting[KeptChats] = ListCutting(
            reading.window, self._submit, reading.kinds
        )

    def _submit(self, body: bytes, edges: Edges) -> "Future[KeptChats | None]":
        given = (edges, self._reading.zone, self._reading.kinds)
        return _submit(self._reading, parse_chats, parse_chats_file, given, body)

    def _place(self) -> tuple[int, int]:
        return self._section, self._number

    def add(self, run: KeptChats) -> None:
        """Take in the next run."""
        last = len(run.chats) - 1
        for at, part in enumerate(run.chats):
            chat = self._open or _Open(new_span(self._reading, self._place()), Head())
            self._open = chat
            chat.head.add(part.head)
            if part.run is None:
                chat.span.elements += part.elements
            else:
                self._reading.spool.add(chat.span, part.run)
            if at < last or run.edges.closed:
                self.close()

    def take_one(self) -> None:
        """Take what is left of the open chat, or the next element, without guessing."""
        reading, chat = self._reading, self._open
        self._open = None
        if chat is not None:
            _chat(reading, self._place(), self._rest(chat), chat)
        elif cursor.peek(reading.window) == b"{":
            _chat(reading, self._place(), cursor.members(reading.window))
        else:
            cursor.skip(reading.window)
        self._number += 1

    def _rest(self, chat: _Open) -> Iterator[str]:
        """Take the other messages of a chat, and yield the keys behind them."""
        reading = self._reading
        counted_only = not chat.head.wanted(reading.kinds)
        style = self.cutting.messages_style
        _array(reading, chat.span, counted_only=counted_only, style=style)
        yield from cursor.members_on(reading.window)

    def close(self) -> None:
        """End the chat that is open, if one is."""
        if self._open is not None:
            span, head = self._open
            finish(self._reading, span, head, taken=head.wanted(self._reading.kinds))
            self._open = None
            self._number += 1


def _chat(
    reading: Reading, place: tuple[int, int], keys: Iterator[str], chat: _Open | None = None
) -> None:
    """Read a chat by its keys.

    Args:
        reading: The file.
        place: Of the chat in it.
        keys: Those that are still to come; the value of each is taken here.
        chat: What was read of it already.
    """
    window, head = reading.window, chat.head if chat else Head()
    span = chat.span if chat else None
    try:
        for key in keys:
            if len(reading.keys) < refusals.LISTED_KEYS:
                reading.keys.append(key[:40])
            if key == "messages":
                span = span or new_span(reading, place)
                read_messages(reading, span, counted_only=not head.wanted(reading.kinds))
            elif key in ("name", "type", "id"):
                head.note(key, cursor.scalar(window))
            else:
                cursor.skip(window)
    finally:
        if span is not None:
            finish(reading, span, head, taken=head.wanted(reading.kinds))


def new_span(reading: Reading, place: tuple[int, int]) -> Span:
    """Begin the messages of a chat at some place of the file."""
    span = Span(place=(reading.file_number, *place))
    reading.spans.append(span)
    return span


def finish(reading: Reading, span: Span, head: Head, *, taken: bool) -> None:
    """Note what a chat says of itself, once all its messages are on the spool."""
    span.name, span.kind, span.taken = head.name, head.kind, taken
    span.chat_id = chat_id(
        number=head.number,
        kind=head.kind,
        name=head.name,
        old_numbers=span.old_numbers,
        first=span.first,
    )
    span.peer = span.chat_id  # a chat with one person has that person's id
    reading.spool.spans.append(span)


def read_messages(reading: Reading, span: Span, *, counted_only: bool) -> None:
    """Put the array of messages that begins here onto the spool, or only count them.

    Raises:
        InputError: If something else stands here.
    """
    window = reading.window
    if cursor.peek(window) != b"[":
        raise refusals.messages_not_a_list(window)
    window.at += 1
    _array(reading, span, counted_only=counted_only)


def _array(reading: Reading, span: Span, *, counted_only: bool, style: Style | None = None) -> None:
    window = reading.window
    if counted_only:
        for count in runs(window, count_run, count_pieces, style=style):
            span.elements += count
        return
    made = runs(
        window,
        lambda body: parse_run(body, reading.zone, reading.spool.new_path()),
        partial(_pieces, reading),
        partial(_submit, reading, parse_run, parse_file, (reading.zone,)),
        most_ahead=WAITING * reading.lane.workers,
        style=style,
    )
    try:
        for run in made:
            reading.spool.add(span, run)
    finally:
        reading.lane.close()


def _submit(
    reading: Reading,
    parse: Callable[..., T | None],
    parse_file: Callable[..., T | None],
    given: tuple[object, ...],
    body: bytes,
) -> "Future[T | None]":
    path = reading.spool.new_path()
    if not reading.lane.has_room:
        return done(parse(body, *given, path))
    # Through a file, which costs half of what a pipe does.
    carrier = path.with_suffix(".json")
    with storage_errors(f"temporary file {carrier}"):
        carrier.write_bytes(body)
    return reading.lane.call(parse_file, carrier, *given, path)


def _pieces(reading: Reading, body: bytes, place: int) -> KeptRun:
    try:
        return keep_runs([parse_pieces(body, reading.zone)], reading.spool.new_path())[0]
    except UnicodeDecodeError as error:
        raise not_utf8(reading.window, place + error.start) from error
