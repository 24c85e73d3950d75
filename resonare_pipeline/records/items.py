"""What a reader yields: records as JSON text, in order, or what stands in a record's place."""

from dataclasses import dataclass
from enum import StrEnum

from resonare_pipeline.records.reasons import DropReason

LONGEST_RECORD_BYTES = 64 << 20  # larger than any prompt; a few of them are held at a time


class Format(StrEnum):
    """How a file holds records."""

    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of a file, or what could not be read as one.

    Attributes:
        number: From 0, in the order of the file.
        text: The record as JSON; what was found in its place if `problem` is set.
        place: Line, element or row, for people.
        done: How far the file is read behind it: bytes, or rows of Parquet.
        problem: Why there is no record here.
        detail: More about that.
        offset: Where text that is too long to be held begins in the file.
        size: Bytes of that.
    """

    number: int
    text: bytes
    place: str
    done: int
    problem: DropReason | None = None
    detail: str = ""
    offset: int = 0
    size: int = 0
