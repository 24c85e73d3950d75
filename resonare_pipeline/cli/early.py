"""What a run can begin while Dagster is still being imported, which takes seconds and one CPU.

Nothing is made here: raw inputs are hashed, as their first stage would, and workers are started.
"""

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from resonare_pipeline.chats.exports import MessagesSettings
from resonare_pipeline.chats.reading.export import WORKER_THRESHOLD_BYTES
from resonare_pipeline.chats.telegram.columns import parse_pieces
from resonare_pipeline.counting import count_text
from resonare_pipeline.errors import ResonareError
from resonare_pipeline.planning.hashes import take_hashes
from resonare_pipeline.planning.plan import Entry, Status
from resonare_pipeline.planning.workspace import Workspace
from resonare_pipeline.progress import silent
from resonare_pipeline.tokenizers import TokenizerSettings
from resonare_pipeline.workers import Lane, spare_cpus


@contextlib.contextmanager
def early_work(workspace: Workspace, entries: Sequence[Entry]) -> Iterator[None]:
    """Do what the stages of one partition will need first, beside the block."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(_hash_raw, workspace, entries)
        _start_workers(entries)
        yield


def _hash_raw(workspace: Workspace, entries: Sequence[Entry]) -> None:
    unhashed = (e for e in entries if not e.fingerprint and e.status is Status.STALE and e.raw)
    entry = next(unhashed, None)
    if entry is not None and entry.raw is not None:
        with contextlib.suppress(
            ResonareError
        ):  # the stage that needs it meets the same, and says so
            take_hashes(workspace.store, entry.raw, silent)


def _start_workers(entries: Sequence[Entry]) -> None:
    stale = [entry for entry in entries if entry.status is not Status.HIT]
    size = max(
        (sum(stat.size for stat in e.raw.entries.values()) for e in stale if e.raw), default=0
    )
    if size < WORKER_THRESHOLD_BYTES:
        return
    wanted: set[int | None] = set()
    for entry in stale:
        for section in entry.settings.values():
            if isinstance(section, MessagesSettings | TokenizerSettings):
                wanted.add(section.workers)
    workers = spare_cpus() if wanted == {None} else 0
    if workers:
        lane = Lane(workers)
        lane.call(parse_pieces, b"", dt.UTC)  # for what they import
        if not any(_other_tokenizer(entry) for entry in stale):
            lane.call(count_text, "")


def _other_tokenizer(entry: Entry) -> bool:
    section = entry.settings.get(TokenizerSettings)
    return isinstance(section, TokenizerSettings) and bool(section.model_id)
