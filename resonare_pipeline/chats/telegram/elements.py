r"""Cutting an array of many objects into runs of whole elements, without decoding them.

Two ways. A *guess* is one search for bytes that very probably end or begin an element: a newline
never stands raw inside a JSON string, so in pretty-printed input `\n<indent of an element>}` ends
one; in compact input an element begins with the same bytes as the first, `{"id":`. A guess is
right if what it cuts decodes as a list, for a wrong cut leaves brackets open or closes one too
many. If it does not, brackets are counted outside of strings, which is exact and slower.
"""

import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Generic, TypeVar

from resonare_pipeline.chats.telegram.borders import (
    CLOSING,
    Style,
    guess,
    line_indent,
    scan,
    style_of,
)
from resonare_pipeline.chats.telegram.cursor import malformed
from resonare_pipeline.chats.telegram.window import CutOffError, Window
from resonare_pipeline.errors import InputError
from resonare_pipeline.workers import done

T = TypeVar("T")

FIRST_BYTES = 1 << 15  # most chats are short, and what lies behind their end is looked at in vain
PATIENCE_BYTES = 8 << 20  # a line-structured element that seems longer has a quote too many
LONGEST_ELEMENT_BYTES = 128 << 20  # bounds the memory that one broken message can take

_SEPARATORS = re.compile(rb"[ \t\r\n,]*")


def runs(
    window: Window,
    whole: Callable[[bytes], T | None],
    piecewise: Callable[[bytes, int], T],
    submit: Callable[[bytes], "Future[T | None]"] | None = None,
    *,
    most_ahead: int = 0,
    style: Style | None = None,
) -> Iterator[T]:
    """Yield what is made of the elements of the array whose bracket was just taken.

    Cutting goes on while what was cut is being decoded; where a guess turns out wrong, the window
    goes back to it, and what was cut after it is forgotten.

    Args:
        window: Stands behind `[` or an element, and behind `]` afterwards.
        whole: Decodes a run of elements (without brackets), or returns None if it cannot.
        piecewise: Does the same for a run whose borders are sure, element by element; it is
            also given the run's place in the file.
        submit: Does what `whole` does, perhaps elsewhere, for runs that are worth it.
        most_ahead: Runs that may be cut before the first of them is decoded.
        style: How elements are written, if that is known already.

    Raises:
        CutOffError: At the end of the file, after all whole elements were given out.
        InputError: If the array is broken so that its elements cannot be told apart.
    """
    cutting = ElementCutting(window, whole, submit or whole_at_once(whole), style=style)
    yield from parted(cutting, lambda: _exact(window, whole, piecewise, cutting.style), most_ahead)


def parted(cutting: "Cutting[T]", exact: Callable[[], Iterator[T]], most_ahead: int) -> Iterator[T]:
    """Yield what is made of an array's runs in order, and go on exactly where a guess was wrong.

    Args:
        cutting: Cuts the array.
        exact: Takes the next elements without guessing, and yields what is made of them.
        most_ahead: Runs that may be cut before the first of them is decoded.
    """
    window = cutting.window
    while True:
        cutting.cut(most_ahead)
        while cutting.pending and (cutting.stops or cutting.is_ready(most_ahead)):
            made = cutting.settle()
            if made is None:
                break
            yield made
        else:
            if cutting.error is not None:
                raise cutting.error
            if cutting.closed:
                window.at += 1
                return
            if not cutting.lost:
                continue
        yield from exact()
        pass_separators(window)
        cutting.resume()


def whole_at_once(whole: Callable[[bytes], T | None]) -> Callable[[bytes], "Future[T | None]"]:
    """Return a function that decodes a run here and now."""
    return lambda body: done(whole(body))


class Cutting(ABC, Generic[T]):
    """The guessed runs of one array, in order, while they are being decoded.

    Attributes:
        pending: (place in the file, what is made of it) of runs that nobody has looked at.
        error: Why no further run can be cut, if anything is wrong there; it counts once all
            guesses before it are settled.
        closed: The array's end was reached.
        lost: There is no guess for what comes next.
        wrong: Guesses that were wrong since one was right.
    """

    def __init__(self, window: Window, *, style: Style | None = None) -> None:
        self.window = window
        self._line_indent = line_indent(window)
        self._before = pass_separators(window)
        self._knows_style = style is not None
        self.style = style or Style()
        self.wrong = 0
        self.pending: deque[tuple[int, Future[T | None]]] = deque()
        self.resume()

    @property
    def stops(self) -> bool:
        """Whether nothing more is cut before all that is pending is settled."""
        return self.closed or self.lost or self.error is not None

    def is_ready(self, most_ahead: int) -> bool:
        """Tell whether the first pending run should be taken now."""
        return self.pending[0][1].done() or len(self.pending) > most_ahead

    def resume(self) -> None:
        """Begin to guess anew where the window stands."""
        self.lost = False
        self.error: CutOffError | InputError | None = None
        self.closed = self.window.data[self.window.at] == CLOSING

    def settle(self) -> T | None:
        """Take the first pending run; None if it was no run, and the window is back at it."""
        window = self.window
        place, future = self.pending.popleft()
        made = future.result()
        self.wrong = self.wrong + 1 if made is None else 0
        if made is None:
            while self.pending:
                self.pending.popleft()[1].cancel()
            window.at = place - window.start
        window.kept = self.pending[0][0] if self.pending else None
        return made

    def cut(self, most_ahead: int) -> None:
        """Cut runs until enough are pending or there is no going on."""
        try:
            while not self.stops and len(self.pending) <= most_ahead:
                self.cut_one()
                if self.pending and self.pending[0][1].done():
                    return
        except (CutOffError, InputError) as error:
            self.error = error

    def look_at_style(self) -> None:
        """Find out how elements are written; the first look may have ended within a key."""
        if self.style.head is None and not self._knows_style:
            self.style = style_of(self.window, self._before, self._line_indent)

    @abstractmethod
    def cut_one(self) -> None:
        """Cut one run, or say why there is none."""


class ElementCutting(Cutting[T]):
    """The guessed runs of an array of objects of one kind."""

    def __init__(
        self,
        window: Window,
        whole: Callable[[bytes], T | None],
        submit: Callable[[bytes], "Future[T | None]"],
        *,
        style: Style | None = None,
    ) -> None:
        self._here = whole_at_once(whole)
        self._elsewhere = submit
        self._limit = FIRST_BYTES
        super().__init__(window, style=style)

    def settle(self) -> T | None:
        """Take the first pending run; None if it was no run, and the window is back at it."""
        made = super().settle()
        if made is None:
            self._limit = FIRST_BYTES
        return made

    def cut_one(self) -> None:
        """Cut one run, or say why there is none."""
        window = self.window
        self.look_at_style()
        cut = guess(window, self.style, self._limit)
        if cut <= window.at:
            if len(window.data) - window.at < window.window_bytes and window.more():
                return
            self.lost = True
            self._limit = FIRST_BYTES
            return
        # Without a sign of the array's end a guess may go beyond it: dear for short arrays.
        sure = self.style.array_end is not None or self._limit == window.window_bytes
        submit = self._elsewhere if sure else self._here
        body = window.data[window.at : cut].rstrip(b", \t\r\n")
        self.pending.append((window.offset, submit(body)))
        window.kept = self.pending[0][0]
        window.at = cut
        self._limit = min(self._limit * 2, window.window_bytes)
        pass_separators(window)
        self.closed = window.data[window.at] == CLOSING


def pass_separators(window: Window) -> bytes:
    """Pass blanks and commas, read on if needed, and return the last of what was passed."""
    passed = b""
    while True:
        end = _SEPARATORS.match(window.data, window.at).end()  # type: ignore[union-attr]  # matches anything
        passed = (passed + window.data[window.at : end])[-1024:]
        window.at = end
        if end < len(window.data):
            return passed
        window.need()


def _exact(
    window: Window,
    whole: Callable[[bytes], T | None],
    piecewise: Callable[[bytes, int], T],
    style: Style,
) -> Iterator[T]:
    """Yield the next whole elements, reading on until there are some or the array ends."""
    limit = min(FIRST_BYTES, window.window_bytes)
    while True:
        region = window.data[window.at : window.at + limit]
        end, closing = scan(region)
        if closing >= 0 and region[closing] != CLOSING:
            window.at += closing
            raise malformed(window, "']' at the end of the messages")
        if closing >= 0 or end > 0:
            break
        if len(region) < limit:
            if (resynced := _line_end(window, style)) > 0:
                end = resynced
                break
            window.need()
        limit *= 2
    body = window.data[window.at : window.at + (closing if closing >= 0 else end)].rstrip()
    if body:
        made = whole(body)
        yield piecewise(body, window.offset) if made is None else made
    window.at += closing if closing >= 0 else end


def _line_end(window: Window, style: Style) -> int:
    """Return the length of an element that never ends but for its line structure, or -1.

    Raises:
        InputError: If an element is longer than anything that Telegram exports.
    """
    length = len(window.data) - window.at
    if length > LONGEST_ELEMENT_BYTES:
        raise InputError(
            f"a message that does not end within {LONGEST_ELEMENT_BYTES >> 20} MiB",
            where=window.where(),
            expected="messages of at most some kilobytes",
            remedy="A quote or bracket is probably missing there; export the chat again",
        )
    if style.element_end is None or length < PATIENCE_BYTES:
        return -1
    found = window.data.find(style.element_end, window.at)
    return -1 if found < 0 else found - window.at + len(style.element_end)
