"""How everybody you write to writes, and how you write to them."""

from typing import Any

import pandas as pd

from resonare_pipeline.style.clock import zone_of
from resonare_pipeline.style.emojis import with_emojis
from resonare_pipeline.style.frames import Reading, read_frame
from resonare_pipeline.style.labels import length_classes, preferred_length, texter
from resonare_pipeline.style.lines import Lines, Messages, lines_of
from resonare_pipeline.style.partners import ChatTallies, Partner
from resonare_pipeline.style.profile import Tally, part_of, profile_of
from resonare_pipeline.style.replies import Replies, joined
from resonare_pipeline.style.windows import WINDOW_GAP_SECONDS
from resonare_pipeline.style.words import asks


class StyleAnalyzer:
    """Describes the styles of the people you write to.

    Args:
        include_system_messages: Count what Signal wrote itself.
    """

    def __init__(self, *, include_system_messages: bool = False) -> None:
        self.include_system_messages = include_system_messages

    def analyze_all_communication_styles(
        self,
        messages_df: pd.DataFrame,
        your_recipient_id: int | str = 2,
        recipients_df: pd.DataFrame | None = None,
    ) -> dict[Any, dict[str, Any]]:
        """Return a profile of each person who wrote to you, in groups too, most messages first.

        Keys are the senders' ids. `classification` is concise_texter, balanced_texter or
        lengthy_texter. What you write to them, and so `adaptation_level`, is known of chats of two
        only; elsewhere it is None.

        Raises:
            MissingColumnsError: If columns are missing.
            UnknownPersonError: If nobody has your recipient id.
        """
        reading = Reading(
            your_recipient_id=your_recipient_id, include_system=self.include_system_messages
        )
        messages = read_frame(messages_df, recipients_df, reading)
        lines = lines_of(messages, max_gap_seconds=WINDOW_GAP_SECONDS)
        tallies = ChatTallies()
        tallies.add(lines)
        partners = tallies.partners()
        found = {}
        for number, sender in enumerate(lines.sender_ids):
            profile = partner_profile(lines, number, partners.get(sender))
            if sender is not None and profile["total_messages"]:
                found[sender] = profile
        return dict(
            sorted(found.items(), key=lambda item: (-item[1]["total_messages"], str(item[0])))
        )


def partner_profile(lines: Lines, number: int, partner: Partner | None) -> dict[str, Any]:
    """Return what somebody's lines add up to, and how you write to them if that is known."""
    places = ((lines.senders == number) & ~lines.is_owner).nonzero()[0]
    texts = [lines.texts[place] for place in places.tolist()]
    lengths = lines.lengths[places]
    mean = float(lengths.mean()) if len(texts) else 0.0
    with_emoji = sum(1 for _ in with_emojis(texts))
    return {
        "name": lines.names[number],
        "classification": texter(mean),
        "preferred_length": str(preferred_length(mean)),
        "total_messages": len(texts),
        "avg_message_length": round(mean, 2),
        "message_length_distribution": length_classes(lengths),
        "emoji_frequency": part_of(with_emoji, len(texts)),
        "question_frequency": part_of(sum(map(asks, texts)), len(texts)),
        "conversations": partner.conversations if partner else None,
        "your_messages": partner.your_messages if partner else None,
        "your_avg_message_length": round(partner.your_mean_length, 2) if partner else None,
        "style_difference": round(partner.style_difference, 4) if partner else None,
        "adaptation_level": round(partner.adaptation_level, 4) if partner else None,
    }


def personal_style(
    messages: Messages, *, words: bool, times: bool, time_zone: str
) -> dict[str, Any]:
    """Return your own style over all chats.

    Args:
        words: Whether `vocabulary` is part of it.
        times: Whether `time_patterns` is part of it, in this time zone.
    """
    lines = lines_of(messages, max_gap_seconds=WINDOW_GAP_SECONDS)
    tally = Tally(zone=zone_of(time_zone), counts_words=words)
    tally.add(lines, lines.is_owner)
    tally.add_bursts(lines)
    replies = Replies()
    replies.add(messages)
    return profile_of(tally, joined(replies.by_owner), words=words, times=times)
