"""Examples of one strategy from the lines of any number of chats, with the defaults of each."""

from collections.abc import Iterator, Mapping

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
from resonare_pipeline.style.partners import Partner
from resonare_pipeline.style.strategies import Strategy
from resonare_pipeline.style.windows import WindowBounds, find_windows


def make_examples(
    strategy: Strategy,
    lines: Lines,
    partners: Mapping[object, Partner],
    *,
    least_characters: int,
    seed: int,
) -> Iterator[Example]:
    """Yield all examples of one strategy that lines in whole runs give.

    Args:
        partners: Those of all lines, by id; only the adaptive ones ask for them.
        least_characters: Fewest characters of the message that an example ends with.
        seed: Decides where messages are cut for completion.
    """
    least = least_characters
    match strategy:
        case Strategy.CONVERSATIONAL:
            return conversational_examples(
                lines, find_windows(lines, WindowBounds(least_characters=least))
            )
        case Strategy.BURST:
            return burst_examples(
                lines, max_gap_seconds=BURST_GAP_SECONDS, least=LEAST_BURST, least_characters=least
            )
        case Strategy.ADAPTIVE:
            return adapted_examples(lines, partners, Adaptation(), least_characters=least)
        case Strategy.COMPLETION:
            return completion_examples(lines, seed=seed, least_characters=least)
        case Strategy.QA:
            return qa_examples(lines, least_characters=least)


def adapted_examples(
    lines: Lines,
    partners: Mapping[object, Partner],
    adaptation: Adaptation,
    *,
    least_characters: int,
) -> Iterator[Example]:
    """Yield adaptive examples of some lines, from what is known of partners from all of them."""
    windows = find_windows(lines, WindowBounds(least=1, least_characters=least_characters))
    return adaptive_examples(lines, windows, partners, adaptation)


def identity_of(example: Example) -> str:
    """Return what an example is drawn by: all that it teaches."""
    return f"{example['instruction']}\0{example['input']}\0{example['output']}"
