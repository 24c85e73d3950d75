"""Bytes of a document → its text, by what the document says of itself."""

import codecs
import re

_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""")
_META = re.compile(rb"""<meta[^>]*?charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(content: bytes) -> str:
    """Decode a document by its mark, its declaration, or as UTF-8; else as a browser would."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace").lstrip("\ufeff")
    head = content[:2048]
    if head[:2] == b"<\0" or head[:2] == b"\0<":
        return content.decode("utf-16-le" if head[1:2] == b"\0" else "utf-16-be", errors="replace")
    named = [
        found.group(1).decode() for found in (_ENCODING.search(head), _META.search(head)) if found
    ]
    for encoding in (*named, "utf-8"):
        if encoding.lower().startswith(("utf-16", "utf16", "utf-32", "ucs")):
            continue  # what can be read this far as single bytes is none of these
        try:
            return content.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    return content.decode("cp1252", errors="replace")
