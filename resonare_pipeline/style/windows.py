"""Sliding windows: some lines of context, and the answer that you gave.

A window lies within one run, so neither a silence nor another chat is ever part of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from resonare_pipeline.errors import InputError
from resonare_pipeline.style.labels import MOMENTA, momentum_codes
from resonare_pipeline.style.lines import (
    NOBODY,
    OTHER,
    YOU,
    BoolArray,
    FloatArray,
    IntArray,
    Lines,
    firsts_of,
    seconds,
    whole_seconds,
)

WINDOW_GAP_SECONDS = 3_600  # the usual end of a conversation, as in convo_block_threshold_secs


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowBounds:
    """Which windows are made.

    Attributes:
        size: Most lines of context.
        stride: Of the windows of a run, every so many-th is taken, from the first on.
        least: Fewest messages of a window, its response included.
        least_context: Fewest lines of context.
        least_characters: Fewest characters of a response; context may be shorter.
        momentum: The only momentum that is taken; None: any.
    """

    size: int = 5
    stride: int = 1
    least: int = 3
    least_context: int = 1
    least_characters: int = 1
    momentum: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("window_size", self.size), ("stride", self.stride)):
            if value < 1:
                raise InputError(f"{name} is {value}", expected="1 or more")
        if self.size + 1 < self.least:
            raise InputError(
                f"window_size = {self.size} gives at most {self.size + 1} messages",
                where=f"min_window_messages = {self.least}",
                expected="a window_size of at least min_window_messages - 1",
            )
        if self.size < self.least_context:
            raise InputError(
                f"window_size = {self.size} is less than min_context_messages",
                expected=f"a window_size of at least {self.least_context}",
            )
        if self.momentum is not None and self.momentum not in MOMENTA:
            raise InputError(
                f"momentum_filter is {self.momentum!r}",
                expected=f"None, or one of {', '.join(MOMENTA)}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Windows as spans of lines, in the order of their responses.

    Attributes:
        firsts: First line of each context.
        responses: Line of each response; the context ends before it.
        mean_gaps: Mean seconds between neighbouring messages, the response included.
        delays: Seconds from the last line of context to the response.
        momenta: Numbers into `labels.MOMENTA`, of the mean gaps.
        has_media: Whether any message from the first line to the response has media.
        partners: Sender of the last line that another person wrote.
    """

    firsts: IntArray
    responses: IntArray
    mean_gaps: FloatArray
    delays: FloatArray
    momenta: IntArray
    has_media: BoolArray
    partners: IntArray

    def __len__(self) -> int:
        return len(self.responses)

    def taken(self, mask: BoolArray) -> "Windows":
        """Return some of the windows."""
        return Windows(**{part.name: getattr(self, part.name)[mask] for part in fields(self)})


def find_windows(lines: Lines, bounds: WindowBounds) -> Windows:
    """Find the windows that answer somebody: another person wrote part of each context."""
    places = np.flatnonzero(lines.is_owner & (lines.lengths >= bounds.least_characters))
    firsts = np.maximum(places - bounds.size, lines.firsts[places])
    partners = lines.partner_before()[places]
    context = places - firsts
    fits = (partners >= firsts) & (partners != NOBODY)
    fits &= context >= max(1, bounds.least_context, bounds.least - 1)
    places, firsts, partners = places[fits], firsts[fits], partners[fits]
    windows = _described(lines, firsts, places, lines.senders[partners])
    if bounds.momentum is not None:
        windows = windows.taken(windows.momenta == MOMENTA.index(bounds.momentum))
    if bounds.stride > 1:
        number = np.arange(len(windows)) - firsts_of(lines.runs[windows.responses])
        windows = windows.taken(number % bounds.stride == 0)
    return windows


def _described(lines: Lines, firsts: IntArray, places: IntArray, partners: IntArray) -> Windows:
    at = lines.at
    gaps = seconds(at[places] - at[firsts]) / np.maximum(places - firsts, 1)
    return Windows(
        firsts=firsts,
        responses=places,
        mean_gaps=gaps,
        delays=seconds(at[places] - at[places - 1]),
        momenta=momentum_codes(gaps),
        has_media=lines.has_media(firsts, places),
        partners=partners,
    )


def window_metadata(lines: Lines, windows: Windows) -> Iterator[dict[str, Any]]:
    """Yield what is known of each window, by the names of the Python interface."""
    names = [lines.names[partner] for partner in windows.partners.tolist()]
    columns = zip(
        windows.momenta.tolist(),
        (windows.responses - windows.firsts).tolist(),
        windows.mean_gaps.round(3).tolist(),
        windows.delays.round(3).tolist(),
        names,
        windows.has_media.tolist(),
        strict=True,
    )
    for code, size, gap, delay, name, media in columns:
        yield {
            "momentum": str(MOMENTA[code]),
            "context_size": size,
            "avg_time_gap": gap,
            "response_delay": delay,
            "conversation_partner": name,
            "has_media": media,
        }


def render_windows(lines: Lines, windows: Windows) -> list[dict[str, Any]]:
    """Return windows as dictionaries; times are whole seconds since 1970."""
    times = whole_seconds(lines.at)
    speakers = [YOU if own else OTHER for own in lines.is_owner.tolist()]
    texts = lines.texts
    spans = zip(
        windows.firsts.tolist(),
        windows.responses.tolist(),
        window_metadata(lines, windows),
        strict=True,
    )
    chats = lines.chats.tolist()
    return [
        {
            "thread_id": lines.chat_ids[chats[at]],
            "context": [
                {"speaker": speakers[one], "text": texts[one], "timestamp": times[one]}
                for one in range(first, at)
            ],
            "response": {"text": texts[at], "timestamp": times[at]},
            "metadata": metadata,
        }
        for first, at, metadata in spans
    ]
