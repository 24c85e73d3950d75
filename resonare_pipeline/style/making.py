"""Examples of one strategy from the lines of any number of chats, with the defaults of each."""

from resonare_pipeline.style.bursts import BURST_GAP_SECONDS, LEAST_BURST
from resonare_pipeline.style.examples import (
    Adaptation,
    Example,
    adaptive_examples,
    burst_examples,
    completion_examples,
    conversational_examples,
    qa_examples,
)
from resonare_pipeline.style.lines import Lines
from resonare_pipeline.style.partners import ChatTallies
from resonare_pipeline.style.strategies import Strategy
from resonare_pipeline.style.windows import WindowBounds, find_windows


def make_examples(
    strategy: Strategy, lines: Lines, *, least_characters: int, seed: int
) -> list[Example]:
    """Return all examples of one strategy.

    Args:
        least_characters: Fewest characters of the message that an example ends with.
        seed: Decides where messages are cut for completion.
    """
    least = least_characters
    match strategy:
        case Strategy.CONVERSATIONAL:
            return list(
                conversational_examples(
                    lines, find_windows(lines, WindowBounds(least_characters=least))
                )
            )
        case Strategy.BURST:
            made = burst_examples(
                lines, max_gap_seconds=BURST_GAP_SECONDS, least=LEAST_BURST, least_characters=least
            )
            return list(made)
        case Strategy.ADAPTIVE:
            return adapted_examples(lines, Adaptation(), least_characters=least)
        case Strategy.COMPLETION:
            return list(completion_examples(lines, seed=seed, least_characters=least))
        case Strategy.QA:
            return list(qa_examples(lines, least_characters=least))


def adapted_examples(
    lines: Lines, adaptation: Adaptation, *, least_characters: int
) -> list[Example]:
    """Return adaptive examples of the partners that these very lines tell of."""
    tallies = ChatTallies()
    tallies.add(lines)
    windows = find_windows(lines, WindowBounds(least=1, least_characters=least_characters))
    made = adaptive_examples(lines, windows, tallies.partners(), adaptation)
    return list(made)


def identity_of(example: Example) -> str:
    """Return what an example is drawn by: all that it teaches."""
    return f"{example['instruction']}\0{example['input']}\0{example['output']}"
