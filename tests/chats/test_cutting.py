"""Cutting against brute force: over invented costs, and over real tokenizers with exact counts."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from resonare_pipeline.chats.bounded import Cutter, cut_runs, prepare
from resonare_pipeline.chats.costs import Run, exact_counter, near_costs, proves_splits
from resonare_pipeline.chats.cutting import (
    Bounds,
    Costs,
    Interval,
    cut,
)
from resonare_pipeline.chats.grouped import IN_BLOCK, REASONS, cut_items
from resonare_pipeline.chats.items import WHOLE, Items, groups
from resonare_pipeline.chats.rendering import (
    ConversationSettings,
    ConversationShape,
    as_messages,
    render,
)
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.tokenizers import Tokenizer, TokenizerSettings, load_tokenizer

ALTERNATING, AS_IS = ConversationShape.ALTERNATING, ConversationShape.AS_IS


def seeded(seed: object) -> random.Random:
    return random.Random(str(seed))  # noqa: S311  # chooses test data, guards nothing


def is_legal(answers: Sequence[bool], start: int, end: int, shape: ConversationShape) -> bool:
    if shape is AS_IS:
        return any(answers[start:end])
    return not answers[start] and answers[end - 1]


def legal_intervals(answers: Sequence[bool], shape: ConversationShape) -> list[Interval]:
    pairs = itertools.combinations(range(len(answers) + 1), 2)
    return [(i, j) for i, j in pairs if is_legal(answers, i, j, shape)]


def disjoint_sets(intervals: list[Interval], start: int = 0) -> Iterator[list[Interval]]:
    yield []
    for interval in intervals:
        if interval[0] >= start:
            for rest in disjoint_sets(intervals, interval[1]):
                yield [interval, *rest]


def best_set(size: int, fitting: list[Interval]) -> list[Interval]:
    def preference(blocks: list[Interval]) -> tuple[int, int, list[int]]:
        outside = size - sum(end - start for start, end in blocks)
        cuts = [number for start, end in blocks for number in (-end, start)]
        return outside, len(blocks), cuts

    ranked = sorted(map(preference, disjoint_sets(fitting)))
    # The order is total: no two sets are equally good.
    assert len(ranked) == 1 or ranked[0] < ranked[1]
    return min(disjoint_sets(fitting), key=preference)


def additive_costs(rng: random.Random, size: int, *, rising: bool) -> Costs:
    low = 0 if rising else -6
    weights = [rng.randint(low, 12) for _ in range(size)]
    ends = [0, *itertools.accumulate(weights)]
    starts = [end - (0 if rising else rng.randint(0, 5)) for end in ends[:-1]]
    return Costs(starts=starts, ends=ends, slack=0, exact=lambda i, j: ends[j] - starts[i])


def lookup(counts: dict[Interval, int]) -> Callable[[int, int], int]:
    return lambda start, end: counts[start, end]


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


TEXTS = (
    *(
        "hi",
        "ok!",
        "...",
        "/help",
        "'s",
        "12345",
        "a",
        "No.",
        "x  y",
        "> quote",
        "😂😂",
        "日本語です。",
    ),
    *("first\nsecond", "a\n\nb", "https://a.b/c?d=1", "e\u0301", "मैं आऊँगा", "(", "<|endoftext|>"),
    *("What do you think about that plan, then?", "tokens tokenization token", "<|im_end|>"),
)

UNKNOWN = "[UNK]"
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
)
PLAIN = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
STRICT = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system turns') }}{% endif %}"
    "{% for m in messages %}"
    "{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('turns must alternate') }}{% endif %}"
    "{% if loop.last %}<last> </last> {% endif %}[{{ m['content'] | trim }}] {% endfor %}"
)


def save_tokenizer(folder: Path, model: str, template: str | None) -> None:
    """Train a tiny tokenizer on the test's own texts and save it as transformers does."""
    import tokenizers as tk
    from tokenizers import models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    trainer: Any
    if model == "bytes":
        tokenizer = tk.Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=420, initial_alphabet=alphabet, show_progress=False
        )
    elif model == "unigram":
        tokenizer = tk.Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=150, unk_token=UNKNOWN, special_tokens=[UNKNOWN], show_progress=False
        )
    else:
        tokenizer = tk.Tokenizer(models.WordPiece(unk_token=UNKNOWN))
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=300, special_tokens=[UNKNOWN], show_progress=False
        )
    words = [f">>> {text}\n>>> {other}" for text in TEXTS for other in TEXTS]
    tokenizer.train_from_iterator(words, trainer)
    special = ["<|im_start|>", "<|im_end|>"] if template == CHATML else []
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, additional_special_tokens=special or None
    )
    wrapped.chat_template = template
    wrapped.save_pretrained(str(folder))


TOKENIZERS: dict[str, tuple[str, str | None]] = {
    "bytes-chatml": ("bytes", CHATML),
    "bytes-strict": ("bytes", STRICT),
    "unigram-plain": ("unigram", PLAIN),
    "wordpiece-bare": ("wordpiece", None),
}


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tokenizer]:
    found = {"o200k": load_tokenizer(TokenizerSettings())}
    for name, (model, template) in TOKENIZERS.items():
        folder = tmp_path_factory.mktemp(name)
        save_tokenizer(folder, model, template)
        found[name] = load_tokenizer(TokenizerSettings(model_id=str(folder)))
    return found


def random_run(rng: random.Random, cutter: Cutter, size: int = 0) -> Run:
    size = size or rng.randint(1, 12 if cutter.settings.conversation_shape is ALTERNATING else 9)
    texts = [rng.choice(TEXTS) for _ in range(size)]
    run = Run(
        answers=[rng.random() < 0.5 for _ in range(size)],
        lines=[cutter.settings.message_prefix + text for text in texts],
    )
    separator = cutter.settings.message_separator
    run.alone, run.joined = cutter.tokenizer.line_counts(run.lines, separator)
    return run


def exact_counts(cutter: Cutter, run: Run) -> dict[Interval, int]:
    intervals = legal_intervals(run.answers, cutter.settings.conversation_shape)
    rendered = [
        as_messages(render(run.answers[i:j], run.lines[i:j], cutter.settings)) for i, j in intervals
    ]
    counts = cutter.tokenizer.count_conversations(rendered)
    return dict(zip(intervals, counts, strict=True))


SETTINGS: dict[str, ConversationSettings] = {
    "default": ConversationSettings(),
    "system": ConversationSettings(system_prompt="You are Ada. Be kind!"),
    "as-is": ConversationSettings(conversation_shape=AS_IS),
    "bare": ConversationSettings(message_prefix="", message_separator="\n"),
    "glued": ConversationSettings(
        message_prefix="- ", message_separator=" ", conversation_shape=AS_IS, system_prompt="Hm"
    ),
    "blank-line": ConversationSettings(message_prefix="> ", message_separator="\n\n"),
}
CASES = [
    (tokenizer, settings, 400 if tokenizer == "o200k" else 250)
    for tokenizer in ("o200k", *TOKENIZERS)
    for settings in SETTINGS
    # The strict template refuses what these hold; see the test of refusals.
    if not (tokenizer == "bytes-strict" and settings in ("system", "as-is", "glued"))
]


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


def as_items(runs: list[Run]) -> Items:
    size = sum(len(run.answers) for run in runs)
    names = pa.array([str(k) for k in range(size)])
    return Items(
        ids=pa.record_batch([names, names], names=["message_id", "chat_id"]),
        rows=np.arange(size),
        runs=np.repeat(np.arange(1, len(runs) + 1), [len(run.answers) for run in runs]),
        times=np.arange(size),
        answers=np.array([answer for run in runs for answer in run.answers], np.bool_),
        alone=np.array([count for run in runs for count in run.alone], np.int64),
        joined=np.array([count for run in runs for count in run.joined], np.int64),
        starts=np.full(size, WHOLE),
        ends=np.full(size, WHOLE),
        lines=[line for run in runs for line in run.lines],
    )


@pytest.mark.parametrize("setting", ["default", "as-is", "system"])
@pytest.mark.parametrize("name", ["o200k", "unigram-plain", "bytes-chatml"])
def test_cut_items_group_equals_cutting_run_by_run(
    tokenizers: dict[str, Tokenizer], name: str, setting: str
) -> None:
    rng = seeded((name, setting))
    cutter = prepare(tokenizers[name], SETTINGS[setting], Bounds(least=30, most=90))
    runs = [random_run(rng, cutter, size=rng.randint(1, 25)) for _ in range(120)]
    blocks: list[tuple[int, int, int]] = []
    reasons: list[object] = []
    start = 0
    for done in cut_runs(cutter, runs):
        blocks += [(start + b.start, start + b.end, b.tokens) for b in done.blocks]
        outside = dict(done.leftovers)
        reasons += [outside.get(at) for at in range(len(done.run.answers))]
        start += len(done.run.answers)
    cuts = cut_items(cutter, as_items(runs))
    found = zip(cuts.starts.tolist(), cuts.ends.tolist(), cuts.tokens.tolist(), strict=True)
    assert list(found) == blocks
    codes = cuts.reasons.tolist()
    assert [None if code == IN_BLOCK else REASONS[code] for code in codes] == reasons


def test_groups_any_parts_give_whole_runs_in_order(tokenizers: dict[str, Tokenizer]) -> None:
    rng = seeded("groups")
    cutter = prepare(tokenizers["o200k"], SETTINGS["default"], Bounds(least=30, most=90))
    runs = [random_run(rng, cutter, size=size) for size in (3, 9_000, 1, 1, 4_095, 5, 4_096, 2)]
    items = as_items(runs)
    found = []
    for size in (100, 4_096, len(items)):
        parts = [items.part(at, min(at + size, len(items))) for at in range(0, len(items), size)]
        found.append([(part.rows.tolist(), next_row) for part, next_row in groups(parts)])
    ends = [9_003, 13_100, 17_201, 17_203]
    assert [(rows[-1] + 1, next_row) for rows, next_row in found[0]] == [
        *zip(ends[:3], ends[:3], strict=True),
        (17_203, None),
    ]
    assert found[0] == found[1] == found[2]
    assert [row for rows, _ in found[0] for row in rows] == list(range(len(items)))
