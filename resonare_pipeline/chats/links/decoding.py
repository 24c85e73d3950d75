"""The text of a page whose bytes may be in any encoding, whatever is said of it."""

import codecs
import re

SEARCHED_BYTES = 4_096  # that far `<meta charset>` is looked for; the standard says 1,024
GUESSED_BYTES = 20_000  # a guess from more is no better, and takes seconds
WESTERN = "cp1252"  # what browsers take for a page that does not say
FEWEST_SIGNS = 30  # beyond ASCII; from fewer a guess takes French for Czech
_LEAST_SHARE = 0.3  # of them in a text of other letters than Latin, however short
_ASCII = bytes(range(128))

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"<(?:meta[^>]{0,300}?charset|\?xml[^>]{0,100}?encoding)\s{0,9}=\s{0,9}[\"']?\s{0,9}"
    rb"([\w.:\-]{2,40})",
    re.IGNORECASE,
)
# What browsers read in place of what pages call it: WHATWG, Encoding Standard, "Names and labels".
_MEANT = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_USABLE = frozenset(
    {"utf-8", "utf-16-le", "utf-16-be", "euc_jp", "iso2022_jp", "koi8-r", "koi8-u", "cp866"}
    | {"mac-roman", "mac-cyrillic", "iso8859-16", *_MEANT.values()}
    | {f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15)}
    | {f"cp125{page}" for page in range(9)}
)
"""Python's names. All others are none of pages, such as `zip` or `unicode_escape`."""


def decode(body: bytes, header_charset: str = "") -> str:
    """Return a page's text; what cannot be decoded is replaced.

    A mark at its beginning counts first, as the HTML standard says, then what the header says, then
    what the page says of itself, then whether it is UTF-8; else it is guessed.

    Args:
        body: The page, which may be cut off anywhere.
        header_charset: `charset` of its `Content-Type`; empty if there is none.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    if encoding := _python_name(header_charset):
        return body.decode(encoding, "replace")
    if found := _DECLARED.search(body, 0, SEARCHED_BYTES):
        encoding = _python_name(found[1].decode("ascii", "replace"))
        if encoding.startswith("utf-16"):
            encoding = "utf-8"  # or its name could not have been read
        if encoding:
            return body.decode(encoding, "replace")
    encoding = "utf-8" if _fits(body, "utf-8") else _guessed(body[:GUESSED_BYTES])
    return body.decode(encoding, "replace")


def _python_name(label: str) -> str:
    """Return the encoding that a label of a page means; empty if there is none."""
    label = label.strip(" \t\"'").lower()
    label = {"utf-16": "utf-16-le", "x-sjis": "shift_jis", "unicode": "utf-8"}.get(label, label)
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return ""
    name = _MEANT.get(name, name)
    return name if name in _USABLE else ""


def _guessed(body: bytes) -> str:
    unusual = len(body.translate(None, _ASCII))
    if unusual < FEWEST_SIGNS and unusual < len(body) * _LEAST_SHARE:
        return WESTERN
    from bs4.dammit import EncodingDetector  # bs4 takes 60 ms, and few pages need it

    for guess in EncodingDetector(body, is_html=True).encodings:
        if (encoding := _python_name(guess)) and _fits(body, encoding):
            return encoding
    return WESTERN


def _fits(body: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(body)  # a cut character is no fault
    except UnicodeDecodeError:
        return False
    return True
