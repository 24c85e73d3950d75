"""Cutting whole groups of runs at once, against run by run."""

import numpy as np
import pyarrow as pa
import pytest

from resonare_pipeline.chats.bounded import cut_runs, prepare
from resonare_pipeline.chats.costs import Run
from resonare_pipeline.chats.cutting import (
    Bounds,
)
from resonare_pipeline.chats.grouped import IN_BLOCK, REASONS, cut_items
from resonare_pipeline.chats.items import WHOLE, Items, groups
from resonare_pipeline.tokenizers import Tokenizer
from tests.chats.cuts import SETTINGS, random_run, seeded


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
