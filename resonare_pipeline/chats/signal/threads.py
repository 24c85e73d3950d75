"""Threads of a dump as chats: ids, names and kinds, in the words that Telegram has for them."""

from collections.abc import Mapping

from resonare_pipeline.chats.reading.owner import PERSONAL_CHAT
from resonare_pipeline.chats.reading.spool import Span
from resonare_pipeline.chats.signal.ids import chat_id, sender_id
from resonare_pipeline.chats.signal.people import People
from resonare_pipeline.chats.signal.survey import Thread

GROUP = "private_group"
NOTE_TO_SELF = "saved_messages"
PAIR = 2


def spans(
    threads: Mapping[int, Thread],
    people: People,
    *,
    owner: int | None,
    kinds: tuple[str, ...],
    dump: int,
) -> dict[int, Span]:
    """Return an empty span for each thread.

    Args:
        threads: What the rows say of them.
        people: What other tables say.
        owner: The recipient that is the owner.
        kinds: Kinds of chat that are taken where there are several.
        dump: Place of the dump among those of the export.
    """
    found: dict[int, Span] = {}
    for number, thread in sorted(threads.items()):
        recipient = people.threads.get(number, _recipient(thread))
        kind = _kind(thread, people, recipient, owner)
        is_pair = kind != GROUP and recipient is not None
        found[number] = Span(
            place=(dump, 0, number),
            chat_id=chat_id(number),
            peer=sender_id(recipient) if is_pair and recipient is not None else "",
            name=_name(people, recipient, kind),
            kind=kind,
            taken=len(threads) == 1 or kind in kinds,
        )
    return found


def _recipient(thread: Thread) -> int | None:
    """Return whom a thread is with, where no table of threads tells."""
    if thread.receiver is not None:
        return thread.receiver
    return thread.senders[0] if len(thread.senders) == 1 else None


def _kind(thread: Thread, people: People, recipient: int | None, owner: int | None) -> str:
    if recipient is not None and recipient == owner:
        return NOTE_TO_SELF
    if recipient in people.groups or len(thread.senders) >= PAIR:
        return GROUP
    if recipient is None or recipient in people.known or not thread.senders:
        return PERSONAL_CHAT if recipient is not None else GROUP
    # Whoever the owner writes to, and who never writes, is a group.
    return PERSONAL_CHAT if recipient in thread.senders else GROUP


def _name(people: People, recipient: int | None, kind: str) -> str | None:
    if recipient is None:
        return None
    return people.names.get(recipient) if kind == GROUP else people.name(recipient)
