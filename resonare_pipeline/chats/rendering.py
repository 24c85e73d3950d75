"""How messages become the turns of a conversation: the one place where that is decided.

What is counted is what is written, because both come from `render`. An *item* is a message, or a
piece of one: whether the persona wrote it (then it answers), and its line. What may not live here:
which items belong together, and tokens.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from resonare_pipeline.rows import Turn
from resonare_pipeline.settings import Section

SYSTEM, USER, ASSISTANT = "system", "user", "assistant"
UNNAMED = "Unknown"  # the label of a person whose name an export does not hold


class ConversationShape(StrEnum):
    """What a conversation looks like from end to end."""

    ALTERNATING = "alternating"
    AS_IS = "as_is"


class SpeakerLabels(StrEnum):
    """Where the lines of others begin with their names."""

    GROUPS = "groups"
    ALWAYS = "always"
    NEVER = "never"


class ConversationSettings(Section):
    """How blocks become conversations."""

    section: ClassVar[str] = "chat_conversations"

    persona: str = "owner"
    """Who becomes the assistant: `owner`, or a participant's sender id (`telegram:user1`) or
    name."""

    system_prompt: str = ""
    """Text of a system turn at the head of every conversation. Empty: none."""

    message_prefix: str = ">>> "
    """What each message of a turn begins with."""

    message_separator: str = "\n"
    """What stands between two messages of a turn."""

    conversation_shape: ConversationShape = ConversationShape.ALTERNATING
    """`alternating`: user first, turns alternate, assistant last; what does not fit is trimmed.
    `as_is`: as the chat went, with at least one turn of the assistant."""

    speaker_labels: SpeakerLabels = SpeakerLabels.GROUPS
    """Where messages of others begin with their name: `groups` (chats of more than two), `always`,
    `never`. The assistant's never do."""

    include_metadata: bool = True
    """Write ids and times beside each conversation. Default: yes."""


def is_blank(text: str) -> bool:
    """Tell whether a text shows nothing: only white space, format or control characters."""
    stripped = text.strip()
    return not stripped or (
        not stripped[0].isprintable()
        and not any(char.isprintable() and not char.isspace() for char in stripped)
    )


def line_head(label: str | None, settings: ConversationSettings) -> str:
    """Return what stands before a message's text.

    Args:
        label: The speaker's name, or None where lines carry none.
        settings: Give the prefix.
    """
    if label is None:
        return settings.message_prefix
    return f"{settings.message_prefix}{' '.join(label.split()) or UNNAMED}: "


def render(
    answers: Sequence[bool], lines: Sequence[str], settings: ConversationSettings
) -> tuple[Turn, ...]:
    """Return the turns of neighbouring items.

    Args:
        answers: For each item, whether it is the assistant's.
        lines: Each item's line: head and text.
        settings: Give system prompt and separator.
    """
    turns: list[Turn] = []
    if settings.system_prompt:
        turns.append(Turn(role=SYSTEM, content=settings.system_prompt))
    start = 0
    for end in range(1, len(lines) + 1):
        if end == len(lines) or answers[end] != answers[start]:
            content = settings.message_separator.join(lines[start:end])
            turns.append(Turn(role=ASSISTANT if answers[start] else USER, content=content))
            start = end
    return tuple(turns)


def as_messages(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """Return turns as the mappings that chat templates take."""
    return [{"role": turn.role, "content": turn.content} for turn in turns]
