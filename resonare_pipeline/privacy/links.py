"""URLs that open something, and profiles on social sites.

A URL counts as a whole where it carries credentials, a secret in its query, or invites to a private
place. Of the URL of a profile only what names the account counts, and what follows it. All other
URLs are `plain`: nothing in them is a phone number or a key, since their paths are full of ids.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from resonare_pipeline.privacy.kinds import Kind, Span, item

_URL = re.compile(
    r"(?:(?<![\w@])(?:[a-z][a-z0-9+.\-]{1,15}://|www\.)|(?<![\w@./-])(?=[a-z0-9.\-]{4,40}/)"
    r"(?:[a-z0-9\-]{1,30}\.){1,3}[a-z]{2,10}/)[^\s<>\"“”„«»\[\]{}|\\^`\ufffc]+",
    re.IGNORECASE,
)
_TAIL = ".,;:!?'’)…*_~。，、！？；：）】」』"

_CREDENTIALS = re.compile(r"[a-z][a-z0-9+.\-]*://[^/?#@]+@", re.IGNORECASE)
_SECRET_QUERY = re.compile(
    r"[?&#;](?:[\w.\-]{0,40}[_.\-])?(?:token|access_?token|api_?key|apikey|key|auth|authorization"
    r"|passw(?:or)?d|passwd|pwd|pass|secret|client_secret|sig|signature|session(?:_?id)?|sid|jwt"
    r"|otp|code|hash|invite|credential|x-amz-signature|x-amz-credential|oauth_verifier)"
    r"=(?=[^&#]{4})",
    re.IGNORECASE,
)
_INVITATION = re.compile(
    r"(?:https?://|www\.|tg://)?(?:(?:t|telegram)\.(?:me|dog)/(?:joinchat/|c/|\+(?!\d+$))[\w\-]"
    r"|(?:join\?invite=)|(?:user|openmessage)\?(?:user_)?id="
    r"|chat\.whatsapp\.com/\w|discord(?:\.gg|(?:app)?\.com/invite)/\w|signal\.group/#"
    r"|(?:[\w\-]+\.)?zoom\.us/[jsw]/\d|meet\.google\.com/[a-z]{3}-|line\.me/(?:R/)?ti/"
    r"|(?:join\.slack\.com)/t/|invite\.viber\.com/)",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?:https?://)?(?:wa\.me/|(?:t|telegram)\.me/|(?:api|web)\.whatsapp\.com/send/?\?(?:.*&)?phone=)"
    r"\+?(?:%2B)?(?P<number>\d{7,15})(?!\d)",
    re.IGNORECASE,
)
_NAME = r"[\w.\-]{2,64}"
_PROFILE = re.compile(
    r"(?:https?://|tg://)?(?:www\.|m\.|mobile\.|web\.)?(?:"
    r"(?:t|telegram)\.(?:me|dog)/(?:s/)?(?!(?:c|share|joinchat|addstickers|addemoji|proxy|socks"
    r"|iv|bg|setlanguage|addtheme|login|confirmphone|invoice|boost|s|m)(?:[/?]|$))@?"
    r"|instagram\.com/(?:stories/)?(?!(?:p|reel|reels|tv|explore|accounts|about|stories"
    r"|developer)(?:[/?]|$))@?"
    r"|(?:twitter|x)\.com/(?!(?:i|home|search|hashtag|explore|settings|share|intent|login)"
    r"(?:[/?]|$))@?"
    r"|(?:facebook|fb)\.com/(?:people/|profile\.php\?id=)?(?!(?:watch|groups|events|sharer|share"
    r"|marketplace|gaming|login|help|photo|photos|story\.php|reel|permalink\.php|hashtag)"
    r"(?:[/?.]|$))"
    r"|(?:vk\.com|ok\.ru/profile|ok\.ru)/(?!(?:wall|video|photo|feed|im|away|music|app)(?:[\d/?-]|$))"
    r"|(?:tiktok\.com|threads\.net|threads\.com|youtube\.com|medium\.com|mastodon\.social)/@"
    r"|(?:[a-z]{2}\.)?linkedin\.com/in/|snapchat\.com/add/|bsky\.app/profile/|twitch\.tv/"
    r"|(?:old\.)?reddit\.com/u(?:ser)?/|steamcommunity\.com/(?:id|profiles)/|paypal\.me/|venmo\.com/"
    r"|(?:music\.)?youtube\.com/(?:c|user|channel)/|open\.spotify\.com/user/|(?:line|kik)\.me/"
    r"|(?:github|gitlab|bitbucket)\.(?:com|org)/(?!(?:features|topics|trending|explore|settings"
    r"|login|about|pricing|search|marketplace|sponsors|orgs)(?:[/?]|$))(?=[\w.\-]+/?$))"
    rf"(?P<name>{_NAME})",
    re.IGNORECASE,
)


class Links(NamedTuple):
    """What the URLs of a text hold.

    Attributes:
        found: URLs, handles and phone numbers to be replaced.
        plain: First and last character (one behind it) of all other URLs.
    """

    found: list[Span]
    plain: list[tuple[int, int]]


def find_links(text: str) -> Links:
    """Look at every URL of a text."""
    links = Links([], [])
    if "/" not in text and "www." not in text:
        return links
    for start, end in _urls(text):
        if span := _judged(text, start, end):
            links.found.append(span)
            if span.start > start:
                links.plain.append((start, span.start))
        else:
            links.plain.append((start, end))
    return links


def _urls(text: str) -> Iterator[tuple[int, int]]:
    for match in _URL.finditer(text):
        url = match[0].rstrip(_TAIL)
        yield match.start(), match.start() + len(url)


def _judged(text: str, start: int, end: int) -> Span | None:
    """Return what of a URL is to be replaced."""
    url = text[start:end]
    if match := _NUMBER.match(url):
        return item(start + match.start("number"), end, Kind.PHONE)
    if _CREDENTIALS.match(url) or _SECRET_QUERY.search(url) or _INVITATION.match(url):
        return item(start, end, Kind.URL)
    if match := _PROFILE.match(url):
        return item(start + match.start("name"), end, Kind.HANDLE)
    return None
