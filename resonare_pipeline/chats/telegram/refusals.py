"""The errors for files that are no Telegram export in JSON, each with what to do about it."""

from resonare_pipeline.chats.telegram.window import Window
from resonare_pipeline.errors import InputError

LISTED_KEYS = 10
SHAPES = (
    "a Telegram Desktop export: a chat with `messages`, an account with `chats`, or a list of chats"
)
EXPORT_AS_JSON = (
    "In Telegram Desktop choose Export chat history (or Settings > Advanced > Export Telegram "
    "data) and the format 'Machine-readable JSON'"
)


def empty(window: Window) -> InputError:
    """Return the error for a file without content."""
    return InputError(
        "the file is empty", where=window.file.name, expected=SHAPES, remedy=EXPORT_AS_JSON
    )


def no_export(window: Window) -> InputError:
    """Return the error for a file that begins neither with an object nor with an array."""
    start = window.data[window.at : window.at + 4096].lower()
    if start.startswith(b"<"):
        html = start.startswith(b"<!doctype html") or b"<html" in start
        found = "this is an HTML export" if html else "this is XML or HTML"
    elif start[:1] in b'"-0123456789' or start.startswith((b"true", b"false", b"null")):
        found = "this is a single JSON value"
    else:
        found = "this is not JSON"
    return InputError(found, where=window.where(), expected=SHAPES, remedy=EXPORT_AS_JSON)


def other_json(window: Window, keys: list[str]) -> InputError:
    """Return the error for JSON in which no messages were found."""
    named = ", ".join(repr(key) for key in dict.fromkeys(keys[:LISTED_KEYS])) or "none"
    return InputError(
        f"this JSON has no chat with `messages`; keys found: {named}",
        where=window.file.name,
        expected=SHAPES,
        remedy=EXPORT_AS_JSON,
    )


def messages_not_a_list(window: Window) -> InputError:
    """Return the error for a chat whose messages are something else."""
    return InputError(
        "`messages` is not a list", where=window.where(), expected=SHAPES, remedy=EXPORT_AS_JSON
    )


def second_document(window: Window) -> InputError:
    """Return the error for two exports in one file."""
    return InputError(
        "a second JSON document begins here",
        where=window.where(),
        expected="one export in a file",
        remedy="Split the file there, and put both parts into one folder as two .json files",
    )
