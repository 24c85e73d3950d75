"""The rows of a dataset, split by split and batch by batch. Nothing is counted here."""

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.datasets.summary import SPLITS

BATCH_ROWS = 1_024  # of conversations of two thousand tokens: about 10 MB

_SHARD = re.compile(r"data/(?P<split>.+)-\d{5}-of-\d{5}\.parquet")


def shards(dataset: Artifact) -> dict[str, list[str]]:
    """Return split → names of its shards in order, the splits in the order people expect."""
    found: dict[str, list[str]] = {}
    for file in dataset.entry.files:
        shard = _SHARD.fullmatch(file.name)
        if shard:
            found.setdefault(shard["split"], []).append(file.name)
    known = [split for split in SPLITS if split in found]
    return {split: sorted(found[split]) for split in (*known, *sorted(found.keys() - set(known)))}


def split_batches(
    dataset: Artifact, columns: list[str], *, batch_rows: int = BATCH_ROWS
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield (split, rows) in order."""
    for split, names in shards(dataset).items():
        for name in names:
            for batch in dataset.batches(name, columns=columns, batch_rows=batch_rows):
                yield split, batch


def whole_numbers(batch: pa.RecordBatch, column: str) -> np.ndarray:
    """Return a column without nulls as int64, times as microseconds since 1970."""
    return np.asarray(batch.column(column).drop_null().cast(pa.int64()), dtype=np.int64)
