"""Cutting a list of chats into runs of messages and chats, whatever the chats' lengths.

A run is cut behind a whole message or a whole chat, so it may begin and end within the messages of
a chat. Where it does, what is missing of that chat is put around it before it is decoded; only keys
that are known may stand in a chat, so what decodes is what it seems. There are only runs where
lines show what ends a message, a chat and the list.
"""

import re
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from typing import NamedTuple, TypeVar

from resonare_pipeline.chats.telegram.borders import CLOSING, Style
from resonare_pipeline.chats.telegram.elements import Cutting, pass_separators
from resonare_pipeline.chats.telegram.ids import KINDS
from resonare_pipeline.chats.telegram.window import Window

T = TypeVar("T")

MOST_WRONG = 16  # a list of something else is not tried again and again
_KIND = re.compile(rb'"type"\s*:\s*"(\w+)"')
_MESSAGES = b'"messages"'


class Edges(NamedTuple):
    """What a run of chats lacks.

    Attributes:
        opened: It begins within the messages of a chat.
        closed: It ends with a whole chat.
        counted: The messages that it begins with are of a chat that is not taken.
    """

    opened: bool
    closed: bool
    counted: bool


class ListCutting(Cutting[T]):
    """The guessed runs of a list of chats.

    Attributes:
        opened: The window stands within the messages of a chat.
    """

    def __init__(
        self,
        window: Window,
        submit: Callable[[bytes, Edges], "Future[T | None]"],
        kinds: Collection[str],
    ) -> None:
        self.opened = False
        self._counted = False
        self._submit = submit
        self._kinds = kinds
        self._states: deque[tuple[bool, bool]] = deque()
        super().__init__(window)

    @property
    def messages_style(self) -> Style:
        """How the messages of chats are written, if as the list is."""
        end, around = self.style.element_end, self.style.array_end
        if end is None or around is None:
            return Style()
        unit = end[len(around) - 1 : -1]
        return Style(element_end=end[:-1] + unit * 2 + b"}", array_end=end[:-1] + unit + b"]")

    def settle(self) -> T | None:
        """Take the first pending run; None if it was no run, and the window is back at it."""
        before = self._states.popleft()
        made = super().settle()
        if made is None:
            self.opened, self._counted = before
            self._states.clear()
        return made

    def leave_chat(self) -> None:
        """Note that the chat that was open is behind the window."""
        self.opened = self._counted = False

    def cut_one(self) -> None:
        """Cut one run, or say why there is none."""
        window = self.window
        self.look_at_style()
        cut, closed = self._guess()
        if cut <= window.at:
            if len(window.data) - window.at < window.window_bytes and window.more():
                return
            self.lost = True
            return
        body = window.data[window.at : cut].rstrip(b", \t\r\n")
        edges = Edges(self.opened, closed, self._counted)
        self._states.append((self.opened, self._counted))
        self.pending.append((window.offset, self._submit(body, edges)))
        window.kept = self.pending[0][0]
        if closed:
            self.leave_chat()
        else:
            self._enter_chat(body)
        window.at = cut
        pass_separators(window)
        self.closed = closed and window.data[window.at] == CLOSING

    def _guess(self) -> tuple[int, bool]:
        """Return where a run probably ends, and whether a chat ends there."""
        window, style = self.window, self.style
        if style.array_end is None or style.element_end is None:
            return -1, False
        data, at = window.data, window.at
        end = min(len(data), at + window.window_bytes)
        closing = data.find(style.array_end, at, end)
        end = end if closing < 0 else closing
        chat_end = style.element_end
        message_end = self.messages_style.element_end or chat_end
        last_chat = data.rfind(chat_end, at, end)
        last_message = data.rfind(message_end, max(at, last_chat), end)
        if last_message > last_chat:
            return last_message + len(message_end), False
        return (last_chat + len(chat_end) if last_chat >= 0 else -1), True

    def _enter_chat(self, body: bytes) -> None:
        """Note of what kind the chat is that a run ends in, if that is said before its messages."""
        chat_end = self.style.element_end or b""
        start = body.rfind(chat_end) + 1
        if self.opened and not start:
            return  # still the same
        head = body[start : max(start, body.find(_MESSAGES, start))]
        kinds = _KIND.findall(head)
        kind = kinds[-1].decode() if kinds else ""
        self.opened = True
        self._counted = kind in KINDS and kind not in self._kinds


def one_by_one(cutting: "ListCutting[T]", one: Callable[[], None]) -> Iterator[T]:
    """Take the next elements: the more of them, the more guesses were wrong in a row.

    Args:
        cutting: Cuts the list.
        one: Takes what is left of the open chat, or the next element.
    """
    window = cutting.window
    for _ in range(1 << min(cutting.wrong, MOST_WRONG)):
        one()
        cutting.leave_chat()
        pass_separators(window)
        if window.data[window.at] == CLOSING:
            break
    yield from ()
