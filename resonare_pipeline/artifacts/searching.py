"""Looks for words in everything that lies in a storage: tables column by column, all else as text.

Whose words these are is told by the caller. Nothing is shown of what was found but where, and how
often. Pictures are not looked into.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from resonare_pipeline.artifacts.files import Files

BATCH_ROWS = 16_384
CHUNK_BYTES = 4 << 20
OVERLAP_BYTES = 512  # longer than anything sought, so that no border between chunks hides it
MOST_CHATS = 50  # in one pattern
PICTURES = (".png",)
_MESSAGE_ID = re.compile(r"[a-z]+:(?:name:)?\w+:[\w.~]+")


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What is looked for.

    Attributes:
        pattern: Finds it in a text.
        likely: A pattern of RE2 that finds all that `pattern` does, and may find more.
        message_ids: Ids of messages that count as found, too.
        ignored: Names of inputs and places, which files about them hold whatever becomes of their
            content.
        partitions: Full names of such inputs (`chats/alice`), which count nowhere.
    """

    pattern: re.Pattern[str]
    likely: str
    message_ids: Collection[str] = frozenset()
    ignored: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()

    @cached_property
    def chats(self) -> str:
        """A pattern of RE2 for the beginnings of those ids, if they are of few chats."""
        chats = sorted({message_id.rpartition(":")[0] for message_id in self.message_ids})
        return "|".join(map(re.escape, chats)) if len(chats) <= MOST_CHATS else ":"

    def count(self, text: str) -> int:
        """Count what is found in a text."""
        return self.count_words(text) + self.count_ids(text)

    def count_words(self, text: str) -> int:
        """Count only what the pattern finds."""
        for name in self.partitions:
            text = text.replace(name, "")
        return sum(1 for _ in self.pattern.finditer(text))

    def count_ids(self, text: str) -> int:
        """Count only ids of messages."""
        if not self.message_ids:
            return 0
        return sum(item in self.message_ids for item in _MESSAGE_ID.findall(text))

    def count_beside_names(self, text: str) -> int:
        """The same, in a text that tells of inputs by their names."""
        for name in self.ignored:
            text = text.replace(name, "")
        return self.count(text)


@dataclass(slots=True, kw_only=True)
class Found:
    """A file that holds what was sought.

    Attributes:
        path: Below the root of the storage.
        places: How often, by column; under an empty name in what is no table.
    """

    path: str
    places: dict[str, int] = field(default_factory=dict)


def search(
    files: Files,
    folder: str,
    sought: Sought,
    *,
    on_read: Callable[[int], None] = lambda _: None,
) -> Iterator[Found]:
    """Yield every file below a folder that holds what is sought, unfinished ones included."""
    for path, stat in files.walk(folder, drafts=True):
        if path.endswith(PICTURES):
            continue
        found = Found(path=path, places=_places(files, path, sought))
        if found.places:
            yield found
        on_read(stat.size)


def _places(files: Files, path: str, sought: Sought) -> dict[str, int]:
    if path.endswith(".parquet"):
        try:
            return _in_table(files, path, sought)
        except pa.ArrowInvalid:  # unfinished, or damaged
            pass
    tells_of_inputs = path.endswith(("/manifest.json", "/inventory.json")) or (
        path.startswith("hashes/")
    )
    count = _in_text(files, path, sought.count_beside_names if tells_of_inputs else sought.count)
    return {"": count} if count else {}


def _in_table(files: Files, path: str, sought: Sought) -> dict[str, int]:
    places: dict[str, int] = {}
    with files.open_read(path) as stream, pq.ParquetFile(stream, pre_buffer=False) as table:
        for batch in table.iter_batches(batch_size=BATCH_ROWS):
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                for texts in _strings(column):
                    if count := _in_column(texts, sought):
                        places[name] = places.get(name, 0) + count
    return places


def _strings(column: pa.Array) -> Iterator[pa.Array]:
    """Yield all strings in a column, however deep."""
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _strings(column.flatten())
    elif pa.types.is_struct(kind):
        for part in column.flatten():
            yield from _strings(part)
    elif pa.types.is_dictionary(kind):
        yield from _strings(column.dictionary_decode())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield column


def _in_column(texts: pa.Array, sought: Sought) -> int:
    found = 0
    likely = pc.match_substring_regex(texts, sought.likely, ignore_case=True)
    for text in texts.filter(likely).to_pylist():
        found += sought.count_words(text)
    if sought.message_ids:
        for text in texts.filter(pc.match_substring_regex(texts, sought.chats)).to_pylist():
            found += sought.count_ids(text)
    return found


def _in_text(files: Files, path: str, count: Callable[[str], int]) -> int:
    """Count in a text chunk by chunk; what lies in two chunks counts once or twice."""
    found = 0
    rest = b""
    with files.open_read(path) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            found += count((rest + chunk).decode(errors="replace"))
            rest = chunk[-OVERLAP_BYTES:]
    return found
