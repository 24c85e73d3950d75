"""Training examples by strategy: an instruction, an input, and what you wrote as output.

Each function takes lines and gives examples in their order; none draws at random, so equal lines
give equal examples. What may not live here: frames, files, the choice among examples.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from resonare_pipeline.runs import MICROSECONDS
from resonare_pipeline.style.bursts import MOST_BURST, Bursts, find_bursts
from resonare_pipeline.style.labels import momentum, preferred_length
from resonare_pipeline.style.lines import YOU, Lines, seconds, whole_seconds
from resonare_pipeline.style.partners import Partner
from resonare_pipeline.style.windows import Windows, window_metadata
from resonare_pipeline.style.words import asks, split_words

PARTNER = "Partner"

CONVERSE = "Continue this conversation in your own style"
BURST = "Continue this message burst naturally"
ADAPT = "Respond in a style adapted to this conversation partner who prefers {} messages"
COMPLETE = "Complete this message in your own style"
ANSWER = "Answer this question in your own style"

COMPLETION_WORDS = 6  # fewest words of a message that is cut in two
COMPLETION_LEAST_TENTHS = 3  # of the words that are given at least, and left at least

ORIGIN = ("thread_id", "message_id", "started_at", "timestamp")

Example = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptation:
    """Whom adaptive examples are made of.

    Attributes:
        min_style_difference: Least difference of a partner's mean length from your usual one, 0 … 1
            (`labels.style_difference`).
        min_conversations: Fewest conversations with a partner.
        min_level: Least adaptation level, 0 … 1 (`labels.adaptation_level`).
    """

    min_style_difference: float = 0.5
    min_conversations: int = 20
    min_level: float = 0.0

    def fits(self, partner: Partner) -> bool:
        """Tell whether examples are made of a partner."""
        return (
            partner.your_messages > 0
            and partner.style_difference >= self.min_style_difference
            and partner.conversations >= self.min_conversations
            and partner.adaptation_level >= self.min_level
        )


def conversational_examples(
    lines: Lines, windows: Windows, *, with_metadata: bool = True
) -> Iterator[Example]:
    """Yield an example for each window: the context as input, your answer as output."""
    for inputs, output, metadata in _rendered(lines, windows, lines.spoken()):
        example: Example = {"instruction": CONVERSE, "input": inputs, "output": output}
        if with_metadata:
            example["metadata"] = {"type": "conversational", **metadata}
        yield example


def _rendered(
    lines: Lines, windows: Windows, spoken: list[str]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    chats = lines.chats[windows.responses].tolist()
    times = whole_seconds(lines.at)
    spans = zip(
        windows.firsts.tolist(),
        windows.responses.tolist(),
        chats,
        window_metadata(lines, windows),
        strict=True,
    )
    for first, at, chat, metadata in spans:
        metadata["thread_id"] = lines.chat_ids[chat]
        metadata["message_id"] = lines.ids[at]
        metadata["started_at"] = times[first]
        metadata["timestamp"] = times[at]
        yield "\n".join(spoken[first:at]), lines.texts[at], metadata


def burst_examples(
    lines: Lines,
    *,
    max_gap_seconds: float,
    least: int,
    most: int = MOST_BURST,
    least_characters: int = 1,
) -> Iterator[Example]:
    """Yield an example for each burst: its last message is the output, the others the input."""
    bursts = find_bursts(lines, max_gap_seconds=max_gap_seconds, least=least, most=most)
    for start, end, gap in _spans(bursts):
        output = lines.texts[end - 1]
        if len(output) < least_characters:
            continue
        yield {
            "instruction": BURST,
            "input": "\n".join(f"{YOU}: {text}" for text in lines.texts[start : end - 1]),
            "output": output,
            "metadata": {
                "type": "burst_sequence",
                "burst_size": end - start,
                "avg_time_between": round(gap, 3),
                "burst_momentum": str(momentum(gap)),
                **_origin(lines, start, end - 1),
            },
        }


def _spans(bursts: Bursts) -> Iterator[tuple[int, int, float]]:
    yield from zip(
        bursts.starts.tolist(), bursts.ends.tolist(), bursts.mean_gaps.tolist(), strict=True
    )


def _origin(lines: Lines, first: int, last: int) -> dict[str, Any]:
    """Return what leads back to an example's messages; times are whole seconds since 1970."""
    started_at = int(lines.at[first]) // MICROSECONDS
    return {
        "thread_id": lines.chat_ids[int(lines.chats[last])],
        "message_id": lines.ids[last],
        "started_at": started_at,
        "timestamp": started_at if first == last else int(lines.at[last]) // MICROSECONDS,
    }


def adaptive_examples(
    lines: Lines,
    windows: Windows,
    partners: Mapping[object, Partner],
    adaptation: Adaptation,
) -> Iterator[Example]:
    """Yield an example for each answer to a partner whose style differs from your usual one.

    Args:
        partners: By sender id; only answers in chats of two with them count.
    """
    fitting = {key: one for key, one in partners.items() if adaptation.fits(one)}
    chats = {chat for partner in fitting.values() for chat in partner.chats}
    two = np.array([chat in chats for chat in lines.chat_ids], np.bool_)
    named = np.array([sender in fitting for sender in lines.sender_ids], np.bool_)
    windows = windows.taken(two[lines.chats[windows.responses]] & named[windows.partners])
    known = [fitting[lines.sender_ids[sender]] for sender in windows.partners.tolist()]
    rendered = _rendered(lines, windows, lines.spoken(PARTNER))
    for partner, (inputs, output, metadata) in zip(known, rendered, strict=True):
        yield {
            "instruction": ADAPT.format(preferred_length(partner.mean_length)),
            "input": inputs,
            "output": output,
            "metadata": {
                "type": "adaptive",
                "partner_style": partner.classification,
                "your_usual_style": str(preferred_length(partner.your_usual_length)),
                "adaptation_level": round(partner.adaptation_level, 4),
                "style_difference": round(partner.style_difference, 4),
                "conversation_partner": metadata["conversation_partner"],
                **{name: metadata[name] for name in ORIGIN},
            },
        }


def completion_examples(
    lines: Lines, *, seed: int = 0, least_characters: int = 1
) -> Iterator[Example]:
    """Yield an example for each longer message of yours: its beginning is the input.

    The cut stands before a word, 30 to 70 % of the words on; a hash of message and seed draws it.
    """
    for at in np.flatnonzero(lines.is_owner & (lines.lengths >= least_characters)).tolist():
        text = lines.texts[at]
        spans = split_words(text)
        if len(spans) < COMPLETION_WORDS:
            continue
        least = -(-COMPLETION_LEAST_TENTHS * len(spans) // 10)  # rounded up
        word = least + _draw(f"{seed} {lines.ids[at]} {text}", len(spans) - 2 * least + 1)
        place = spans[word][0]
        begin, rest = text[:place].rstrip(), text[place:]
        yield {
            "instruction": COMPLETE,
            "input": begin,
            "output": rest,
            "metadata": {
                "type": "completion",
                "split_ratio": round(word / len(spans), 4),
                "words": len(spans),
                **_origin(lines, at, at),
            },
        }


def _draw(text: str, below: int) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % below


def qa_examples(lines: Lines, *, least_characters: int = 1) -> Iterator[Example]:
    """Yield an example for each question that you answered.

    A question is a message of somebody else with a question mark, right before one of yours in the
    same run; the answer is your whole turn, message by message.
    """
    own = lines.is_owner
    turns = np.flatnonzero(own[1:] & ~own[:-1] & (np.diff(lines.runs) == 0)) + 1
    borders = np.ones(len(lines) + 1, np.bool_)  # where a turn of yours may end
    borders[1:-1] = ~own[1:] | (np.diff(lines.runs) != 0)
    ends = np.flatnonzero(borders)
    lasts = ends[np.searchsorted(ends, turns, side="right")] if len(turns) else turns
    delays = seconds(lines.at[turns] - lines.at[turns - 1]).round(3).tolist()
    for at, end, delay in zip(turns.tolist(), lasts.tolist(), delays, strict=True):
        question = lines.texts[at - 1]
        if not asks(question):
            continue
        output = "\n".join(lines.texts[at:end])
        if len(output) < least_characters:
            continue
        yield {
            "instruction": ANSWER,
            "input": f"{PARTNER}: {question}",
            "output": output,
            "metadata": {
                "type": "qa",
                "response_delay": delay,
                "answer_messages": end - at,
                "conversation_partner": lines.names[int(lines.senders[at - 1])],
                **_origin(lines, at - 1, end - 1),
            },
        }
