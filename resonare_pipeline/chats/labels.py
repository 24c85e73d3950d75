"""What stands for people's names in deliverables of messages that were redacted.

`labels.json` lies beside such messages: sender id → label. It holds no name, and is missing where
nothing was redacted. Here it is written, and the table of chats read as it says.
"""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.chats.linking import Links, linked_chats, read_links
from resonare_pipeline.privacy.kinds import Kind

LABELS_FILE = "labels.json"
SOMEBODY = f"[{Kind.PERSON.upper()}]"  # a person whom no label is for


def write_labels(stream: BinaryIO, labels: Mapping[str, str]) -> None:
    """Write sender id → label, one a line."""
    stream.write(msgspec.json.format(msgspec.json.encode(labels), indent=1) + b"\n")


def read_labels(messages: Artifact) -> dict[str, str] | None:
    """Return sender id → label, or None if the messages were not redacted."""
    if all(file.name != LABELS_FILE for file in messages.entry.files):
        return None
    with messages.open(LABELS_FILE) as stream:
        return msgspec.json.decode(stream.read(), type=dict[str, str])


def shown_chats(rows: Iterator[dict[str, Any]], messages: Artifact) -> Iterator[dict[str, Any]]:
    """Yield rows of the table of chats, with people as messages have them.

    If the messages have labels, these stand for names: a chat that bears the name of a person gets
    the label, any other a number by its place.
    """
    labels, links = read_labels(messages), read_links(messages)
    for number, row in enumerate(linked_chats(rows, links), 1):
        yield row if labels is None else _labelled(row, labels, links, number)


def _labelled(
    row: dict[str, Any], labels: Mapping[str, str], links: Links, number: int
) -> dict[str, Any]:
    shown = dict(row)
    if row["name"] is not None:
        shown["name"] = labels.get(links.id(row["chat_id"]) or "", f"Chat {number}")
    if "participants" in row:
        shown["participants"] = [
            person | {"name": labels.get(person["sender_id"])} for person in row["participants"]
        ]
    return shown
