"""The table that the stages of books hand one another. Only its shape lives here."""

import pyarrow as pa

CHAPTERS = pa.schema(
    [
        pa.field("book", pa.string(), nullable=False),  # the partition
        pa.field("book_title", pa.string(), nullable=False),
        pa.field("number", pa.int32(), nullable=False),  # in the order of reading, from 0
        pa.field("path", pa.list_(pa.string()), nullable=False),  # titles, the own one last
        pa.field("title", pa.string(), nullable=False),
        pa.field("level", pa.int32(), nullable=False),  # from 1
        pa.field("kind", pa.string(), nullable=False),  # front, body, back, notes, index
        pa.field("linear", pa.bool_(), nullable=False),
        pa.field("file", pa.string(), nullable=False),  # in the archive
        pa.field("anchor", pa.string(), nullable=False),  # empty: the beginning of the file
        pa.field("start", pa.int64(), nullable=False),  # in code points of all texts
        pa.field("end", pa.int64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),  # Markdown
        pa.field("words", pa.int32(), nullable=False),
    ]
)
"""One row per section, in the order of reading; each word of the book is in one row."""

CHAPTERS_FILE = "chapters.parquet"
