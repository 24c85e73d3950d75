"""Under which names columns of Signal's tables stood over the years, the newest first.

Signal renamed tables and columns many times; the names are those of `setcolumnnames.cc` and
`dummybackup.h` in bepaald/signalbackup-tools. Readers of files and of data frames both look here.
What columns mean is not known here.
"""

from collections.abc import Collection, Mapping

Names = tuple[str, ...]

MESSAGE_COLUMNS: Mapping[str, Names] = {
    "id": ("_id",),
    "thread": ("thread_id",),
    "sent": ("date_sent", "date"),
    "kind": ("type", "msg_box"),
    "body": ("body",),
    "sender": ("from_recipient_id", "recipient_id", "address"),
    "receiver": ("to_recipient_id",),
    "received": ("date_received",),
    "quote_sent": ("quote_id",),
    "quote_author": ("quote_author",),
    "original": ("original_message_id",),
    "newest": ("latest_revision_id",),
    "deleted_by": ("deleted_by",),
    "deleted": ("remote_deleted",),
    "view_once": ("view_once", "reveal_duration"),
    "story": ("story_type", "is_story"),
    "parent_story": ("parent_story_id",),
    "scheduled": ("scheduled_date",),
    "contacts": ("shared_contacts",),
    "ranges": ("message_ranges", "ranges"),
}
RECIPIENT_COLUMNS: Mapping[str, Names] = {
    "id": ("_id",),
    "blocked": ("blocked",),
    "group": ("group_id",),
    "nickname": ("nickname_joined_name",),
    "system": ("system_joined_name", "system_display_name"),
    "profile": ("profile_joined_name",),
    "given": ("profile_given_name", "signal_profile_name"),
    "username": ("username",),
}
THREAD_COLUMNS: Mapping[str, Names] = {
    "id": ("_id",),
    "recipient": ("recipient_id", "thread_recipient_id", "recipient_ids"),
}
GROUP_COLUMNS: Mapping[str, Names] = {
    "group": ("group_id",),
    "recipient": ("recipient_id",),
    "title": ("title",),
}
LIST_COLUMNS: Mapping[str, Names] = {"recipient": ("recipient_id",), "name": ("name",)}
REACTION_COLUMNS: Mapping[str, Names] = {
    "message": ("message_id",),
    "author": ("author_id",),
    "emoji": ("emoji",),
    "is_mms": ("is_mms",),
}
MENTION_COLUMNS: Mapping[str, Names] = {
    "message": ("message_id",),
    "recipient": ("recipient_id",),
    "start": ("range_start",),
    "length": ("range_length",),
}
ATTACHMENT_COLUMNS: Mapping[str, Names] = {
    "id": ("_id",),
    "message": ("message_id", "mid"),
    "type": ("content_type", "ct"),
    "voice": ("voice_note",),
    "gif": ("video_gif",),
    "sticker": ("sticker_pack_id",),
    "quote": ("quote",),
}
PHONE_COLUMNS: Mapping[str, Names] = {"id": ("_id",), "phone": ("e164", "phone")}
"""Of recipients, for comparing numbers alone."""


def name_in(given: Collection[str], names: Names) -> str | None:
    """Return the newest of a column's names that is given, if any is."""
    return next((name for name in names if name in given), None)


def separator_in(header: str) -> str:
    """Return what parts the fields of a file, by its first line; a comma if nothing else does.

    Table programs write semicolons or tabs where the tools of Signal write commas.
    """
    return max(",;\t", key=header.count)  # of equals the first
