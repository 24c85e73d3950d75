"""Runs, costs and tokenizers to cut with, and brute force to compare with."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from resonare_pipeline.chats.bounded import Cutter
from resonare_pipeline.chats.costs import Run
from resonare_pipeline.chats.cutting import (
    Costs,
    Interval,
)
from resonare_pipeline.chats.rendering import (
    ConversationSettings,
    ConversationShape,
    as_messages,
    render,
)

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
