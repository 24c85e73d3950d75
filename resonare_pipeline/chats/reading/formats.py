"""Which app an export is from, told by its files, and the reader of that app's format.

Tables as CSV are Signal's, and so are transcripts; all else is read as Telegram's. What may not
live here: what rows of any format hold.
"""

import datetime as dt
from collections.abc import Callable, Sequence

from resonare_pipeline.chats.exports import ExportFile, MessagesSettings
from resonare_pipeline.chats.reading.findings import Findings
from resonare_pipeline.chats.reading.sorting import Limits
from resonare_pipeline.chats.reading.spool import Spool
from resonare_pipeline.chats.signal.export import bytes_to_read, read_dumps
from resonare_pipeline.chats.signal.schema import is_csv
from resonare_pipeline.chats.signal.transcripts import is_transcript, read_transcript
from resonare_pipeline.chats.telegram.export import read_file
from resonare_pipeline.progress import Progress
from resonare_pipeline.workers import unasked_workers

TELEGRAM, SIGNAL = "telegram", "signal"
# Starting processes takes as long as parsing this much in the one there is.
WORKER_THRESHOLD_BYTES = 32 << 20


def read_files(
    files: Sequence[ExportFile],
    spool: Spool,
    settings: MessagesSettings,
    zone: dt.tzinfo,
    progress: Progress,
    window_bytes: int,
    limits: Limits,
) -> tuple[str, list[Findings]]:
    """Put all messages of an export onto the spool, and return which app it is from.

    Raises:
        InputError: If a file is no export.
        InputChangedError: If a file is not what it was when it was listed.
    """
    if any(map(is_csv, files)):
        tables = [file for file in files if is_csv(file)]
        on_read = _byte_counter(bytes_to_read(tables), progress)
        return SIGNAL, read_dumps(tables, spool, settings, on_read=on_read, limits=limits)
    ordered = sorted(files, key=lambda file: file.name)
    if transcripts := list(filter(is_transcript, ordered)):
        on_read = _byte_counter(sum(file.size for file in transcripts), progress)
        return SIGNAL, [
            read_transcript(file, spool, number=number, zone=zone, on_read=on_read)
            for number, file in enumerate(transcripts)
        ]
    return TELEGRAM, _read_telegram(files, spool, settings, zone, progress, window_bytes)


def _read_telegram(
    files: Sequence[ExportFile],
    spool: Spool,
    settings: MessagesSettings,
    zone: dt.tzinfo,
    progress: Progress,
    window_bytes: int,
) -> list[Findings]:
    total = sum(file.size for file in files)
    on_read = _byte_counter(total, progress)
    workers = unasked_workers() if settings.workers is None else settings.workers
    if settings.workers is None and total < WORKER_THRESHOLD_BYTES:
        workers = 0
    ordered = sorted(files, key=lambda file: file.name)
    return [
        read_file(
            file,
            spool,
            file_number=number,
            kinds=settings.chat_kinds,
            zone=zone,
            workers=workers,
            window_bytes=window_bytes,
            on_read=on_read,
        )
        for number, file in enumerate(ordered)
    ]


def _byte_counter(total: int, progress: Progress) -> Callable[[int], None]:
    done = 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total, "bytes")

    return count
