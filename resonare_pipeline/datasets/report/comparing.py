"""What became of the examples of the version before: kept, added, removed, moved, or changed.

Examples are known by `example_id`, which is of the source before redaction: one whose redaction
changed is the same example with another text. Copies by weight have one id, and count once.
"""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.datasets.report.shards import shards, split_batches, whole_numbers

PART_ROWS = 2_000_000  # of each version held at a time: 21 bytes each, 90 MB for both at the most

_COLUMNS = ["example_id", "messages", "tokens"]
_ROW = np.dtype([("id", np.uint64), ("text", np.uint64), ("tokens", np.int32), ("split", np.uint8)])


@dataclass(slots=True)
class ExampleChanges:
    """What became of examples, and of their tokens.

    Attributes:
        kept: In both versions; `moved` and `rewritten` are among them.
        moved: In another split than before.
        rewritten: With another text than before.
    """

    kept: int = 0
    kept_tokens: int = 0
    added: int = 0
    added_tokens: int = 0
    removed: int = 0
    removed_tokens: int = 0
    moved: int = 0
    rewritten: int = 0


def compare_examples(
    now: Artifact, before: Artifact, *, part_rows: int = PART_ROWS
) -> ExampleChanges:
    """Compare the examples of two versions.

    Versions that are too large to be held are read several times, each time for another part of all
    ids.
    """
    parts = max(1, -(-max(now.entry.rows, before.entry.rows) // part_rows))
    names = sorted(shards(now).keys() | shards(before).keys())
    codes = {split: code for code, split in enumerate(names)}
    changes = ExampleChanges()
    for part in range(parts):
        _compare(_read(now, codes, part, parts), _read(before, codes, part, parts), changes)
    return changes


def _compare(now: np.ndarray, before: np.ndarray, changes: ExampleChanges) -> None:
    _, here, there = np.intersect1d(
        now["id"], before["id"], assume_unique=True, return_indices=True
    )
    kept = now[here]
    was = before[there]
    changes.kept += len(kept)
    changes.kept_tokens += _tokens(kept)
    changes.added += len(now) - len(kept)
    changes.added_tokens += _tokens(now) - _tokens(kept)
    changes.removed += len(before) - len(was)
    changes.removed_tokens += _tokens(before) - _tokens(was)
    changes.moved += int(np.count_nonzero(kept["split"] != was["split"]))
    changes.rewritten += int(np.count_nonzero(kept["text"] != was["text"]))


def _tokens(rows: np.ndarray) -> int:
    return int(rows["tokens"].sum(dtype=np.int64))


def _read(dataset: Artifact, codes: dict[str, int], part: int, parts: int) -> np.ndarray:
    """Return the examples whose id belongs to a part, each once, by id."""
    pieces = [np.zeros(0, _ROW)]
    for split, batch in split_batches(dataset, _COLUMNS):
        piece = np.zeros(batch.num_rows, _ROW)
        piece["id"] = _hashes(batch.column("example_id"))
        piece["tokens"] = whole_numbers(batch, "tokens")
        piece["split"] = codes[split]
        rows = np.flatnonzero(piece["id"] % parts == part)
        piece = piece[rows]
        piece["text"] = _hashes(_texts(batch.column("messages").take(pa.array(rows))))
        pieces.append(piece)
    joined = np.concatenate(pieces)
    return joined[np.unique(joined["id"], return_index=True)[1]]


def _texts(messages: pa.ListArray) -> pa.StringArray:
    """Return each conversation as one string: roles and contents with separators."""
    turns = messages.flatten()
    separator = pa.scalar("\x1e")
    lines = pc.binary_join_element_wise(turns.field("role"), turns.field("content"), separator)
    offsets = np.concatenate([[0], np.cumsum(np.asarray(pc.list_value_length(messages)))])
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), lines)
    return pc.binary_join(lists, "\x1f")


def _hashes(texts: pa.StringArray) -> list[int]:
    contents = texts.cast(pa.binary()).to_pylist()
    return [int.from_bytes(blake2b(content, digest_size=8).digest()) for content in contents]
