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
    OLD_REVISION = "old_revision"
    DELETED = "deleted"
    VIEW_ONCE = "view_once"
    STORY = "story"
    SCHEDULED = "scheduled"
    DRAFT = "draft"
    NOT_SENT = "not_sent"
    BLOCKED = "blocked"
