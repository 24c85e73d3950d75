"""What intervals of a run cost in tokens, without rendering each of them.

Three grades. *Proven*: the tokenizer certainly splits between any two lines, so counts of lines
add up. *Probed*: they added up for a battery of awkward pairs, so they are trusted, and each chosen
block is counted exactly. *Near*: neighbouring lines touch one another; counts of single items and
of pairs, exact in themselves, estimate an interval, and where an estimate leaves a bound open the
interval is counted exactly. What may not live here: where to cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from resonare_pipeline.chats.cutting import Costs
from resonare_pipeline.chats.rendering import (
    ConversationSettings,
    ConversationShape,
    as_messages,
    line_head,
    render,
)
from resonare_pipeline.tokenizers import Tokenizer

FIRST_SLACK = 8  # tokens; near estimates of real templates are off by fewer, and it grows if not

# Lines whose ends and beginnings are known to merge with what stands beside them.
BATTERY = (
    *("ok", "A", "1", "12345", "!", "...", "'s", "/help", "(", "-", '"q"', "#tag", "@me"),
    *(">>> quoted", "https://a.b/c?d", "tokenization", "Hello, World.", "x  y", "a\nb", "a\n\nb"),
    *("日本語", "😂", "👩‍👩‍👧", "मैं", "مرحبا", "e\u0301", "Ünï", "$", "``", "_", "。"),
)


@dataclass(slots=True, kw_only=True)
class Run:
    """Items of one chat without a long silence between them, as parallel lists.

    Attributes:
        answers: Whether each is the assistant's.
        lines: Rendered lines; none where nothing will read them again.
        alone: Tokens of each line by itself.
        joined: Tokens of each line with the separator behind it.
    """

    answers: list[bool] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    alone: list[int] = field(default_factory=list)
    joined: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Tokens that a conversation has beside those of its lines.

    Attributes:
        base: Once: system prompt, begin and end.
        user: For each turn of others.
        assistant: For each turn of the assistant.
    """

    base: int
    user: int
    assistant: int


def count_items(
    tokenizer: Tokenizer,
    items: Sequence[tuple[Sequence[bool], Sequence[str]]],
    settings: ConversationSettings,
) -> list[int]:
    """Count conversations exactly, each given as (answers, lines)."""
    return tokenizer.count_conversations(
        [as_messages(render(answers, lines, settings)) for answers, lines in items]
    )


def _plain_line(text: str, settings: ConversationSettings) -> str:
    return line_head(None, settings) + text


def learn_frame(tokenizer: Tokenizer, settings: ConversationSettings) -> Frame:
    """Find the frame by counting small conversations.

    Raises:
        TokenizerError: If the chat template refuses conversations of the shape.
    """
    line = _plain_line(BATTERY[0], settings)
    size = tokenizer.count_texts([line])[0]
    if settings.conversation_shape is ConversationShape.ALTERNATING:
        # Templates may treat the last turn otherwise; between a block's ends only pairs count.
        shapes = [[False, True], [False, True] * 2]
        two, four = count_items(tokenizer, [(s, [line] * len(s)) for s in shapes], settings)
        pair = four - two - 2 * size
        return Frame(base=two - pair - 2 * size, user=pair // 2, assistant=pair - pair // 2)
    shapes = [[False], [False, True], [False, True, False], [True]]
    one, two, three, _ = count_items(tokenizer, [(s, [line] * len(s)) for s in shapes], settings)
    assistant, user = two - one - size, three - two - size
    return Frame(base=one - user - size, user=user, assistant=assistant)


def added_costs(
    tokenizer: Tokenizer, run: Run, frame: Frame, settings: ConversationSettings
) -> Costs:
    """Return the costs of a run whose lines add up."""
    answers, alone, joined = run.answers, run.alone, run.joined
    starts: list[int] = []
    ends = [0]
    total = 0  # tokens from the run's first line to before the current one, turns between included
    last = len(answers) - 1
    for k, answer in enumerate(answers):
        starts.append(total - (frame.assistant if answer else frame.user))
        ends.append(frame.base + total + alone[k])
        if k == last:
            break
        if answers[k + 1] == answer:
            total += joined[k]
        else:
            total += alone[k] + (frame.user if answer else frame.assistant)
    return Costs(starts=starts, ends=ends, slack=0, exact=exact_counter(tokenizer, run, settings))


class exact_counter:  # noqa: N801  # used as a function; a class only to hold what it remembers
    """Counts intervals of a run exactly, each once."""

    def __init__(self, tokenizer: Tokenizer, run: Run, settings: ConversationSettings) -> None:
        self._tokenizer = tokenizer
        self._run = run
        self._settings = settings
        self._known: dict[tuple[int, int], int] = {}

    def __call__(self, start: int, end: int) -> int:
        """Return the tokens of the rendered conversation [start, end)."""
        found = self._known.get((start, end))
        if found is None:
            run = self._run
            item = (run.answers[start:end], run.lines[start:end])
            (found,) = count_items(self._tokenizer, [item], self._settings)
            self._known[start, end] = found
        return found


def near_costs(
    tokenizer: Tokenizer, run: Run, settings: ConversationSettings, *, slack: int
) -> Costs:
    """Return the costs of a run by exact counts of its items and of its neighbouring pairs."""
    probe = _plain_line(BATTERY[0], settings)
    alternating = settings.conversation_shape is ConversationShape.ALTERNATING

    def framed(start: int, end: int) -> tuple[list[bool], list[str]]:
        answers, lines = run.answers[start:end], run.lines[start:end]
        if alternating and answers[0]:
            answers, lines = [False, *answers], [probe, *lines]
        if alternating and not answers[-1]:
            answers, lines = [*answers, True], [*lines, probe]
        return answers, lines

    size = len(run.answers)
    intervals = [(k, k + 1) for k in range(size)] + [(k, k + 2) for k in range(size - 1)]
    counts = count_items(tokenizer, [framed(*interval) for interval in intervals], settings)
    singles, pairs = counts[:size], counts[size:]
    empty = 0
    if alternating:
        (empty,) = count_items(tokenizer, [([False, True], [probe, probe])], settings)
    costs = [single - empty for single in singles]
    starts, ends, total = [0], [0, empty + costs[0]], 0
    for pair, (first, second), cost in zip(pairs, pairwise(singles), costs[1:], strict=True):
        total += (first - empty) + (pair - first - second + empty)
        starts.append(total)
        ends.append(empty + total + cost)
    exact = exact_counter(tokenizer, run, settings)
    return Costs(starts=starts, ends=ends, slack=slack, exact=exact)


def proves_splits(tokenizer: Tokenizer, settings: ConversationSettings) -> bool:
    """Tell whether counts of lines certainly add up, whatever their text.

    A prefix decides by its first character; without one, texts and names may begin with anything.
    """
    head = settings.message_prefix
    return bool(head) and tokenizer.splits_between(settings.message_separator, head)


def probes_splits(tokenizer: Tokenizer, frame: Frame, settings: ConversationSettings) -> bool:
    """Tell whether counts of lines add up for awkward pairs, inside turns and between them."""
    lines = [_plain_line(text, settings) for text in BATTERY]
    arrangements = [[False, False, True, True], [False, True, False, True]]
    if settings.conversation_shape is ConversationShape.AS_IS:
        arrangements.append([True, True, False, False])
    runs = []
    for first in lines:
        for second in lines:
            for answers in arrangements:
                run = Run(answers=answers, lines=[first, second, second, first])
                runs.append(run)
    alone, joined = tokenizer.line_counts(lines, settings.message_separator)
    by_line = dict(zip(lines, zip(alone, joined, strict=True), strict=True))
    for run in runs:
        run.alone = [by_line[line][0] for line in run.lines]
        run.joined = [by_line[line][1] for line in run.lines]
    exact = count_items(tokenizer, [(run.answers, run.lines) for run in runs], settings)
    return all(
        added_costs(tokenizer, run, frame, settings).estimate(0, len(run.lines)) == count
        for run, count in zip(runs, exact, strict=True)
    )
