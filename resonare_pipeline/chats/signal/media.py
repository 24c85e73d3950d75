"""Kinds of attachments, in the words that Telegram has for them."""

_KINDS = (
    "photo",
    "video_file",
    "animation",
    "voice_message",
    "audio_file",
    "sticker",
    "file",
)
_OF_TYPE = {"image": "photo", "video": "video_file", "audio": "audio_file"}
_LONG_TEXT = "text/x-signal-plain"  # what of a long message does not fit into its row
CONTACT = "contact"


def media_code(content_type: str, *, voice: bool, gif: bool, sticker: bool) -> int | None:
    """Return the number of an attachment's kind; None for what is no medium."""
    if content_type == _LONG_TEXT:
        return None
    if sticker:
        return _KINDS.index("sticker")
    if voice:
        return _KINDS.index("voice_message")
    if gif or content_type == "image/gif":
        return _KINDS.index("animation")
    return _KINDS.index(_OF_TYPE.get(content_type.partition("/")[0], "file"))


def media_kind(code: int) -> str:
    """Return the kind that a number stands for."""
    return _KINDS[code]
