"""Why a message or chat of an export is left out."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a message or chat is left out."""

    SERVICE = "service"
    UNSUPPORTED = "unsupported"
    NO_DATE = "no_date"
    UNREADABLE = "unreadable"
    DUPLICATE = "duplicate"
    CHAT_KIND = "chat_kind"
    FORGOTTEN = "forgotten"
