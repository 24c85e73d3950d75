"""The tables that the stages of records hand one another. Only shapes live here."""

import pyarrow as pa

PROMPTS = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("root_id", pa.string(), nullable=False),  # equal for equal conversations
        pa.field("file", pa.string(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),  # in its file, from 0
        pa.field("shape", pa.string(), nullable=False),  # messages, sharegpt, responses, alpaca
        pa.field("messages", pa.string(), nullable=False),  # JSON, as a model is sent them
        pa.field("tools", pa.string()),  # JSON; null without tools
        pa.field("to_fill", pa.list_(pa.int32()), nullable=False),  # numbers of empty turns
    ]
)
"""One row per record that can be used, in the order of files and records."""

REQUESTS = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("turn", pa.int32(), nullable=False),
        pa.field("key", pa.string(), nullable=False),  # in the cache, and a batch's custom_id
        pa.field("model", pa.string(), nullable=False),
        pa.field("input_tokens", pa.int32(), nullable=False),  # o200k_base
        pa.field("later_turns", pa.int32(), nullable=False),  # whose prompts hold this answer
    ]
)
"""One row per record with a turn to be filled: the request of its first such turn."""

BATCH_FILES = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("lines", pa.int32(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),  # of prompts, o200k_base
    ]
)
"""One row per batch input file."""

COMPLETIONS = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("turn", pa.int32(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("message", pa.string()),  # JSON, as it came; null where there is none
        pa.field("failure", pa.string()),  # why it is no answer; null for an answer
        pa.field("finish_reason", pa.string()),
        pa.field("model", pa.string()),  # as the endpoint names it
        pa.field("input_tokens", pa.int64(), nullable=False),
        pa.field("output_tokens", pa.int64(), nullable=False),
        pa.field("mock", pa.bool_(), nullable=False),
    ]
)
"""One row per request, by record and turn; what an answer cost is no part of it."""
