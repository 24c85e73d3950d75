"""Who is the assistant in each chat, and whose lines carry a name.

Reads the table of chats; knows nothing of tokens or of how lines are joined.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.chats.linking import linked_chats, read_links
from resonare_pipeline.chats.rendering import UNNAMED, ConversationSettings, SpeakerLabels
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.linked_people import whole_id

OWNER = "owner"
PAIR = 2  # participants of a chat that is no group
MOST_LISTED = 20  # participants named in an error, so that it still fits on a screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The roles in one chat.

    Attributes:
        persona_ids: Sender ids of the assistant; unused where `by_owner` is set.
        persona_names: Names that stand for the assistant where a message has no sender id.
        by_owner: The assistant is whoever is marked as the chat's owner.
        present: Whether the persona takes part in the chat.
        labelled: Whether the lines of others carry their name.
    """

    persona_ids: frozenset[str]
    persona_names: frozenset[str]
    by_owner: bool
    present: bool
    labelled: bool

    def answers(self, sender_id: str | None, sender_name: str | None, *, is_owner: bool) -> bool:
        """Tell whether a message is the assistant's."""
        if self.by_owner:
            return is_owner
        if sender_id is None:
            return sender_name in self.persona_names
        return sender_id in self.persona_ids

    def label(self, sender_name: str | None, *, answers: bool) -> str | None:
        """Return the name that a message's line begins with, or None for no label."""
        if answers or not self.labelled:
            return None
        return sender_name or UNNAMED


def roles_in(
    chats: Iterator[dict[str, Any]], messages: Artifact, settings: ConversationSettings
) -> dict[str, Cast]:
    """Return the roles of every chat, by chat id, as messages have the people in it.

    The persona may be named by any id of a person who is linked, and by the table that links them.

    Raises:
        SettingsError: If nobody in any chat is the persona, or if its name stands for two people
            of one chat.
    """
    links, persona = read_links(messages), settings.persona
    if persona != OWNER:
        persona = links.meant_by(persona) or whole_id(persona)
    return casts(linked_chats(chats, links), settings.model_copy(update={"persona": persona}))


def casts(chats: Iterable[Mapping[str, Any]], settings: ConversationSettings) -> dict[str, Cast]:
    """Return the roles of every chat, by chat id.

    Raises:
        SettingsError: If nobody in any chat is the persona, or if its name stands for two people
            of one chat.
    """
    rows = list(chats)
    persona = settings.persona
    by_id = any(person["sender_id"] == persona for row in rows for person in row["participants"])
    found = {row["chat_id"]: _cast(row, settings, by_id=by_id) for row in rows}
    if rows and persona != OWNER and not any(cast.present for cast in found.values()):
        raise SettingsError(
            f"no chat has a participant {persona!r}",
            where="chat_conversations.persona",
            expected=f"owner, or a sender id or name such as {_listed(rows)}",
            remedy="Set persona to one of these",
        )
    return found


def _cast(row: Mapping[str, Any], settings: ConversationSettings, *, by_id: bool) -> Cast:
    people = row["participants"]
    by_owner = settings.persona == OWNER and not by_id
    key = "sender_id" if by_id else "name"
    chosen = [person for person in people if person[key] == settings.persona]
    if not by_owner and len(chosen) > 1:
        ids = ", ".join(str(person["sender_id"]) for person in chosen)
        raise SettingsError(
            f"the name {settings.persona!r} stands for {len(chosen)} people of one chat: {ids}",
            where=f"chat_conversations.persona, chat {row['chat_id']}",
            expected="one person",
            remedy="Set persona to one of these sender ids",
        )
    return Cast(
        persona_ids=frozenset(p["sender_id"] for p in chosen if p["sender_id"] is not None),
        persona_names=frozenset(p["name"] for p in chosen if p["sender_id"] is None),
        by_owner=by_owner,
        present=any(p["is_owner"] for p in people) if by_owner else bool(chosen),
        labelled=settings.speaker_labels is SpeakerLabels.ALWAYS
        or (settings.speaker_labels is SpeakerLabels.GROUPS and len(people) > PAIR),
    )


def _listed(rows: list[Mapping[str, Any]]) -> str:
    names: dict[str, None] = {}
    for row in rows:
        for person in row["participants"]:
            names[f"{person['sender_id']} ({person['name']})"] = None
    listed = list(names)[:MOST_LISTED]
    more = len(names) - len(listed)
    return ", ".join(listed) + (f" and {more} more" if more else "")
