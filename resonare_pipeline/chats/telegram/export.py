"""One file of a Telegram Desktop export, whatever its shape, onto the spool.

Shapes: a chat as the root; an account with `chats.list` and `left_chats.list`; a list of chats.
Keys may come in any order, so what a chat is may be known only after its messages. All sections
but those that hold messages are passed over unread: they hold phone numbers, addresses, devices.
"""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from resonare_pipeline.chats.exports import ExportFile
from resonare_pipeline.chats.reading.findings import Findings
from resonare_pipeline.chats.reading.owner import Owner, OwnerBasis
from resonare_pipeline.chats.reading.spool import Span, Spool
from resonare_pipeline.chats.telegram import cursor, refusals
from resonare_pipeline.chats.telegram.chats import (
    Reading,
    finish,
    new_span,
    read_list,
    read_messages,
)
from resonare_pipeline.chats.telegram.ids import whole_number
from resonare_pipeline.chats.telegram.several import (
    Head,
)
from resonare_pipeline.chats.telegram.window import WINDOW_BYTES, CutOffError, Window
from resonare_pipeline.errors import InputError
from resonare_pipeline.workers import Lane

_SECTIONS = {"chats": 1, "left_chats": 2}


def read_file(
    file: ExportFile,
    spool: Spool,
    *,
    file_number: int,
    kinds: tuple[str, ...],
    zone: dt.tzinfo,
    workers: int = 0,
    window_bytes: int = WINDOW_BYTES,
    on_read: Callable[[int], None] = lambda _: None,
) -> Findings:
    """Put all messages of a file onto the spool.

    Args:
        file: The file.
        spool: Where messages go.
        file_number: Place of the file among all of the export.
        kinds: Kinds of chat that are taken where there are several.
        zone: Zone of times that have none.
        workers: Processes beside this one that parse.
        window_bytes: How much is read and parsed at a time.
        on_read: Told how many bytes were read.

    Raises:
        InputError: If this is no export, or broken beyond reading on.
        InputChangedError: If the bytes are not those that were listed.
    """
    with file.open() as stream, ThreadPoolExecutor(max_workers=1) as ahead:
        window = Window(stream, file, ahead=ahead, window_bytes=window_bytes, on_read=on_read)
        reading = Reading(
            window=window,
            spool=spool,
            file_number=file_number,
            kinds=frozenset(kinds),
            zone=zone,
            lane=Lane(workers),
        )
        try:
            warnings = _document(reading)
        except InputError:
            window.verify()  # a file that is still being written looks broken, too
            raise
        window.verify()
    return Findings(owner=reading.owner, warnings=warnings)


def _document(reading: Reading) -> list[str]:
    window = reading.window
    if cursor.at_end(window):
        raise refusals.empty(window)
    first = cursor.peek(window)
    try:
        if first == b"{":
            _root(reading)
        elif first == b"[":
            read_list(reading, 0)
        else:
            raise refusals.no_export(window)
    except CutOffError:
        return [_cut_off(reading)]
    if not reading.spans:
        raise refusals.other_json(window, reading.keys)
    return _rest(window)


def _cut_off(reading: Reading) -> str:
    window = reading.window
    end = window.start + len(window.data)
    saved = sum(span.elements for span in reading.spans)
    if not saved:
        raise InputError(
            "the file is cut off before the end of its first message",
            where=window.where(end),
            expected="an export that Telegram Desktop has finished",
            remedy="Copy the file again, or export again",
        )
    return (
        f"{window.file.name} is cut off: it ends at byte {end}, within a value that began at or "
        f"before byte {window.offset}; {saved} complete messages were saved"
    )


def _rest(window: Window) -> list[str]:
    """Look at what stands behind the document's end."""
    if cursor.at_end(window):
        return []
    if cursor.peek(window) in (b"{", b"["):
        raise refusals.second_document(window)
    return [f"{window.where()}: what follows the end of the JSON was not read"]


def _root(reading: Reading) -> None:
    window, head = reading.window, Head()
    span: Span | None = None
    try:
        for key in cursor.members(window):
            reading.keys.append(key[:40])
            if key == "messages":
                span = span or new_span(reading, (0, 0))
                read_messages(reading, span, counted_only=False)
            elif key in ("name", "type", "id"):
                head.note(key, cursor.scalar(window))
            else:
                _section(reading, key)
    finally:
        if span is not None:
            finish(reading, span, head, taken=True)


def _section(reading: Reading, key: str) -> None:
    window = reading.window
    first = cursor.peek(window)
    if key in _SECTIONS and first == b"{":
        for inner in cursor.members(window):
            if inner == "list" and cursor.peek(window) == b"[":
                read_list(reading, _SECTIONS[key])
            else:
                cursor.skip(window)
    elif key in _SECTIONS and first == b"[":
        read_list(reading, _SECTIONS[key])
    elif key == "personal_information" and first == b"{":
        _personal_information(reading)
    else:
        cursor.skip(window)


def _personal_information(reading: Reading) -> None:
    facts: dict[str, cursor.Scalar] = {}
    for key in cursor.members(reading.window):
        if key in ("user_id", "first_name", "last_name"):
            facts[key] = cursor.scalar(reading.window)
        else:
            cursor.skip(reading.window)
    number = whole_number(facts.get("user_id"))
    names = [facts.get(key) for key in ("first_name", "last_name")]
    if number is not None:
        reading.owner = Owner(
            sender_id=f"telegram:user{number}",
            name=" ".join(name for name in names if isinstance(name, str) and name) or None,
            basis=OwnerBasis.PERSONAL_INFORMATION,
        )
