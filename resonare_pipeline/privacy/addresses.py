"""E-mail and IP addresses."""

import ipaddress
import re
from collections.abc import Iterator

from resonare_pipeline.privacy.alternation import alternation
from resonare_pipeline.privacy.kinds import Kind, Span, item

_EMAIL = re.compile(
    r"(?<![\w.+%\-@])(?:mailto:)?(?!git@)(?P<address>[\w.+%\-]{1,64}[@＠]"
    r"(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9\-]{2,59}|[^\W\d_]{2,24}))(?![\w\-]*@)",
    re.IGNORECASE,
)
_AT = r"[ \u00a0]?[\[({<][ \u00a0]?(?:at|ät|arroba|собака|@)[ \u00a0]?[\])}>][ \u00a0]?"
_DOT_WORD = r"(?:dot|punkt|punto|point|ponto|точка)"
_DOT = (
    rf"(?:\.|[ \u00a0]?[\[({{<][ \u00a0]?(?:{_DOT_WORD}|\.)[ \u00a0]?[\])}}>][ \u00a0]?"
    rf"|[ ]{_DOT_WORD}[ ])"
)
_SPELT = re.compile(
    rf"(?<![\w.+%\-])[\w.+%\-]{{1,64}}(?:{_AT}[\w\-]{{1,63}}(?:{_DOT}[\w\-]{{2,63}}){{1,3}}"
    r"|[ ]at[ ][\w\-]{1,63}[ ]dot[ ](?:com|net|org|edu|io|[a-z]{2})(?!\w))",
    re.IGNORECASE,
)

_IPV4 = re.compile(
    r"(?<![\w.])(?<!\d[,:/\-])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}"
    r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?![\w\-]|\.\d)",
    re.ASCII,
)
_VERSIONS = alternation(
    r"\bv(?:er(?:s(?:ion|ión|ão|ione)?)?)? \bversions?nummer \bbuild \brelease \bfirmware "
    r"\bsection "
    r"\bkapitel \bchapter \bверси[яию] \bверсії? \bwersj[aię] \bsürüm \bالإصدار 版本号? "
    r"バージョン 버전"
)
_VERSION_BEFORE = re.compile(rf"{_VERSIONS}[ \u00a0:.=#]{{0,3}}$", re.IGNORECASE)
_LOOK_BACK = 16  # characters that the longest of these words, with signs, takes
_SINGLE_DIGITS = re.compile(r"\d\.\d\.\d\.\d")
_IPV6 = re.compile(
    r"(?<![\w:.])(?=[0-9a-f:]*:[0-9a-f:]*:)[0-9a-f:]{3,39}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])",
    re.IGNORECASE,
)
_FEWEST_GROUPS = 3  # of an address with `::`


def find_emails(text: str) -> Iterator[Span]:
    """Yield the e-mail addresses of a text, also those with (at) and (dot)."""
    if "@" in text or "＠" in text:
        for match in _EMAIL.finditer(text):
            yield item(match.start("address"), match.end(), Kind.EMAIL)
    for match in _SPELT.finditer(text):
        yield item(match.start(), match.end(), Kind.EMAIL)


def find_ips(text: str) -> Iterator[Span]:
    """Yield the IP addresses of a text, but for the machine's own, netmasks and version numbers."""
    if "." in text:
        for match in _IPV4.finditer(text):
            if not _is_version(match, text) and not _says_nothing(match[0]):
                yield item(match.start(), match.end(), Kind.IP)
    if text.count(":") > 1:
        for match in _IPV6.finditer(text):
            if _is_ipv6(match[0]):
                yield item(match.start(), match.end(), Kind.IP)


def _is_version(match: re.Match[str], text: str) -> bool:
    start = match.start()
    if _SINGLE_DIGITS.fullmatch(match[0]):
        return True  # 1.2.3.4 is a version or a section much more often
    return bool(_VERSION_BEFORE.search(text, max(0, start - _LOOK_BACK), start))


def _says_nothing(address: str) -> bool:
    return address.startswith(("127.", "0.", "255."))


def _is_ipv6(text: str) -> bool:
    groups = [group for group in text.split(":") if group]
    if len(groups) < _FEWEST_GROUPS or all(len(group) <= 2 for group in groups):
        return False  # fewer groups stand in code, short ones in times
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
