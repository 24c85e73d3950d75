"""Samples as they stand on the page: cut where they are long, every text as markup."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from resonare_pipeline.datasets.report.language_names import language_name
from resonare_pipeline.datasets.report.sampling import Sample
from resonare_pipeline.datasets.report.text import day, plural, shown, trace_command

OPEN_CHARACTERS = 700  # an example that is not longer stands open
FIRST_WORDS = 90  # characters of the line that tells what a closed example begins with


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTurn:
    """One turn; `more` tells how much was cut off."""

    role: str
    text: Markup
    is_trained: bool
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSample:
    """One example.

    Attributes:
        is_open: Whether all of it is seen at once.
        begins: Its first words.
        facts: What is known of it, as short texts.
        tools: What the assistant may call, as JSON; empty without.
        more: How much was cut off at its end.
    """

    example_id: str
    command: str
    is_open: bool
    begins: Markup
    facts: tuple[Markup, ...]
    tools: Markup
    turns: tuple[ShownTurn, ...]
    more: str


def shown_sample(sample: Sample, characters: int) -> ShownSample:
    """Return an example with at most so many characters of it."""
    length = sum(len(turn.content) for turn in sample.messages)
    turns = tuple(_turns(sample, characters))
    rest = sample.messages[len(turns) :]
    tools = sample.tools or ""
    first = next((turn.content for turn in sample.messages if turn.role != "system"), "")
    return ShownSample(
        example_id=sample.example_id,
        command=trace_command(sample.example_id),
        is_open=length <= OPEN_CHARACTERS,
        begins=shown(_cut(" ".join(first.split()), FIRST_WORDS)),
        facts=tuple(map(shown, _facts(sample))),
        tools=shown(_cut(tools, characters)),
        turns=turns,
        more=(
            f"{plural(len(rest), 'more turn')}, "
            f"{plural(sum(len(turn.content) for turn in rest), 'character')}"
            if rest
            else ""
        ),
    )


def _turns(sample: Sample, characters: int) -> Iterator[ShownTurn]:
    room = characters
    for turn in sample.messages:
        if room <= 0:
            return
        cut = len(turn.content) - room
        yield ShownTurn(
            role=turn.role,
            text=shown(turn.content[:room]),
            is_trained=turn.role == "assistant" and turn.weight != 0,
            more=f"{plural(cut, 'more character')}" if cut > 0 else "",
        )
        room -= max(len(turn.content), 1)


def _facts(sample: Sample) -> Iterator[str]:
    yield sample.source
    if sample.started_at is not None:
        yield day(sample.started_at)
    if sample.language:
        yield language_name(sample.language)
    yield plural(sample.turns, "turn")
    yield plural(sample.tokens, "token")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
