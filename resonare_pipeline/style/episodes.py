"""Episodes: stretches of a chat between two silences, with all that was said in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.errors import InputError
from resonare_pipeline.style.labels import TYPES, type_codes
from resonare_pipeline.style.lines import (
    OTHER,
    YOU,
    BoolArray,
    FloatArray,
    IntArray,
    Lines,
    borders_of,
    cut_evenly,
    seconds,
    whole_seconds,
)

EPISODE_GAP_MINUTES = 30
LEAST_EPISODE = 3
MOST_EPISODE = 100

_ASCII_WORDS = (  # days and times in seven languages; those of ASCII stand alone
    "today|tonight|tomorrow|tmrw|weekend|monday|tuesday|wednesday|thursday|friday|saturday|sunday"
    "|o'clock|next week|this week|meet up"
    "|heute|morgen|abend|wochenende|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag"
    "|demain|ce soir|aujourd'hui|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche"
    "|hoy|lunes|martes|jueves|viernes|esta noche"
    "|oggi|domani|stasera|sabato|domenica|hoje|segunda-feira|sexta-feira"
)
_OTHER_WORDS = (
    "mañana|miércoles|sábado|amanhã|lunedì|martedì|mercoledì|giovedì|venerdì"
    "|завтра|сегодня|вечером|понедельник|вторник|сред[ау]|четверг|пятниц|суббот|воскресень"
    "|明天|今晚|今天|周末|明日|今夜|来週"
)
_CLOCK = r"\b\d{1,2}:\d{2}\b|\b\d{1,2}\s?(am|pm|h|uhr)\b"
NAMES_A_TIME = rf"(?i)\b({_ASCII_WORDS})\b|{_OTHER_WORDS}|{_CLOCK}"
"""Matches a text that names a day or a time of day; syntax of RE2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episodes:
    """Episodes as spans of lines, with a number or flag for each.

    Attributes:
        starts: First line of each.
        ends: Line behind the last of each.
        durations: Seconds from the first message to the last.
        turns_of_you: Turns of yours; neighbouring messages of one person are one turn.
        turns_of_others: Turns of everybody else.
        lines_of_you: Messages of yours.
        response_times: Mean seconds from a message to the next one if somebody else wrote that;
            NaN where nobody answered.
        types: Numbers into `labels.TYPES`.
    """

    starts: IntArray
    ends: IntArray
    durations: FloatArray
    turns_of_you: IntArray
    turns_of_others: IntArray
    lines_of_you: IntArray
    response_times: FloatArray
    types: IntArray

    def __len__(self) -> int:
        return len(self.starts)


def find_episodes(
    lines: Lines, *, least: int = LEAST_EPISODE, most: int = MOST_EPISODE
) -> Episodes:
    """Return the runs of lines that have enough messages; too long ones are cut evenly.

    Args:
        lines: In runs by the silence that parts episodes.

    Raises:
        InputError: If no episode could have these sizes.
    """
    if least < 1 or most < least:
        raise InputError(
            f"min_episode_length = {least}, max_episode_length = {most}",
            expected="1 or more, and a maximum that is not below the minimum",
        )
    starts, ends = cut_evenly(*borders_of(lines.runs), most)
    fits = ends - starts >= least
    starts, ends = starts[fits], ends[fits]
    changes = np.zeros(len(lines), np.bool_)
    changes[1:] = np.diff(lines.senders) != 0
    changes[starts] = True  # a turn begins with each episode
    answers = changes.copy()
    answers[starts] = False
    passed = np.maximum(np.diff(lines.at, prepend=lines.at[:1]), 0)
    replies = _sums(answers, starts, ends)
    waited = _sums(np.where(answers, passed, 0), starts, ends)
    sizes = ends - starts
    planning = _sums(names_a_time(lines.texts), starts, ends)
    return Episodes(
        starts=starts,
        ends=ends,
        durations=seconds(lines.at[ends - 1] - lines.at[starts]),
        turns_of_you=_sums(changes & lines.is_owner, starts, ends),
        turns_of_others=_sums(changes & ~lines.is_owner, starts, ends),
        lines_of_you=_sums(lines.is_owner, starts, ends),
        response_times=np.where(replies > 0, seconds(waited) / np.maximum(replies, 1), np.nan),
        types=type_codes(planning, sizes, _sums(lines.lengths, starts, ends) / sizes),
    )


def names_a_time(texts: list[str]) -> BoolArray:
    """Tell of each text whether it names a day or a time of day."""
    found = pc.match_substring_regex(pa.array(texts, pa.string()), NAMES_A_TIME)
    flags: BoolArray = found.to_numpy(zero_copy_only=False)
    return flags


def _sums(values: IntArray | BoolArray, starts: IntArray, ends: IntArray) -> IntArray:
    added = np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
    sums: IntArray = added[ends] - added[starts]
    return sums


def episode_metadata(lines: Lines, episodes: Episodes) -> Iterator[dict[str, Any]]:
    """Yield what is known of each episode, by the names of the Python interface."""
    sizes = episodes.ends - episodes.starts
    columns = zip(
        episodes.durations.tolist(),
        sizes.tolist(),
        episodes.turns_of_you.tolist(),
        episodes.turns_of_others.tolist(),
        episodes.lines_of_you.tolist(),
        lines.is_owner[episodes.starts].tolist(),
        episodes.response_times.tolist(),
        episodes.types.tolist(),
        strict=True,
    )
    for duration, size, yours, others, written, began, response, code in columns:
        initiator = YOU if began else OTHER
        yield {
            "duration_seconds": round(duration),
            "message_count": size,
            "participant_turns": {YOU: yours, OTHER: others},
            "participant_messages": {YOU: written, OTHER: size - written},
            "initiatior": initiator,  # as callers of the first interface spell it
            "initiator": initiator,
            "avg_response_time": None if response != response else round(response, 3),  # NaN
            "conversation_type": str(TYPES[code]),
        }


def render_episodes(lines: Lines, episodes: Episodes) -> list[dict[str, Any]]:
    """Return episodes as dictionaries; times are whole seconds since 1970."""
    times = whole_seconds(lines.at)
    speakers = [YOU if own else OTHER for own in lines.is_owner.tolist()]
    texts = lines.texts
    chats = lines.chats.tolist()
    return [
        {
            "episode_id": f"ep_{lines.chat_ids[chats[start]]}_{lines.ids[start]}",
            "thread_id": lines.chat_ids[chats[start]],
            "messages": [
                {"speaker": speakers[one], "text": texts[one], "timestamp": times[one]}
                for one in range(start, end)
            ],
            "metadata": metadata,
        }
        for start, end, metadata in zip(
            episodes.starts.tolist(),
            episodes.ends.tolist(),
            episode_metadata(lines, episodes),
            strict=True,
        )
    ]
