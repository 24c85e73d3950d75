"""Why items are in no block."""

import itertools
import random
from collections.abc import Sequence

import pytest

from resonare_pipeline.chats.cutting import (
    Bounds,
    Costs,
    DropReason,
    cut,
    leftover_reasons,
)
from resonare_pipeline.chats.rendering import ConversationShape

ALTERNATING = ConversationShape.ALTERNATING


def costs_of(weights: Sequence[int]) -> Costs:
    ends = [0, *itertools.accumulate(weights)]
    return Costs(starts=ends[:-1], ends=ends, slack=0, exact=lambda i, j: ends[j] - ends[i])


def test_leftover_reasons_pairs_that_fit_neither_alone_nor_together_are_trimmed_at_cut() -> None:
    costs = costs_of([8, 7, 8, 7])
    answers = [False, True, False, True]
    found = leftover_reasons(answers, [], costs, Bounds(least=20, most=22), ALTERNATING)
    assert found == [(k, DropReason.TRIMMED_AT_CUT) for k in range(4)]


@pytest.mark.parametrize("shape", list(ConversationShape))
def test_leftover_reasons_any_run_account_for_every_item_once(shape: ConversationShape) -> None:
    rng = random.Random(3)  # noqa: S311  # chooses test data, guards nothing
    for _ in range(300):
        size = rng.randint(1, 14)
        answers = [rng.random() < 0.4 for _ in range(size)]
        costs = costs_of([rng.randint(0, 12) for _ in range(size)])
        bounds = Bounds(least=10, most=25)
        blocks = cut(answers, costs, bounds, shape)
        inside = [k for start, end in blocks for k in range(start, end)]
        outside = [k for k, _ in leftover_reasons(answers, blocks, costs, bounds, shape)]
        assert sorted(inside + outside) == list(range(size))


@pytest.mark.parametrize(
    ("pattern", "weights", "reasons"),
    [
        ("UU", [9, 9], ["no_reply", "no_reply"]),
        ("AUAU", [9, 9, 9, 9], ["trimmed_before_user", None, None, "trimmed_after_assistant"]),
        ("UA", [2, 3], ["below_min_tokens"] * 2),
        ("UA", [20, 20], ["over_max_tokens"] * 2),
        ("UAUA", [9, 9, 3, 20], [None, None, "over_max_tokens", "over_max_tokens"]),
        ("UAUA", [4, 4, 4, 13], ["below_min_tokens", "below_min_tokens", None, None]),
        (
            "UAUAUA",
            [4, 4, 11, 11, 4, 4],
            ["below_min_tokens"] * 2 + [None] * 2 + ["below_min_tokens"] * 2,
        ),
        ("UUA", [9, 9, 9], ["over_max_tokens", None, None]),
        ("UAA", [9, 9, 9], [None, None, "over_max_tokens"]),
        ("AA", [9, 9], ["trimmed_before_user"] * 2),
        ("AUA", [15, 9, 9], ["trimmed_before_user", None, None]),
    ],
)
def test_leftover_reasons_each_cause_has_its_own(
    pattern: str, weights: list[int], reasons: list[str | None]
) -> None:
    answers = [letter == "A" for letter in pattern]
    costs = costs_of(weights)
    bounds = Bounds(least=10, most=22)
    blocks = cut(answers, costs, bounds, ALTERNATING)
    found = dict(leftover_reasons(answers, blocks, costs, bounds, ALTERNATING))
    wanted = {k: DropReason(reason) for k, reason in enumerate(reasons) if reason}
    assert found == wanted
