"""Passes over the messages of a frame, each a piece at a time: lines, partners, style, examples."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from resonare_pipeline.style.analyzing import OwnStyle
from resonare_pipeline.style.compact import compact
from resonare_pipeline.style.examples import Example
from resonare_pipeline.style.frames import FrameMessages
from resonare_pipeline.style.lines import Lines, lines_of
from resonare_pipeline.style.making import identity_of, make_examples
from resonare_pipeline.style.partners import ChatTallies, Partner
from resonare_pipeline.style.sampling import Draw
from resonare_pipeline.style.strategies import Strategy
from resonare_pipeline.style.windows import WINDOW_GAP_SECONDS


def lines_in(messages: FrameMessages, *, max_gap_seconds: float) -> Iterator[Lines]:
    """Yield the lines of messages in pieces of whole runs."""
    for piece in messages.pieces(max_gap_seconds=max_gap_seconds):
        yield lines_of(piece, max_gap_seconds=max_gap_seconds)


def partners_in(messages: FrameMessages, *, max_gap_seconds: float) -> Mapping[object, Partner]:
    """Return the partners of chats of two, by id."""
    tallies = ChatTallies()
    for lines in lines_in(messages, max_gap_seconds=max_gap_seconds):
        tallies.add(lines)
    return tallies.partners()


def style_in(
    messages: FrameMessages, *, words: bool, times: bool, time_zone: str
) -> dict[str, Any]:
    """Return your own style over all chats."""
    style = OwnStyle(words=words, times=times, time_zone=time_zone)
    for piece in messages.pieces(max_gap_seconds=WINDOW_GAP_SECONDS):
        style.add(piece)
    return style.profile()


def draw_examples(
    messages: FrameMessages,
    strategies: Sequence[Strategy],
    *,
    most: int | None,
    max_gap_seconds: float,
    least_characters: int,
    seed: int,
) -> dict[Strategy, Draw[Example]]:
    """Make the examples of every strategy in one pass; no more are held than may be chosen.

    Args:
        most: Most examples; None: all.
        least_characters: Fewest characters of the message that an example ends with.
    """
    draws = {one: Draw[Example](most, identity=identity_of, seed=seed) for one in strategies}
    adapts = Strategy.ADAPTIVE in draws
    partners = partners_in(messages, max_gap_seconds=max_gap_seconds) if adapts else {}
    for lines in lines_in(messages, max_gap_seconds=max_gap_seconds):
        for strategy, draw in draws.items():
            made = make_examples(
                strategy, lines, partners, least_characters=least_characters, seed=seed
            )
            draw.add(map(compact, made))
    return draws
