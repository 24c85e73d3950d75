"""Bytes of a document → its text, by what the document says of itself."""

import codecs
import re
from collections.abc import Mapping

_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""")
_META = re.compile(rb"""<meta[^>]*?charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


_USUAL: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("be", "bg", "mk", "ru", "sr", "uk"), ("cp1251",)),
    **dict.fromkeys(("bs", "cs", "hr", "hu", "pl", "ro", "sk", "sl", "sq"), ("cp1250",)),
    **dict.fromkeys(("et", "lt", "lv"), ("cp1257",)),
    **dict.fromkeys(("ar", "fa", "ur"), ("cp1256",)),
    "el": ("cp1253",),
    "he": ("cp1255",),
    "ja": ("euc_jp", "cp932"),  # in this order: the second reads the first without complaint
    "ko": ("cp949",),
    "th": ("cp874",),
    "tr": ("cp1254",),
    "vi": ("cp1258",),
    "zh": ("gb18030",),
    "zh-hk": ("big5hkscs", "gb18030"),
    "zh-tw": ("big5", "gb18030"),
}
"""Language → what its documents are in that declare nothing and are no UTF-8: the legacy encodings
that browsers fall back to by language (the WHATWG's Encoding and HTML standards)."""


def decode(content: bytes, language: str = "") -> str:
    """Decode a document by its mark, its declaration, as UTF-8, or as its language was written.

    Args:
        content: Its bytes.
        language: Of the book, as BCP 47 has it; empty if it is not known.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace").lstrip("\ufeff")
    head = content[:2048]
    if head[:2] == b"<\0" or head[:2] == b"\0<":
        return content.decode("utf-16-le" if head[1:2] == b"\0" else "utf-16-be", errors="replace")
    named = [
        found.group(1).decode() for found in (_ENCODING.search(head), _META.search(head)) if found
    ]
    tag = language.strip().lower().replace("_", "-")
    usual = _USUAL.get(tag) or _USUAL.get(tag.partition("-")[0], ())
    for encoding in (*named, "utf-8", *usual):
        if encoding.lower().startswith(("utf-16", "utf16", "utf-32", "ucs")):
            continue  # what can be read this far as single bytes is none of these
        try:
            return content.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    return content.decode("cp1252", errors="replace")
