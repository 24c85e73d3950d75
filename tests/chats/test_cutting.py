"""Cutting against brute force: over invented costs, and over real tokenizers with exact counts."""

import itertools
from dataclasses import replace

import pytest

from resonare_pipeline.chats.bounded import cut_runs, prepare
from resonare_pipeline.chats.costs import exact_counter, near_costs, proves_splits
from resonare_pipeline.chats.cutting import (
    Bounds,
    cut,
)
from resonare_pipeline.chats.rendering import (
    ConversationSettings,
    ConversationShape,
)
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.tokenizers import Tokenizer
from tests.chats.cuts import (
    CASES,
    SETTINGS,
    additive_costs,
    best_set,
    exact_counts,
    legal_intervals,
    lookup,
    random_run,
    seeded,
)


@pytest.mark.parametrize("shape", list(ConversationShape))
@pytest.mark.parametrize("rising", [True, False])
@pytest.mark.parametrize("slack", [0, 5])
def test_cut_any_costs_equals_brute_force(
    shape: ConversationShape, rising: bool, slack: int
) -> None:
    rng = seeded(f"{shape} {rising} {slack}")
    for _ in range(600):
        size = rng.randint(1, 11)
        answers = [rng.random() < 0.5 for _ in range(size)]
        true = additive_costs(rng, size, rising=rising)
        noise = {
            (i, j): rng.randint(-slack, slack)
            for i, j in itertools.combinations(range(size + 1), 2)
        }
        exact = {(i, j): true.estimate(i, j) + noise[i, j] for i, j in noise}
        costs = replace(true, slack=slack, exact=lookup(exact))
        least = rng.randint(1, 25)
        bounds = Bounds(least=least, most=least + rng.randint(0, 35))
        fitting = [
            interval
            for interval in legal_intervals(answers, shape)
            if bounds.least <= exact[interval] <= bounds.most
        ]
        assert cut(answers, costs, bounds, shape) == best_set(size, fitting)


@pytest.mark.parametrize("shape", list(ConversationShape))
def test_cut_long_run_by_window_equals_scan_with_exact_counts(shape: ConversationShape) -> None:
    rng = seeded(7)
    answers = [rng.random() < 0.5 for _ in range(3000)]
    window = additive_costs(rng, 3000, rising=True)
    scan = replace(window, slack=3, exact=window.estimate)
    bounds = Bounds(least=30, most=90)
    found = cut(answers, window, bounds, shape)
    assert found == cut(answers, scan, bounds, shape)
    assert len(found) > 100


@pytest.mark.parametrize(("tokenizer", "settings", "rounds"), CASES)
def test_cut_runs_random_runs_equal_brute_force_with_exact_counts(
    tokenizers: dict[str, Tokenizer], tokenizer: str, settings: str, rounds: int
) -> None:
    rng = seeded(f"{tokenizer} {settings}")
    wide = Bounds(least=1, most=10_000)
    cutter = prepare(tokenizers[tokenizer], SETTINGS[settings], wide)
    for _ in range(rounds):
        run = random_run(rng, cutter)
        exact = exact_counts(cutter, run)
        middle = rng.choice(list(exact.values()) or [50])
        least = max(1, middle - rng.randint(0, 40))
        bounds = Bounds(least=least, most=max(least, middle + rng.randint(0, 40)))
        fitting = [
            interval for interval, count in exact.items() if bounds.least <= count <= bounds.most
        ]
        (done,) = cut_runs(replace(cutter, bounds=bounds), [run])
        found = [(block.start, block.end) for block in done.blocks]
        assert found == best_set(len(run.answers), fitting)
        assert [block.tokens for block in done.blocks] == [exact[interval] for interval in found]


@pytest.mark.parametrize("shape", list(ConversationShape))
def test_cut_runs_long_run_of_touching_lines_equals_counting_everything(
    tokenizers: dict[str, Tokenizer], shape: ConversationShape
) -> None:
    settings = ConversationSettings(conversation_shape=shape, message_separator=" ")
    bounds = Bounds(least=60, most=120)
    cutter = prepare(tokenizers["unigram-plain"], settings, bounds)
    run = random_run(seeded("long"), cutter, size=70)
    exact = exact_counter(cutter.tokenizer, run, settings)
    counted = replace(
        near_costs(cutter.tokenizer, run, settings, slack=0), slack=10_000, exact=exact
    )
    (done,) = cut_runs(cutter, [run])
    found = [(block.start, block.end) for block in done.blocks]
    assert found == cut(run.answers, counted, bounds, shape)
    assert len(found) > 3


def test_cut_runs_default_tokenizer_and_prefix_need_no_text_again(
    tokenizers: dict[str, Tokenizer],
) -> None:
    assert proves_splits(tokenizers["o200k"], ConversationSettings())
    assert not proves_splits(tokenizers["o200k"], ConversationSettings(message_separator=" "))
    assert not proves_splits(tokenizers["o200k"], ConversationSettings(message_prefix="/"))
    assert not proves_splits(tokenizers["bytes-chatml"], ConversationSettings())


def test_cut_runs_several_runs_keep_their_order(tokenizers: dict[str, Tokenizer]) -> None:
    rng = seeded(5)
    cutter = prepare(tokenizers["unigram-plain"], SETTINGS["default"], Bounds(least=20, most=90))
    runs = [random_run(rng, cutter) for _ in range(50)]
    together = list(cut_runs(cutter, runs))
    assert [done.run for done in together] == runs
    alone = [next(cut_runs(cutter, [run])) for run in runs]
    assert together == alone


def test_prepare_markup_over_maximum_names_the_setting(tokenizers: dict[str, Tokenizer]) -> None:
    settings = ConversationSettings(system_prompt="be kind " * 50)
    with pytest.raises(SettingsError, match="max_tokens_per_block"):
        prepare(tokenizers["o200k"], settings, Bounds(least=1, most=60))
