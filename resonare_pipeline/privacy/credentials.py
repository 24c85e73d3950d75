"""Secrets: keys of known services, private keys, what follows the word password, random tokens."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from resonare_pipeline.privacy.alternation import alternation
from resonare_pipeline.privacy.kinds import Kind, Span, item

_KEYS = re.compile(  # in the forms that the services publish
    r"(?<![A-Za-z0-9])(?:"
    r"sk-(?:proj-|ant-(?:api|admin)?\d*-?|or-v1-|svcacct-)?[A-Za-z0-9_\-]{16,220}"  # of models
    r"|(?:sk|pk|rk|whsec)_(?:live|test)?_?[A-Za-z0-9]{16,250}"  # Stripe
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}"
    r"|gl(?:pat|dt|rt|ptt|cbt|ft|soat)-[A-Za-z0-9_\-.]{18,70}"
    r"|(?:AKIA|ASIA|AGPA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])"
    r"|AIza[A-Za-z0-9_\-]{35}|ya29\.[A-Za-z0-9_\-]{20,500}|GOCSPX-[A-Za-z0-9_\-]{20,40}"
    r"|xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9\-]{10,250}|xapp-\d-[A-Za-z0-9\-]{10,250}"
    r"|SG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{16,64}|key-[0-9a-f]{32}"
    r"|hf_[A-Za-z0-9]{20,60}|npm_[A-Za-z0-9]{30,40}|pypi-[A-Za-z0-9_\-]{40,250}"
    r"|do[opr]_v1_[a-f0-9]{64}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|sq0[a-z]{3}-[A-Za-z0-9_\-]{22,43}"
    r"|EAA[A-Za-z0-9]{40,250}|gsk_[A-Za-z0-9]{40,60}|lin_api_[A-Za-z0-9]{30,50}|PMAK-[a-f0-9\-]{50,70}"
    r"|dckr_pat_[A-Za-z0-9_\-]{20,40}|nvapi-[A-Za-z0-9_\-]{40,80}"
    r"|AGE-SECRET-KEY-1[A-Z0-9]{50,60}"
    r"|\d{8,10}:AA[A-Za-z0-9_\-]{32,33}"  # bots of Telegram
    r"|eyJ[A-Za-z0-9_\-]{8,2000}\.eyJ[A-Za-z0-9_\-]{8,8000}"
    r"(?:\.[A-Za-z0-9_\-]{0,2000})?"  # RFC 7519
    r")(?![A-Za-z0-9])"
)
_PEM_HEAD = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_FOOT = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")

_INTRODUCTIONS = alternation(
    # English
    "pass(?:word|code|phrase|wd)?s? pwd p/?w pws pswd (?:wi-?fi|wlan|login|user|root|admin|sudo)"
    "_(?:pass(?:word)?|pw|kennwort|passwort) pin(?:_code)? otp 2fa(?:_code)? cvv2? cvc2? "
    "api_keys? secret(?:_access)?(?:_key)? (?:access|auth|bearer|refresh|api|bot)_tokens? token "
    "client_secret private_key encryption_key licen[sc]e_key recovery_(?:code|key) backup_code "
    "security_code bearer verification_code auth(?:entication)?_code "
    # German, French, Spanish, Portuguese, Italian
    "passw(?:ort|örter) kennw(?:ort|örter) api_schlüssel mots?_de_passe mdp contraseñas? "
    "contrasena "
    "clave senha palavra_passe parola(?:_d'ordine)? codice_segreto "
    # Dutch, Nordic, Finnish, Baltic
    "wachtwoord lösenord(?:et)? adgangskoden? passord(?:et)? salasana parool slaptažodis parole "
    # Polish, Czech, Hungarian, Croatian, Slovene, Romanian
    "hasło haslo heslo jelszó jelszo lozinka geslo parolă "
    # Turkish, Indonesian, Vietnamese
    "şifre(?:m|si|miz)? sifre(?:m|si)? kata_sandi sandi mật_khẩu mat_khau "
    # Cyrillic, Greek
    "парол[ьяею] пин(?:_код)? пін(?:_код)? лозинка парола құпиясөз api_ключ ключ_api токен "
    "секрет(?:ный_ключ)? "
    "κωδικός συνθηματικό "
    # Hebrew, Arabic, Persian
    "סיסמ[הא] הסיסמה كلمة_(?:ال)?(?:سر|مرور) كلمه_(?:ال)?(?:سر|مرور) (?:ال)?باسورد الرقم_السري "
    "رمز_عبور گذرواژه پسورد "
    # Hindi, Bengali
    "पासवर्ड পাসওয়ার্ড"
)
_INTRODUCTIONS_UNSPACED = alternation(
    "รหัสผ่าน พาสเวิร์ด 密码 密碼 口令 パスワード 暗証番号 비밀번호 비번 암호"
)
_SHORT_NUMBER = re.compile(
    alternation("pin(?:_code)? otp cvv2? cvc2? пин(?:_код)? пін(?:_код)? 暗証番号"), re.IGNORECASE
)
_DIGITS = re.compile(r"\d{3,12}")  # of what these words introduce
_IS = alternation(
    "is was are ist war lautet es est è é to jest je er är on это был це bu هي هو है là adalah"
)
_IS_UNSPACED = alternation("是 为 為 は が 는 은 이 คือ")
_OPENING = r"[\"'“”„«»‘’`(\[<*_「『]{0,3}"
_SURE = rf"(?:[ \u00a0]{_IS})?[ \u00a0]{{0,3}}(?:[:=：＝]|=>|->|→){{1,2}}\s{{0,3}}"
_LIKELY = rf"(?:[ \u00a0]{_IS}|{_IS_UNSPACED}|:)?[ \u00a0]{{0,2}}[\-–—]?[ \u00a0]{{0,2}}"
_WORDS = r"(?P<words>(?:[ \u00a0][^\s\d:=]{1,24}){0,3}?)"  # "of our wifi"
_INTRODUCED = re.compile(
    rf"(?P<word>(?<![^\W_]){_INTRODUCTIONS}(?![A-Za-z])|{_INTRODUCTIONS_UNSPACED}[^\s\d:=：]{{0,12}}?){_WORDS}"
    rf"(?:(?P<sure>{_SURE})|{_LIKELY}(?=\S{{0,64}}\d|(?-i:[A-Za-z]{{0,64}}[a-z][A-Z]))){_OPENING}"
    r"(?P<value>[^\s\"“”„«»`<>「」『』\ufffc]{3,256})",
    re.IGNORECASE,
)
SHORTEST_PASSWORD = 3
SHORTEST_LIKELY = 5  # where words stand between
_CLOSING = ".,;!?)]}>*_'’‘。，、！？；）…"

_TOKEN = re.compile(r"(?<![\w.+/\-=@#])[A-Za-z0-9_\-+/]{20,512}={0,2}(?![\w@+/=])", re.ASCII)
_FEWEST_SIGNS = 20
LEAST_BITS = 3.6  # Shannon entropy of one sign; words of any language stay below
LEAST_CHANGES = 0.3  # of class between neighbours; identifiers and file names change less often
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F\-_]+")
_SYLLABLES = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{4,}|\d{5,}")
MOST_SYLLABLES = 0.7  # share of a token that may read like words, as in identifiers


def find_secrets(text: str) -> Iterator[Span]:
    """Yield the secrets of a text whose URLs are masked, the surest first."""
    if "-----BEGIN" in text:
        yield from _private_keys(text)
    for match in _KEYS.finditer(text):
        yield item(match.start(), match.end(), Kind.SECRET)
    yield from _introduced(text)
    for match in _TOKEN.finditer(text):
        if is_random(match[0]):
            yield item(match.start(), match.end(), Kind.SECRET)


def _introduced(text: str) -> Iterator[Span]:
    """Yield what stands behind a word for passwords, keys or short numbers."""
    for match in _INTRODUCED.finditer(text):
        value = _trimmed(match["value"])
        if _SHORT_NUMBER.fullmatch(match["word"]):
            found = _is_short_number(value, sure=match["sure"] is not None)
        elif match["sure"] is None:
            found = _is_likely(value, after_words=bool(match["words"]))
        else:
            follows = text[match.end() : match.end() + 1] not in ("", "\n")
            found = _is_sure(value, follows=follows)
        if found:
            start = match.start("value")
            yield item(start, start + len(value), Kind.SECRET)


def _private_keys(text: str) -> Iterator[Span]:
    """Yield PEM blocks (RFC 7468) of private keys; what is cut off goes to the end."""
    head = _PEM_HEAD.search(text)
    while head:
        foot = _PEM_FOOT.search(text, head.end())
        end = foot.end() if foot else len(text)
        yield item(head.start(), end, Kind.SECRET)
        head = _PEM_HEAD.search(text, end)


def _trimmed(value: str) -> str:
    """Return a value without the signs of the sentence around it; a lone ! may be its own."""
    trimmed = value.rstrip(".,;?)]}>*_'’‘。，、？；）…")
    return trimmed if any(map(str.isdigit, trimmed)) else trimmed.rstrip(_CLOSING)


def _is_short_number(value: str, *, sure: bool) -> bool:
    """Tell whether what stands behind the word PIN is one, and no place on a map."""
    if _DIGITS.fullmatch(value):
        return True
    return sure and any(map(str.isdecimal, value)) and any(map(str.isalpha, value))


def _is_sure(value: str, *, follows: bool) -> bool:
    """Tell whether what stands behind a colon is a password.

    It is, but for a word that a sentence goes on behind: "password: please change it".
    """
    if len(value) < SHORTEST_PASSWORD or not any(map(str.isalnum, value)):
        return False
    if value.startswith("[") or "://" in value:
        return False
    plain = value.isalpha() and (value.islower() or value.istitle())
    return not (plain and follows)


def _is_likely(value: str, *, after_words: bool) -> bool:
    """Tell whether what stands behind "password" or "password is" is one: mostly it is "wrong".

    It must hold a digit, or capitals within; after more
    words ("of our wifi"), digits and others.
    """
    digits = sum(map(str.isdecimal, value))
    if after_words:
        return 0 < digits < len(value) and len(value) >= SHORTEST_LIKELY
    inner = value[1:] if value.isalpha() else ""
    mixed = inner != inner.lower() and inner != inner.upper()
    return len(value) >= SHORTEST_PASSWORD and (digits > 0 or mixed)


def is_random(token: str) -> bool:
    """Tell whether a token looks drawn at random: letters of both cases and digits, well mixed.

    Hashes and UUIDs are no secrets; they have digits and letters up to f only.
    """
    bare = token.rstrip("=")
    if len(bare) < _FEWEST_SIGNS or _HEX.fullmatch(bare):
        return False
    classes = [_class_of(sign) for sign in bare]
    counts = Counter(classes)
    if not (counts["digit"] and counts["upper"] and counts["lower"]):
        return False
    words = sum(len(match[0]) for match in _SYLLABLES.finditer(bare))
    if words > MOST_SYLLABLES * len(bare):
        return False
    changes = sum(one != other for one, other in pairwise(classes))
    return changes / len(bare) >= LEAST_CHANGES and bits_per_sign(bare) >= LEAST_BITS


def _class_of(sign: str) -> str:
    if sign.isdigit():
        return "digit"
    if sign.isalpha():
        return "upper" if sign.isupper() else "lower"
    return "sign"


def bits_per_sign(text: str) -> float:
    """Return the Shannon entropy of a text's signs, in bits."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
