"""How everybody you write to writes, and how you write to them."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from resonare_pipeline.style.arguments import checked
from resonare_pipeline.style.clock import zone_of
from resonare_pipeline.style.emojis import with_emojis
from resonare_pipeline.style.frames import Reading, read_frame
from resonare_pipeline.style.ids import plain_id
from resonare_pipeline.style.labels import length_classes, preferred_length, texter
from resonare_pipeline.style.lines import IntArray, Lines, Messages, borders_of, lines_of
from resonare_pipeline.style.partners import ChatTallies, Partner
from resonare_pipeline.style.profile import Tally as YourTally
from resonare_pipeline.style.profile import part_of, profile_of
from resonare_pipeline.style.replies import Replies, joined
from resonare_pipeline.style.windows import WINDOW_GAP_SECONDS
from resonare_pipeline.style.words import asks


class StyleAnalyzer:
    """Describes the styles of the people you write to.

    Args:
        include_system_messages: Count what Signal wrote itself.
    """

    @checked
    def __init__(self, *, include_system_messages: bool = False) -> None:
        self.include_system_messages = include_system_messages

    @checked
    def analyze_all_communication_styles(
        self,
        messages_df: pd.DataFrame,
        your_recipient_id: int | str = 2,
        recipients_df: pd.DataFrame | None = None,
    ) -> dict[Any, dict[str, Any]]:
        """Return a profile of each person who wrote to you, in groups too, most messages first.

        Keys are the senders' ids as the frame has them. `classification` is concise_texter,
        balanced_texter or lengthy_texter. What you write to them, and so `adaptation_level`, is
        known of chats of two only; elsewhere it is None.

        Raises:
            MissingColumnsError: If columns are missing.
            UnknownPersonError: If nobody has your recipient id.
        """
        reading = Reading(
            your_recipient_id=your_recipient_id, include_system=self.include_system_messages
        )
        messages = read_frame(messages_df, recipients_df, reading)
        profiles: defaultdict[int, Tally] = defaultdict(Tally)
        tallies = ChatTallies()
        for piece in messages.pieces(max_gap_seconds=WINDOW_GAP_SECONDS):
            lines = lines_of(piece, max_gap_seconds=WINDOW_GAP_SECONDS)
            tallies.add(lines)
            add_others(profiles, lines)
        partners = tallies.partners()
        spelled = spelled_ids(messages_df[messages.columns.sender])
        found = {}
        for number, tally in sorted(profiles.items()):
            sender = messages.sender_ids[number]
            if sender is not None:
                profile = {"name": messages.names[number], **tally.profile(partners.get(sender))}
                found[spelled.get(sender, sender)] = profile
        return dict(
            sorted(found.items(), key=lambda item: (-item[1]["total_messages"], str(item[0])))
        )


def spelled_ids(senders: "pd.Series[Any]") -> dict[Any, Any]:
    """Return id → how a frame first spells it, so that a result's keys are found in the frame."""
    if senders.dtype.kind in "iuf":
        return {}
    spelled: dict[Any, Any] = {}
    for given in senders.drop_duplicates().tolist():
        spelled.setdefault(plain_id(given), given)
    return spelled


@dataclass(slots=True)
class Tally:
    """What one person's lines add up to.

    Attributes:
        classes: Class of length → messages.
        with_emoji: Messages with an emoji.
    """

    messages: int = 0
    characters: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    with_emoji: int = 0
    questions: int = 0

    def add(self, texts: list[str], lengths: IntArray) -> None:
        """Take some lines into account."""
        self.messages += len(texts)
        self.characters += int(lengths.sum())
        self.classes.update(length_classes(lengths))
        self.with_emoji += sum(1 for _ in with_emojis(texts))
        self.questions += sum(map(asks, texts))

    def profile(self, partner: Partner | None) -> dict[str, Any]:
        """Return what the lines add up to, and how you write to the person if that is known."""
        mean = self.characters / self.messages
        return {
            "classification": texter(mean),
            "preferred_length": str(preferred_length(mean)),
            "total_messages": self.messages,
            "avg_message_length": round(mean, 2),
            "message_length_distribution": dict(self.classes),
            "emoji_frequency": part_of(self.with_emoji, self.messages),
            "question_frequency": part_of(self.questions, self.messages),
            "conversations": partner.conversations if partner else None,
            "your_messages": partner.your_messages if partner else None,
            "your_avg_message_length": round(partner.your_mean_length, 2) if partner else None,
            "style_difference": round(partner.style_difference, 4) if partner else None,
            "adaptation_level": round(partner.adaptation_level, 4) if partner else None,
        }


def add_others(profiles: Mapping[int, Tally], lines: Lines) -> None:
    """Add the lines of everybody but you to the tallies, by number of sender."""
    places = np.flatnonzero(~lines.is_owner)
    places = places[np.argsort(lines.senders[places], kind="stable")]
    starts, ends = borders_of(lines.senders[places])
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        own = places[start:end]
        texts = [lines.texts[place] for place in own.tolist()]
        profiles[int(lines.senders[own[0]])].add(texts, lines.lengths[own])


class OwnStyle:
    """Your own style over all chats, from messages in pieces.

    Args:
        words: Whether `vocabulary` is part of it.
        times: Whether `time_patterns` is part of it, in this time zone.
    """

    def __init__(self, *, words: bool, times: bool, time_zone: str) -> None:
        self._words = words
        self._times = times
        self._tally = YourTally(zone=zone_of(time_zone), counts_words=words)
        self._replies = Replies()

    def add(self, messages: Messages) -> None:
        """Take messages in runs that end with a silence of `WINDOW_GAP_SECONDS` into account."""
        lines = lines_of(messages, max_gap_seconds=WINDOW_GAP_SECONDS)
        self._tally.add(lines, lines.is_owner)
        self._tally.add_bursts(lines)
        self._replies.add(messages)

    def profile(self) -> dict[str, Any]:
        """Return the style."""
        delays = joined(self._replies.by_owner)
        return profile_of(self._tally, delays, words=self._words, times=self._times)
