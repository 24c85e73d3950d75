"""Chats of Signal as other tools write them for people: one file a chat, names in place of ids.

`data.json` of carderne/signal-export has one JSON object a line; `chat.md` of the same and text
exports have lines that begin with a time in brackets and a name. Neither has ids: a message is
known by its time, sender and text, chats and people by their names. Times are local times.
"""

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import pyarrow as pa

from resonare_pipeline.chats.exports import ExportFile
from resonare_pipeline.chats.reading.findings import Findings
from resonare_pipeline.chats.reading.owner import PERSONAL_CHAT, Owner, OwnerBasis
from resonare_pipeline.chats.reading.parsed import PARSED, ParsedRun, Sender, keep_runs
from resonare_pipeline.chats.reading.reasons import Reason
from resonare_pipeline.chats.reading.spool import Span, Spool
from resonare_pipeline.chats.signal.ids import SELF
from resonare_pipeline.chats.signal.text_lines import TextLines
from resonare_pipeline.chats.signal.threads import GROUP, PAIR
from resonare_pipeline.chats.telegram.times import of_clock
from resonare_pipeline.errors import InputError
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.rows import TIMESTAMP

DATA = "data.json"
TEXT_ENDINGS = (".md", ".txt")
RUN_ROWS = 1 << 12
SNIFFED_BYTES = 1 << 20
ME = "Me"  # signal-export's word for the owner
_NAMELESS = frozenset({"data", "chat", "index"})  # files whose folder has the chat's name
_HEAD = re.compile(
    r"\[(\d{4}-\d\d-\d\d),? (\d\d:\d\d(?::\d\d)?)\] ([^:\n]{1,100}): ?(.*)", re.DOTALL
)
_MEDIA = {
    "photo": ("png", "jpg", "jpeg", "gif", "webp", "heic"),
    "audio_file": ("m4a", "aac", "mp3", "ogg", "opus", "wav", "flac"),
    "video_file": ("mp4", "mov", "mkv", "mpeg", "webm"),
}


class Line(NamedTuple):
    """A message as a transcript has it."""

    clock: str
    sender: str
    text: str
    media: str | None = None
    media_path: str | None = None
    reactions: tuple[tuple[str, int], ...] = ()


def is_transcript(file: ExportFile) -> bool:
    """Tell whether a file is a transcript, by its name and the beginning of its content."""
    name = PurePosixPath(file.name.lower())
    if name.suffix in TEXT_ENDINGS:
        return True
    if name.name != DATA:
        return False
    with file.open() as stream:
        first = stream.read(SNIFFED_BYTES).lstrip().partition(b"\n")[0]
    try:
        return bool({"sender", "body", "date"} <= json.loads(first).keys())
    except (ValueError, AttributeError, RecursionError):
        return False


def read_transcript(
    file: ExportFile,
    spool: Spool,
    *,
    number: int,
    zone: dt.tzinfo,
    on_read: Callable[[int], None] = lambda _: None,
) -> Findings:
    """Put the messages of a chat onto the spool.

    Args:
        file: The file.
        spool: Where messages go.
        number: Place of the file among all of the export.
        zone: Zone of its times.
        on_read: Told how many bytes were read.

    Raises:
        InputError: If nothing in it is a message.
        InputChangedError: If the bytes are not those that were listed.
    """
    path = PurePosixPath(file.name)
    name = path.parent.name if path.stem.lower() in _NAMELESS and path.parent.name else path.stem
    span = Span(place=(number,), chat_id=f"signal:name:{short_hash(name)}", name=name)
    people: dict[str, None] = {}
    with file.open() as stream:
        lines = TextLines(stream, file, on_read=on_read)
        is_data = path.name.lower() == DATA
        read = _of_data(lines) if is_data else _of_text(lines)
        for run in _runs(read, zone, people):
            spool.add(span, keep_runs([run], spool.new_path())[0])
        lines.verify()
    if not span.rows:
        raise InputError(
            "no line of the file is a message",
            where=file.name,
            expected="a time in brackets, a name and a colon: [2024-01-31, 12:00] Ann: hello",
        )
    others = [person for person in people if person != ME]
    span.kind = PERSONAL_CHAT if len(people) <= PAIR else GROUP
    if span.kind == PERSONAL_CHAT and len(others) == 1:
        span.peer = _sender(others[0]).id or ""
    spool.spans.append(span)
    return Findings(
        owner=Owner(sender_id=SELF, name=ME, basis=OwnerBasis.SENT_MESSAGES)
        if ME in people
        else None
    )


def _sender(name: str) -> Sender:
    return Sender(SELF if name == ME else f"signal:name:{short_hash(name)}", name)


def _of_data(lines: Iterable[str]) -> Iterator[Line | str]:
    for line in filter(str.strip, lines):
        try:
            said: Any = json.loads(line)
            text = str(said["body"]).removesuffix("  ")  # the tool's break of a line
            media, path = _medium(said)
            yield Line(
                clock=str(said["date"]),
                sender=str(said["sender"]),
                text=text,
                media=media,
                media_path=path,
                reactions=_reactions(said.get("reactions") or ()),
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            yield line


def _medium(said: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return kind and path of what is attached; of several files, of the first."""
    if said.get("sticker"):
        return "sticker", None
    for attachment in said.get("attachments") or ():
        path = str(attachment["path"])
        ending = path.rpartition(".")[2].lower()
        return next((kind for kind, endings in _MEDIA.items() if ending in endings), "file"), path
    return None, None


def _reactions(found: Sequence[Sequence[str]]) -> tuple[tuple[str, int], ...]:
    counts = Counter(str(emoji) for _, emoji in found)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _of_text(lines: Iterable[str]) -> Iterator[Line | str]:
    """Yield messages; lines that begin with no time belong to the message before them."""
    held: list[str] = []
    for line in lines:
        text = line.replace("\r\n", "\n")
        if held and _HEAD.match(text) is None:
            held.append(text)
            continue
        if held:
            yield _joined(held)
        held = [text]
    if held:
        yield _joined(held)


def _joined(lines: list[str]) -> Line | str:
    whole = "".join(lines).rstrip("\n")
    found = _HEAD.fullmatch(whole)
    if found is None:
        return whole
    day, time, sender, text = found.groups()
    return Line(clock=f"{day}T{time}", sender=sender.strip(), text=text.rstrip(" "))


def _runs(
    read: Iterable[Line | str], zone: dt.tzinfo, people: dict[str, None]
) -> Iterator[ParsedRun]:
    rows: list[tuple[Line, int, bool]] = []
    dropped: list[tuple[str, str]] = []
    for said in read:
        if not isinstance(said, Line):
            if said.strip():
                dropped.append((f"h{short_hash(said)}", Reason.UNREADABLE))
            continue
        time, is_local = of_clock(said.clock, zone)
        if time is None:
            dropped.append((f"h{short_hash([*said[:3]])}", Reason.NO_DATE))
            continue
        people[said.sender] = None
        rows.append((said, time, is_local))
        if len(rows) >= RUN_ROWS:
            yield _run(rows, dropped)
            rows, dropped = [], []
    if rows or dropped:
        yield _run(rows, dropped)


def _run(rows: list[tuple[Line, int, bool]], dropped: list[tuple[str, str]]) -> ParsedRun:
    names = dict.fromkeys(said.sender for said, _, _ in rows)
    codes = {name: code for code, name in enumerate(names)}
    senders = [_sender(name) for name in names]
    given: dict[str, list[Any]] = {
        "content": [
            int(short_hash([time, senders[codes[said.sender]].id, said.text]), 16)
            for said, time, _ in rows
        ],
        "sender": [codes[said.sender] for said, _, _ in rows],
        "sent_at": [time for _, time, _ in rows],
        "text": [said.text for said, _, _ in rows],
        "media_kind": [said.media for said, _, _ in rows],
        "media_path": [said.media_path for said, _, _ in rows],
        "reactions": [list(said.reactions) or None for said, _, _ in rows],
    }
    arrays = [
        pa.array(given[column.name], pa.int64()).cast(TIMESTAMP)
        if column.name == "sent_at"
        else pa.array(given.get(column.name, [None] * len(rows)), column.type)
        for column in PARSED
    ]
    return ParsedRun(
        rows=pa.record_batch(arrays, schema=PARSED),
        senders=senders,
        dropped=dropped,
        local_times=sum(is_local for _, _, is_local in rows),
    )
