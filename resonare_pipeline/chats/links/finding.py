"""Links of a message, and the one form of each address.

Nothing is asked for here. What a message links to is told by the app's own marks first; the rest
of its text is searched. Code and addresses of mail are no links.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from resonare_pipeline.post_links import POST

LONGEST_URL = 4_000  # characters; servers refuse longer ones, and people do not write them
DEFAULT_PORTS = {"http": 80, "https": 443}
LARGEST_PORT = 65_535
LONGEST_HOST = 253  # characters, RFC 1035

# Chinese and Japanese are written without spaces, so their letters may stand right before an
# address, and their signs end it.
_BARE = re.compile(
    r"(?<![a-z0-9_@])(?:https?://|www\.)[^\s<>\"“”„«»{}|\\^`\ufffc。，、！？；：（）【】「」『』《》]+",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
_TAIL = ".,;:!?'’…*_~"
_PAIRS = {")": "(", "]": "["}
_LINK, _TEXT_LINK = "link", "text_link"
_MASKED = frozenset({"code", "pre", "email", "phone", "bank_card"})
_UNUSABLE = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_HOST = re.compile(r"(?!-)[a-z0-9_\-]{1,63}(?:\.[a-z0-9_\-]{1,63})*")
_NUMERIC = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)")
_SAFE = "!#$%&'()*+,/:;=?@[]~"  # what stays in paths and queries, percent signs included


def links_of(text: str, entities: Iterable[Mapping[str, Any]] | None) -> list[str]:
    """Return the http(s) addresses of a message in their order, each once.

    Args:
        text: The message's text.
        entities: Its marks, as `rows.ENTITY` has them; None for none.
    """
    marks = list(entities or ())
    if not marks and "://" not in text and "www." not in text.lower():
        return []
    found = sorted([*_marked(text, marks), *_unmarked(text, marks)], key=itemgetter(0))
    links: dict[str, str] = {}
    for _, url in found:
        links.setdefault(canonical(url) or url, url)
    return list(links.values())


def _marked(text: str, marks: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    taken_to = 0  # links that overlap are none of an app, and would be as much text as one likes
    for start, end, mark in sorted(_spans(text, marks), key=itemgetter(0)):
        if mark["type"] == _LINK:
            if start < taken_to or end - start > LONGEST_URL:
                continue
            taken_to = end
            url = text[start:end].strip()
        elif mark["type"] == _TEXT_LINK:
            url = (mark["value"] or "").strip()
        else:
            continue
        if url := _with_scheme(url):
            yield start, url


def _spans(
    text: str, marks: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """Yield marks with the part of the text that is theirs: its start, and its end."""
    for mark in marks:
        start = max(0, mark["offset"] or 0)
        yield start, min(len(text), start + max(0, mark["length"] or 0)), mark


def _with_scheme(url: str) -> str:
    """Return an http(s) address; apps mark `example.com` as a link too. Empty for all else."""
    if url.lower().startswith(("http://", "https://")):
        return url
    host = url.partition("/")[0]
    if not url or (_SCHEME.match(url) and not host.rpartition(":")[2].isdecimal()):
        return ""  # tg:, mailto:, tel:; but not example.com:8080
    return f"http://{url}"


def _unmarked(text: str, marks: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """Yield addresses that no mark of the app covers."""
    for match in _BARE.finditer(_masked(text, marks)):
        url = _with_scheme(_without_tail(match[0]))
        if url and len(url) <= LONGEST_URL:
            yield match.start(), url


def _masked(text: str, marks: Iterable[Mapping[str, Any]]) -> str:
    """Return a text with spaces for its links and for what holds none."""
    parts: list[str] = []
    done = 0  # each place is masked once, however many marks lie over it
    for start, end, mark in sorted(_spans(text, marks), key=itemgetter(0)):
        if end > max(start, done) and (mark["type"] == _LINK or mark["type"] in _MASKED):
            parts += [text[done:start], " " * (end - max(start, done))]
            done = end
    return "".join([*parts, text[done:]])


def _without_tail(url: str) -> str:
    """Return an address without the signs that end the sentence around it."""
    unpaired = {last: url.count(last) - url.count(first) for last, first in _PAIRS.items()}
    end = len(url)
    while end:
        last = url[end - 1]
        if unpaired.get(last, 0) > 0:
            unpaired[last] -= 1
        elif last not in _TAIL:
            break
        end -= 1
    return url[:end]


def post_of(url: str) -> str | None:
    """Return the one address of a post on X or Twitter; None for all other addresses."""
    match = POST.match(url.replace("/i/web/status", "/i/status", 1))
    return f"https://x.com/{match['user'].lower()}/status/{match['id']}" if match else None


def canonical(url: str) -> str | None:
    """Return the one form of an address, in ASCII; None if it must not or cannot be asked for.

    Scheme and host are in lower case, international names as IDNA; default port and fragment are
    dropped. Refused are other schemes, names or passwords before the host, and numbers that stand
    for an address without being written as one (`http://2130706433/`).
    """
    url = url.strip()
    if len(url) > LONGEST_URL or _UNUSABLE.search(url):
        return None
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), _host(parts), parts.port
    except ValueError:
        return None
    if scheme not in DEFAULT_PORTS or not host or "@" in parts.netloc or port == 0:
        return None
    place = host if port in (None, DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    path = quote(parts.path, safe=_SAFE) or "/"
    query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    return f"{scheme}://{place}{path}{query}"


def _host(parts: SplitResult) -> str:
    """Return a host in its one form, an IPv6 address in brackets; empty if it is none.

    Raises:
        ValueError: For what is no name and no address.
    """
    name = (parts.hostname or "").rstrip(".")
    if "[" in parts.netloc:
        return f"[{ipaddress.IPv6Address(name).compressed}]" if "%" not in name else ""
    if not name.isascii():
        import idna  # its tables take 10 ms, and few names need them

        name = idna.encode(name, uts46=True, transitional=False).decode("ascii")
    if len(name) > LONGEST_HOST or not _HOST.fullmatch(name):
        return ""
    if _NUMERIC.fullmatch(name):
        return str(ipaddress.IPv4Address(name))
    return name
