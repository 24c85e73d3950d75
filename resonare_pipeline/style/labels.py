"""Every label that is derived from numbers, with its formula, and the thresholds it takes.

docs/style.md shows the same formulas. Nothing here knows messages or frames.
"""

import math
from enum import StrEnum

import numpy as np

from resonare_pipeline.style.lines import FloatArray, IntArray

RAPID_BELOW_SECONDS = 60.0  # a mean gap below it: both have the chat open
MODERATE_BELOW_SECONDS = 600.0  # below ten minutes: answers between other things

SHORT_FROM_CHARACTERS = 10  # the borders of the message_length_distribution
MEDIUM_FROM_CHARACTERS = 30
LONG_FROM_CHARACTERS = 100
LONG_TO_CHARACTERS = 200

CONCISE_BELOW_CHARACTERS = 50.0  # of a mean length
LENGTHY_FROM_CHARACTERS = 100.0

PLANNING_SHARE = 0.15  # part of an episode's messages that name a day or a time
PLANNING_MESSAGES = 2  # and at least so many of them
DISCUSSION_FROM_CHARACTERS = 60.0  # mean length of an episode's messages


class Momentum(StrEnum):
    """How fast messages follow one another."""

    RAPID = "rapid"
    MODERATE = "moderate"
    SLOW = "slow"


class Length(StrEnum):
    """How long somebody's messages are on average."""

    CONCISE = "concise"
    BALANCED = "balanced"
    LENGTHY = "lengthy"


class ConversationType(StrEnum):
    """What an episode is."""

    CHAT = "chat"
    DISCUSSION = "discussion"
    PLANNING = "planning"


class LengthClass(StrEnum):
    """The classes of the distribution of lengths."""

    VERY_SHORT = "very_short"
    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"
    VERY_LONG = "very_long"


MOMENTA = tuple(Momentum)
TYPES = tuple(ConversationType)
TEXTER = "{}_texter"


def momentum_codes(mean_gaps_seconds: FloatArray) -> IntArray:
    """Return numbers into `MOMENTA`: rapid for g < 60 s, moderate for g < 600 s, else slow."""
    codes: IntArray = np.digitize(
        mean_gaps_seconds, [RAPID_BELOW_SECONDS, MODERATE_BELOW_SECONDS]
    ).astype(np.int64)
    return codes


def momentum(mean_gap_seconds: float) -> Momentum:
    """Return the momentum of one mean gap."""
    if mean_gap_seconds < RAPID_BELOW_SECONDS:
        return Momentum.RAPID
    return Momentum.MODERATE if mean_gap_seconds < MODERATE_BELOW_SECONDS else Momentum.SLOW


def length_classes(lengths: IntArray) -> dict[str, int]:
    """Count lengths n: very_short n < 10, short < 30, medium < 100, long ≤ 200, very_long."""
    borders = [
        SHORT_FROM_CHARACTERS,
        MEDIUM_FROM_CHARACTERS,
        LONG_FROM_CHARACTERS,
        LONG_TO_CHARACTERS + 1,
    ]
    counts = np.bincount(np.digitize(lengths, borders), minlength=len(LengthClass)).tolist()
    return dict(zip(map(str, LengthClass), counts, strict=True))


def preferred_length(mean_characters: float) -> Length:
    """Return concise for a mean below 50 characters, lengthy from 100 on, else balanced."""
    if mean_characters < CONCISE_BELOW_CHARACTERS:
        return Length.CONCISE
    return Length.LENGTHY if mean_characters >= LENGTHY_FROM_CHARACTERS else Length.BALANCED


def texter(mean_characters: float) -> str:
    """Return a person's style: that of `preferred_length`, as in `lengthy_texter`."""
    return TEXTER.format(preferred_length(mean_characters))


def style_difference(first_characters: float, second_characters: float) -> float:
    """Return how far two mean lengths a and b are apart: 1 - min(a, b) / max(a, b).

    0 for equal lengths, 0.5 where one is twice the other, towards 1 beyond; 0 where both are 0.
    """
    greatest = max(first_characters, second_characters)
    if greatest <= 0:
        return 0.0
    return 1 - min(first_characters, second_characters) / greatest


def adaptation_level(usual: float, here: float, partner: float) -> float:
    """Return how far your mean length moves from your usual one towards the partner's, 0 … 1.

    ln(here / usual) / ln(partner / usual), cut to that range: 0 if you write as ever, 1 if you
    write as the partner does or go further; 0 where there is nothing to adapt to.
    """
    if min(usual, here, partner) <= 0 or usual == partner:
        return 0.0
    level = math.log(here / usual) / math.log(partner / usual)
    return min(max(level, 0.0), 1.0)


def type_codes(planning: IntArray, messages: IntArray, mean_characters: FloatArray) -> IntArray:
    """Return numbers into `TYPES` for episodes.

    Planning if at least 2 messages and at least 15 % of all name a day or a time; else discussion
    if messages have 60 characters or more on average; else chat.
    """
    plans = (planning >= PLANNING_MESSAGES) & (planning >= PLANNING_SHARE * messages)
    discusses = mean_characters >= DISCUSSION_FROM_CHARACTERS
    codes: IntArray = np.select(
        [plans, discusses],
        [TYPES.index(ConversationType.PLANNING), TYPES.index(ConversationType.DISCUSSION)],
        TYPES.index(ConversationType.CHAT),
    )
    return codes
