"""How long somebody takes to answer."""

from dataclasses import dataclass, field

import numpy as np

from resonare_pipeline.style.lines import IntArray, Messages, seconds

REPLY_WITHIN_SECONDS = 86_400  # whoever writes after more than a day begins anew


@dataclass(slots=True, kw_only=True)
class Replies:
    """Seconds until an answer, in pieces.

    An answer is a message right after one of somebody else in the same chat, at most a day later;
    media count as messages do. The last message of a piece is remembered for the next one.
    """

    by_owner: list[IntArray] = field(default_factory=list)
    by_others: list[IntArray] = field(default_factory=list)
    last: tuple[object, object, int] | None = None

    def add(self, messages: Messages) -> None:
        """Take the answers among messages into account."""
        if not len(messages):
            return
        passed = seconds(np.diff(messages.at)).astype(np.int64)
        is_reply = (np.diff(messages.chats) == 0) & (np.diff(messages.senders) != 0)
        is_reply &= passed <= REPLY_WITHIN_SECONDS
        own = messages.is_owner[1:]
        self.by_owner.append(passed[is_reply & own])
        self.by_others.append(passed[is_reply & ~own])
        self._add_first(messages)

    def _add_first(self, messages: Messages) -> None:
        """Count the first message, if it answers the last one of the piece before."""
        chat = messages.chat_ids[int(messages.chats[0])]
        sender = messages.sender_ids[int(messages.senders[0])]
        at = int(messages.at[0])
        if self.last is not None and self.last[0] == chat and self.last[1] != sender:
            passed = seconds(np.array([at - self.last[2]])).astype(np.int64)
            kept = passed[passed <= REPLY_WITHIN_SECONDS]
            (self.by_owner if messages.is_owner[0] else self.by_others).append(kept)
        self.last = (
            messages.chat_ids[int(messages.chats[-1])],
            messages.sender_ids[int(messages.senders[-1])],
            int(messages.at[-1]),
        )


def joined(pieces: list[IntArray]) -> IntArray:
    """Return pieces as one array."""
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
