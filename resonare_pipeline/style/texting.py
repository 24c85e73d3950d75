"""The stage that describes how you write: style.json, style.md and its plots.

The messages are read once, a piece at a time. What is written holds counts, words, emoji and the
names of people you write with; never a message.
"""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from resonare_pipeline.added_lines import without_added_lines
from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.style.clock import WEEKDAYS, zone_of
from resonare_pipeline.style.files import STYLE_FILE
from resonare_pipeline.style.lines import IntArray, Messages, lines_of
from resonare_pipeline.style.partners import ChatTallies, Partner
from resonare_pipeline.style.profile import Tally, most_frequent, profile_of
from resonare_pipeline.style.replies import Replies, joined
from resonare_pipeline.style.settings import TextingStyleSettings
from resonare_pipeline.style.streaming import read_pieces
from resonare_pipeline.style.windows import WINDOW_GAP_SECONDS
from resonare_pipeline.style.words import distinctive

MARKDOWN_FILE = "style.md"
LISTED_EMOJIS = 15
LISTED_WORDS = 20
RESPONSE_BORDERS_SECONDS = (10, 60, 300, 3_600, 21_600)


def write_style(
    messages: Artifact,
    out: OutputDraft,
    settings: TextingStyleSettings,
    *,
    progress: Progress = silent,
) -> None:
    """Write style.json, style.md and the plots that it shows."""
    # Here and not above: a plan needs neither pages nor a library for images.
    from resonare_pipeline.style.page import render_style
    from resonare_pipeline.style.plots import draw_plots

    document = describe(messages, settings, progress)
    with out.open(STYLE_FILE) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")
    plots = draw_plots(document)
    with out.open(MARKDOWN_FILE) as stream:
        stream.write(render_style(document).encode())
    for name, content in plots.items():
        with out.open(name, auxiliary=True) as stream:  # says nothing that the JSON does not
            stream.write(content)
    you = document["you"]
    out.report(
        rows=you["total_messages"],
        metadata={
            "messages": you["total_messages"],
            "avg_message_length": you["avg_message_length"],
            "preferred_length": you["preferred_length"],
            "partners": len(document["partners"]),
            "emoji_usage_rate": you["emoji_usage"]["emoji_usage_rate"],
        },
    )


def describe(
    messages: Artifact, settings: TextingStyleSettings, progress: Progress = silent
) -> dict[str, Any]:
    """Return all that style.json holds."""
    zone = zone_of(settings.time_zone)
    yours, theirs = Tally(zone=zone), Tally(zone=zone)
    replies, chats = Replies(), ChatTallies()
    read = 0
    for read_piece in read_pieces(messages, max_gap_seconds=WINDOW_GAP_SECONDS):
        piece = own_words(read_piece)
        lines = lines_of(piece, max_gap_seconds=WINDOW_GAP_SECONDS)
        yours.add(lines, lines.is_owner)
        yours.add_bursts(lines)
        theirs.add(lines, ~lines.is_owner)
        replies.add(piece)
        chats.add(lines)
        read += len(piece)
        progress(read, messages.entry.rows, "messages")
    own_delays, their_delays = joined(replies.by_owner), joined(replies.by_others)
    you = profile_of(yours, own_delays, words=True, times=True)
    gaps = median_gap(you["burst_patterns"].pop("burst_intervals"))
    others = profile_of(theirs, their_delays, words=True, times=True)
    del others["burst_patterns"]  # bursts are found for you alone
    return {
        "time_zone": str(zone),
        "you": you,
        "others": others,
        "burst_sizes": {str(size): n for size, n in sorted(yours.burst_sizes.items())},
        "burst_median_interval": gaps,
        "hours_by_weekday": dict(zip(WEEKDAYS, yours.hours.reshape(7, 24).tolist(), strict=True)),
        "response_times": {
            "borders_seconds": list(RESPONSE_BORDERS_SECONDS),
            "you": _by_border(own_delays),
            "others": _by_border(their_delays),
        },
        "emojis": dict(most_frequent(yours.emojis, LISTED_EMOJIS)),
        "your_words": distinctive(yours.words, theirs.words, LISTED_WORDS),
        "partners": [_partner(one) for one in chats.partners().values()],
    }


def own_words(messages: Messages) -> Messages:
    """Return messages without the lines that they have gained of links and images."""
    return replace(messages, texts=[without_added_lines(text) for text in messages.texts])


def median_gap(gaps: list[float]) -> float | None:
    """Return the median of mean gaps within bursts, in seconds; None without bursts."""
    return round(float(np.median(gaps)), 2) if gaps else None


def _by_border(delays: IntArray) -> list[int]:
    """Count delays below the first border, from each to the next, and from the last on."""
    classes = np.digitize(delays, RESPONSE_BORDERS_SECONDS)
    counts: list[int] = np.bincount(classes, minlength=len(RESPONSE_BORDERS_SECONDS) + 1).tolist()
    return counts


def _partner(partner: Partner) -> dict[str, Any]:
    return {
        "partner_id": partner.partner_id,
        "name": partner.name,
        "chats": list(partner.chats),
        "classification": partner.classification,
        "messages": partner.messages,
        "your_messages": partner.your_messages,
        "conversations": partner.conversations,
        "mean_length": partner.mean_length,
        "your_mean_length": partner.your_mean_length,
        "your_usual_length": partner.your_usual_length,
        "style_difference": round(partner.style_difference, 4),
        "adaptation_level": round(partner.adaptation_level, 4),
    }
