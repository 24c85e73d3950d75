"""What a run can begin while Dagster is still being imported, which takes seconds and one CPU.

Workers are started, and the first stages begun. What either does is not known here.
"""

import contextlib
import datetime as dt
import sys
from collections.abc import Iterator, Sequence

from resonare_pipeline.artifacts.arrow import prepare_arrow
from resonare_pipeline.chats.exports import MessagesSettings
from resonare_pipeline.chats.reading.formats import WORKER_THRESHOLD_BYTES
from resonare_pipeline.chats.telegram.columns import parse_pieces
from resonare_pipeline.counting import count_text
from resonare_pipeline.planning.ahead import stages_ahead
from resonare_pipeline.planning.plan import Entry
from resonare_pipeline.planning.workspace import Workspace
from resonare_pipeline.tokenizers import TokenizerSettings
from resonare_pipeline.workers import Lane, unasked_workers

SWITCH_SECONDS = 0.0005


@contextlib.contextmanager
def early_work(workspace: Workspace, entries: Sequence[Entry], *, force: bool) -> Iterator[None]:
    """Begin the stages of one partition beside the block, if there is enough to do.

    Args:
        entries: All of the partition, in order.
        force: Make them even where they are there.
    """
    stale = [entry for entry in entries if force or not entry.is_whole]
    sizes = [sum(stat.size for stat in e.raw.entries.values()) for e in stale if e.raw]
    if max(sizes, default=0) < WORKER_THRESHOLD_BYTES:
        yield
        return
    prepare_arrow()  # not in the thread: it hides pandas for a moment
    _start_workers(stale)
    stages = [entry.stage for entry in entries]
    with _short_turns(), stages_ahead(workspace, stages, entries[0].partition, force=force):
        yield


@contextlib.contextmanager
def _short_turns() -> Iterator[None]:
    # A thread that feeds workers needs the lock often and briefly; at Python's own interval it
    # would wait for 5 ms each time while another imports, and the workers with it.
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _start_workers(stale: Sequence[Entry]) -> None:
    wanted: set[int] = set()
    for entry in stale:
        for section in entry.settings.values():
            if isinstance(section, MessagesSettings | TokenizerSettings):
                wanted.add(unasked_workers() if section.workers is None else section.workers)
    workers = wanted.pop() if len(wanted) == 1 else 0  # another number would need another pool
    if workers:
        lane = Lane(workers)
        lane.call(parse_pieces, b"", dt.UTC)  # for what they import
        if not any(_other_tokenizer(entry) for entry in stale):
            lane.call(count_text, "")


def _other_tokenizer(entry: Entry) -> bool:
    section = entry.settings.get(TokenizerSettings)
    return isinstance(section, TokenizerSettings) and bool(section.model_id)
