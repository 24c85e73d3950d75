r"""Mending of JSON that Telegram Desktop is known to write wrongly.

Control characters appear as `\xNN`, emoji ids of early custom emoji stand without quotes, and a
surrogate may stand alone. Bytes in, bytes out; whether a repair is needed is the caller's to find
out, by trying to decode first.
"""

import re

_HIGH = rb"u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = rb"u[dD][c-fC-F][0-9a-fA-F]{2}"
# Every escape is consumed as a whole, so the second half of an escaped backslash starts nothing.
_ESCAPE = re.compile(
    rb"\\(?:x(?P<byte>[0-9a-fA-F]{2})"
    rb"|(?P<pair>" + _HIGH + rb"\\" + _LOW + rb")"
    rb"|(?P<lone>" + _HIGH + rb"|" + _LOW + rb")"
    rb"|.)",
    re.DOTALL,
)
_SIGNS = (rb"\x", rb"\ud", rb"\uD")
# To the end of the line or object: the value may be a path, or a note such as "(File not
# included. Change …)", with commas and blanks in it.
_BARE_ID = re.compile(
    rb'("document_id"[ \t]*:[ \t]*)(?!["{\[\s]|null\b|-?\d+\s*[,}\r\n])'
    rb'([^\r\n}"]*?)([ \t]*,?[ \t]*)(?=[\r\n}])'
)


def _mended(found: re.Match[bytes]) -> bytes:
    if found["byte"] is not None:
        return rb"\u00" + found["byte"]
    return rb"\ufffd" if found["lone"] is not None else found[0]


def repaired(text: bytes) -> bytes:
    """Return JSON text with known faults mended; a lone surrogate becomes U+FFFD."""
    if any(sign in text for sign in _SIGNS):
        text = _ESCAPE.sub(_mended, text)
    if b'"document_id"' in text:
        text = _BARE_ID.sub(rb'\1"\2"\3', text)
    return text
