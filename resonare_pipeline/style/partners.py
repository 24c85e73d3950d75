"""The people you write to, each by what you and they write in chats of two.

A chat of two is one in which exactly one other person wrote; how you write in a group says nothing
of whom you adapt to. Counts of a chat never mix with those of another, until they are put together
by partner.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from resonare_pipeline.style.labels import adaptation_level, style_difference, texter
from resonare_pipeline.style.lines import IntArray, Lines, borders_of


@dataclass(slots=True, kw_only=True)
class ChatTally:
    """What one chat adds up to.

    Attributes:
        others: Sender id → name, of everybody but you.
        conversations: Runs in which you and somebody else wrote.
    """

    others: dict[object, str] = field(default_factory=dict)
    messages_of_you: int = 0
    characters_of_you: int = 0
    messages_of_others: int = 0
    characters_of_others: int = 0
    conversations: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """One person that you write to, over all your chats of two.

    Attributes:
        partner_id: As the messages name them.
        chats: Your chats of two.
        mean_length: Mean characters of their messages.
        your_mean_length: Of yours to them.
        your_usual_length: Of yours to everybody.
    """

    partner_id: object
    name: str
    chats: tuple[object, ...]
    messages: int
    your_messages: int
    conversations: int
    mean_length: float
    your_mean_length: float
    your_usual_length: float

    @property
    def classification(self) -> str:
        """Their style: concise_texter, balanced_texter or lengthy_texter."""
        return texter(self.mean_length)

    @property
    def style_difference(self) -> float:
        """How far their mean length is from your usual one, 0 … 1."""
        return style_difference(self.mean_length, self.your_usual_length)

    @property
    def adaptation_level(self) -> float:
        """How far you go towards them, 0 … 1."""
        return adaptation_level(self.your_usual_length, self.your_mean_length, self.mean_length)


class ChatTallies:
    """The tallies of all chats."""

    def __init__(self) -> None:
        self.chats: defaultdict[object, ChatTally] = defaultdict(ChatTally)

    def add(self, lines: Lines) -> None:
        """Take lines into account, in whole runs."""
        if not len(lines):
            return
        count = len(lines.chat_ids)
        own = lines.is_owner
        sums = [
            np.bincount(lines.chats[mask], weights=weights, minlength=count).astype(np.int64)
            for mask in (own, ~own)
            for weights in (None, lines.lengths[mask])
        ]
        conversations = _conversations(lines, count)
        for number in np.unique(lines.chats).tolist():
            tally = self.chats[lines.chat_ids[number]]
            tally.messages_of_you += int(sums[0][number])
            tally.characters_of_you += int(sums[1][number])
            tally.messages_of_others += int(sums[2][number])
            tally.characters_of_others += int(sums[3][number])
            tally.conversations += int(conversations[number])
        pairs = np.unique(np.stack([lines.chats[~own], lines.senders[~own]], axis=1), axis=0)
        for chat, sender in pairs.tolist():
            others = self.chats[lines.chat_ids[chat]].others
            others[lines.sender_ids[sender]] = lines.names[sender]

    def partners(self) -> dict[object, Partner]:
        """Return the partners of chats of two, by id, those with most messages first."""
        return find_partners(self.chats)


def _conversations(lines: Lines, count: int) -> IntArray:
    starts, ends = borders_of(lines.runs)
    added = np.concatenate(([0], np.cumsum(lines.is_owner, dtype=np.int64)))
    own = added[ends] - added[starts]
    both = (own > 0) & (own < ends - starts)
    return np.bincount(lines.chats[starts[both]], minlength=count).astype(np.int64)


def find_partners(chats: Mapping[object, ChatTally]) -> dict[object, Partner]:
    """Put chats of two together by the other person."""
    usual = _mean(
        sum(tally.characters_of_you for tally in chats.values()),
        sum(tally.messages_of_you for tally in chats.values()),
    )
    shared: defaultdict[object, dict[object, ChatTally]] = defaultdict(dict)
    for chat, tally in chats.items():
        if len(tally.others) == 1:
            shared[next(iter(tally.others))][chat] = tally
    partners = [_partner(key, by_chat, usual) for key, by_chat in shared.items()]
    ordered = sorted(partners, key=lambda one: (-one.messages, str(one.partner_id)))
    return {partner.partner_id: partner for partner in ordered}


def _partner(key: object, by_chat: Mapping[object, ChatTally], usual: float) -> Partner:
    tallies = list(by_chat.values())
    theirs = sum(tally.messages_of_others for tally in tallies)
    yours = sum(tally.messages_of_you for tally in tallies)
    return Partner(
        partner_id=key,
        name=tallies[-1].others[key],
        chats=tuple(by_chat),
        messages=theirs,
        your_messages=yours,
        conversations=sum(tally.conversations for tally in tallies),
        mean_length=_mean(sum(tally.characters_of_others for tally in tallies), theirs),
        your_mean_length=_mean(sum(tally.characters_of_you for tally in tallies), yours),
        your_usual_length=usual,
    )


def _mean(total: int, count: int) -> float:
    return total / count if count else 0.0
