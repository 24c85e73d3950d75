"""The tables of the style group, from spans of lines to Parquet and back to lines."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.rows import TIMESTAMP
from resonare_pipeline.style.episodes import Episodes
from resonare_pipeline.style.labels import MOMENTA, TYPES, momentum_codes
from resonare_pipeline.style.lines import (
    OTHER,
    YOU,
    IntArray,
    Lines,
    firsts_of,
    numbered,
)
from resonare_pipeline.style.windows import Windows

WINDOWS_FILE = "windows.parquet"
EPISODES_FILE = "episodes.parquet"
BATCH_WINDOWS = 16_384

LINE = pa.struct(
    [
        ("message_id", pa.string()),
        ("sender_id", pa.string()),
        ("sender_name", pa.string()),
        ("speaker", pa.string()),  # You or Other
        ("text", pa.string()),
        ("sent_at", TIMESTAMP),
    ]
)

WINDOWS = pa.schema(
    [
        pa.field("window_id", pa.string(), nullable=False),  # the response's message id
        pa.field("chat_id", pa.string(), nullable=False),
        pa.field("context", pa.list_(LINE), nullable=False),  # in time order
        pa.field("response", pa.string(), nullable=False),
        pa.field("responded_at", TIMESTAMP, nullable=False),
        pa.field("partner_id", pa.string(), nullable=False),
        pa.field("partner_name", pa.string(), nullable=False),
        pa.field("momentum", pa.string(), nullable=False),  # rapid, moderate, slow
        pa.field("context_size", pa.int32(), nullable=False),
        pa.field("mean_gap_seconds", pa.float64(), nullable=False),
        pa.field("response_delay_seconds", pa.float64(), nullable=False),
        pa.field("has_media", pa.bool_(), nullable=False),
    ]
)

EPISODES = pa.schema(
    [
        pa.field("episode_id", pa.string(), nullable=False),
        pa.field("chat_id", pa.string(), nullable=False),
        pa.field("messages", pa.list_(LINE), nullable=False),  # in time order
        pa.field("started_at", TIMESTAMP, nullable=False),
        pa.field("ended_at", TIMESTAMP, nullable=False),
        pa.field("duration_seconds", pa.float64(), nullable=False),
        pa.field("message_count", pa.int32(), nullable=False),
        pa.field("turns_of_you", pa.int32(), nullable=False),
        pa.field("turns_of_others", pa.int32(), nullable=False),
        pa.field("initiator", pa.string(), nullable=False),  # You or Other
        pa.field("mean_response_seconds", pa.float64()),  # null where nobody answered
        pa.field("conversation_type", pa.string(), nullable=False),  # chat, discussion, planning
    ]
)


def windows_batch(lines: Lines, windows: Windows) -> pa.RecordBatch:
    """Return windows as rows of `WINDOWS`."""
    at = windows.responses
    columns = {
        "window_id": _take(lines.ids, at),
        "chat_id": _take(lines.chat_ids, lines.chats[at]),
        "context": _spans(lines, windows.firsts, at),
        "response": _take(lines.texts, at),
        "responded_at": pa.array(lines.at[at]).cast(TIMESTAMP),
        "partner_id": _take(lines.sender_ids, windows.partners),
        "partner_name": _take(lines.names, windows.partners),
        "momentum": _take([str(name) for name in MOMENTA], windows.momenta),
        "context_size": pa.array((at - windows.firsts).astype(np.int32)),
        "mean_gap_seconds": pa.array(windows.mean_gaps.round(3)),
        "response_delay_seconds": pa.array(windows.delays.round(3)),
        "has_media": pa.array(windows.has_media),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in WINDOWS.names], schema=WINDOWS)


def episodes_batch(lines: Lines, episodes: Episodes) -> pa.RecordBatch:
    """Return episodes as rows of `EPISODES`."""
    first, last = episodes.starts, episodes.ends - 1
    sizes = episodes.ends - episodes.starts
    columns = {
        "episode_id": pa.array([f"ep_{lines.ids[at]}" for at in first.tolist()], pa.string()),
        "chat_id": _take(lines.chat_ids, lines.chats[first]),
        "messages": _spans(lines, episodes.starts, episodes.ends),
        "started_at": pa.array(lines.at[first]).cast(TIMESTAMP),
        "ended_at": pa.array(lines.at[last]).cast(TIMESTAMP),
        "duration_seconds": pa.array(episodes.durations.round(3)),
        "message_count": pa.array(sizes.astype(np.int32)),
        "turns_of_you": pa.array(episodes.turns_of_you.astype(np.int32)),
        "turns_of_others": pa.array(episodes.turns_of_others.astype(np.int32)),
        "initiator": _take([OTHER, YOU], lines.is_owner[first].astype(np.int64)),
        "mean_response_seconds": pa.array(episodes.response_times.round(3), from_pandas=True),
        "conversation_type": _take([str(name) for name in TYPES], episodes.types),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in EPISODES.names], schema=EPISODES)


def _take(values: Any, places: IntArray) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(places))


def _spans(lines: Lines, starts: IntArray, ends: IntArray) -> pa.Array:
    """Return the lines of each span as a list."""
    sizes = ends - starts
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    places = np.arange(int(offsets[-1])) + np.repeat(starts - offsets[:-1], sizes)
    taken = pa.array(places)
    arrays = [
        pa.array(lines.ids, pa.string()).take(taken),
        _take(lines.sender_ids, lines.senders[places]),
        _take(lines.names, lines.senders[places]),
        _take([OTHER, YOU], lines.is_owner[places].astype(np.int64)),
        pa.array(lines.texts, pa.string()).take(taken),
        pa.array(lines.at[places]).cast(TIMESTAMP),
    ]
    entries = pa.StructArray.from_arrays(arrays, fields=list(LINE))
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), entries)


def read_windows(artifact: Artifact) -> Iterator[tuple[Lines, Windows]]:
    """Yield windows as they were found, each in a run of its own, some thousand at a time."""
    for batch in artifact.batches(WINDOWS_FILE, batch_rows=BATCH_WINDOWS):
        if batch.num_rows:
            yield _as_windows(batch)


def _as_windows(batch: pa.RecordBatch) -> tuple[Lines, Windows]:
    count = batch.num_rows
    context = batch.column("context")
    sizes = batch.column("context_size").to_numpy().astype(np.int64)
    ends = np.cumsum(sizes + 1)
    responses = ends - 1
    within = np.ones(int(ends[-1]), np.bool_)
    within[responses] = False
    entries = context.flatten()
    own = np.ones(len(within), np.bool_)
    own[within] = np.array(entries.field("speaker").to_pylist()) == YOU
    at = np.empty(len(within), np.int64)
    at[within] = entries.field("sent_at").cast(pa.int64()).to_numpy()
    at[responses] = batch.column("responded_at").cast(pa.int64()).to_numpy()
    texts = _merged(within, entries.field("text"), batch.column("response"))
    ids = _merged(within, entries.field("message_id"), batch.column("window_id"))
    chats, chat_ids = numbered(batch.column("chat_id").to_pylist())
    partners, partner_ids = numbered(batch.column("partner_id").to_pylist())
    names = dict(zip(partners.tolist(), batch.column("partner_name").to_pylist(), strict=True))
    runs = np.repeat(np.arange(count), sizes + 1)
    gaps = batch.column("mean_gap_seconds").to_numpy()
    lines = Lines(
        chats=chats[runs],
        runs=runs,
        firsts=firsts_of(runs),
        senders=np.where(own, len(partner_ids), 0),
        is_owner=own,
        at=at,
        lengths=np.fromiter(map(len, texts), np.int64, len(texts)),
        media_before=np.zeros(len(texts), np.int64),
        media=np.zeros(len(texts), np.bool_),
        texts=texts,
        ids=ids,
        chat_ids=chat_ids,
        sender_ids=[*partner_ids, None],
        names=[*(names[number] for number in range(len(partner_ids))), YOU],
    )
    windows = Windows(
        firsts=responses - sizes,
        responses=responses,
        mean_gaps=gaps,
        delays=batch.column("response_delay_seconds").to_numpy(),
        momenta=momentum_codes(gaps),
        has_media=batch.column("has_media").to_numpy(zero_copy_only=False),
        partners=partners,
    )
    return lines, windows


def _merged(within: np.ndarray, context: pa.Array, responses: pa.Array) -> list[Any]:
    values = np.empty(len(within), object)
    values[within] = context.to_numpy(zero_copy_only=False)
    values[~within] = responses.to_numpy(zero_copy_only=False)
    merged: list[Any] = values.tolist()
    return merged


def read_episodes(artifact: Artifact) -> Iterator[Lines]:
    """Yield the lines of episodes, each episode a run, some thousand episodes at a time."""
    columns = ["chat_id", "messages", "message_count"]
    for batch in artifact.batches(EPISODES_FILE, columns=columns, batch_rows=BATCH_WINDOWS // 4):
        if not batch.num_rows:
            continue
        entries = batch.column("messages").flatten()
        sizes = batch.column("message_count").to_numpy().astype(np.int64)
        runs = np.repeat(np.arange(batch.num_rows), sizes)
        chats, chat_ids = numbered(batch.column("chat_id").to_pylist())
        senders, sender_ids = numbered(entries.field("sender_id").to_pylist())
        texts = entries.field("text").to_pylist()
        named = dict(zip(senders.tolist(), entries.field("sender_name").to_pylist(), strict=True))
        yield Lines(
            chats=chats[runs],
            runs=runs,
            firsts=firsts_of(runs),
            senders=senders,
            is_owner=np.array(entries.field("speaker").to_pylist()) == YOU,
            at=entries.field("sent_at").cast(pa.int64()).to_numpy(),
            lengths=np.fromiter(map(len, texts), np.int64, len(texts)),
            media_before=np.zeros(len(texts), np.int64),
            media=np.zeros(len(texts), np.bool_),
            texts=texts,
            ids=entries.field("message_id").to_pylist(),
            chat_ids=chat_ids,
            sender_ids=sender_ids,
            names=[named[number] for number in range(len(sender_ids))],
        )
