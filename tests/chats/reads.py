"""What came out of reading an export."""

from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """All that came out of reading an export."""

    chats: list[Row]
    messages: list[Row]
    dropped: list[Row]
    metadata: dict[str, Any]
    counts: dict[str, int]
    digests: tuple[str, ...]

    @property
    def texts(self) -> list[str]:
        return [row["text"] for row in self.messages]

    @property
    def ids(self) -> list[str]:
        return [row["message_id"] for row in self.messages]

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.messages]
