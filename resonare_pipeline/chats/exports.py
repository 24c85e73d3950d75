"""What a reader of chat exports is given, and the settings of reading."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, BinaryIO, ClassVar

from pydantic import Field

from resonare_pipeline.settings import EXECUTION, Section

Opener = Callable[[str], BinaryIO]
"""Opens a raw file by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """One file of a raw export.

    Attributes:
        name: Path below the export, or the file's own name; for messages.
        size: In bytes.
        sha256: What the file held when it was listed; reading must meet the same bytes.
        open: Opens the file for reading from its start.
    """

    name: str
    size: int
    sha256: str
    open: Callable[[], BinaryIO]


class MessagesSettings(Section):
    """How exports become chats and messages."""

    section: ClassVar[str] = "messages"

    chat_kinds: tuple[str, ...] = ("personal_chat", "private_group", "private_supergroup")
    """Kinds of chat taken from an export of several chats, in Telegram's words; an export of a
    single chat, and a chat whose kind is unknown, is always taken."""

    owner: str = ""
    """Who exported the chats, as a sender id (`telegram:user1`) or a name; used only where the
    export itself does not tell. Empty: the participant with the most messages."""

    exclude_blocked: bool = False
    """Leave out what people wrote whom the owner has blocked, and chats with them; only Signal's
    tables tell who that is. Default: no."""

    time_zone: str = "UTC"
    """IANA name of the zone of local times, for old exports that have no `date_unixtime`."""

    workers: Annotated[int | None, EXECUTION, Field(ge=0)] = None
    """Processes beside the run itself that parse. Unset: one, for exports that are worth it, which
    keeps a run within 600 MB of memory on any machine; 0: none. Each more takes up to 170 MB, and
    helps where it has a CPU for itself, up to about three; set tokenizer.workers to the same."""
