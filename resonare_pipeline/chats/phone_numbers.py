"""Whose phones have which number, as exports tell it beside messages.

For comparing alone: numbers are hashed with a key that nobody keeps, and neither written nor shown.
Only small files are looked at, or the beginning of a large one, where contacts stand.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator

from resonare_pipeline.chats.exports import ExportFile
from resonare_pipeline.chats.signal.csv_rows import open_rows
from resonare_pipeline.chats.signal.ids import recipient_of, sender_id
from resonare_pipeline.chats.signal.schema import find_columns, is_csv, table_of
from resonare_pipeline.errors import InputError
from resonare_pipeline.signal_columns import PHONE_COLUMNS

HEAD_BYTES = 4 << 20  # of a Telegram export: contacts stand before the chats
LEAST_DIGITS = 7  # of a number with its country
_KEY = secrets.token_bytes(32)
_OBJECT = re.compile(r"\{[^{}]*\}")


def phones(file: ExportFile) -> Iterator[tuple[str, str]]:
    """Yield (sender id, hash of the number) of all whose number a file tells.

    What cannot be read tells of nobody: reading refuses it, in its own words.
    """
    try:
        yield from _of_signal(file) if is_csv(file) else _of_telegram(file)
    except (InputError, OSError):
        return


def _of_signal(file: ExportFile) -> Iterator[tuple[str, str]]:
    if table_of(file) != "recipient":
        return
    with open_rows(file, verified=False) as rows:
        columns = find_columns(rows.columns, PHONE_COLUMNS, needed=("id",), where=file.name)
        for said, phone in map(columns.pick, rows):
            recipient, hashed = recipient_of(said), _hashed(phone)
            if recipient is not None and hashed:
                yield sender_id(recipient), hashed


def _of_telegram(file: ExportFile) -> Iterator[tuple[str, str]]:
    with file.open() as stream:
        head = stream.read(HEAD_BYTES).decode(errors="replace")
    for found in _OBJECT.finditer(head.partition('"messages"')[0]):
        if '"phone_number"' not in found[0]:
            continue
        try:
            contact = json.loads(found[0])
        except ValueError:
            continue
        user, hashed = contact.get("user_id"), _hashed(str(contact.get("phone_number")))
        if isinstance(user, int) and user > 0 and hashed:
            yield f"telegram:user{user}", hashed


def _hashed(phone: str) -> str:
    """Return the hash of a number with its country; empty for anything else."""
    digits = re.sub(r"\D", "", phone).removeprefix("00")
    if len(digits) < LEAST_DIGITS:
        return ""
    return hashlib.blake2b(digits.encode(), key=_KEY, digest_size=16).hexdigest()
