"""Account names: `@name`, names after the word for a service, and addresses of the fediverse."""

import re
from collections.abc import Iterator

from resonare_pipeline.privacy.alternation import alternation
from resonare_pipeline.privacy.kinds import Kind, Span, item

_MENTION = re.compile(
    r"(?<![\w@/.+\-&=%])[@＠]"
    r"(?P<name>(?=[\w.]*[A-Za-z])[A-Za-z0-9_](?:[A-Za-z0-9_.]{0,62}[A-Za-z0-9_])?)"
    r"(?P<host>@[a-z0-9\-]{1,40}(?:\.[a-z0-9\-]{1,40}){1,3})?(?![\w/])",
    re.IGNORECASE | re.ASCII,
)
_TIME = re.compile(r"\d{1,2}(?:[ap]m|h\d{0,2}|uhr)?", re.IGNORECASE)
_SHORTEST = 3

_NOBODY_TEXT = """
all everyone here channel online admin admins home work school gym everybody team property
staticmethod classmethod override dataclass media import param params return returns todo test
deprecated autowired bean component see since throws throw author version font keyframes supports
charset include extends mixin click input output injectable pytest cached_property abstractmethod
nullable notnull service repository entity getmapping postmapping requestmapping suppresswarnings
functionalinterface if for while else end interface implementation
"""
_NOBODY = frozenset(_NOBODY_TEXT.split())
"""What `@` stands before without naming an account: groups of people, places, words of code."""

_SERVICES = alternation(
    "insta(?:gram)? ig snap(?:chat)? discord skype twitter telegram tg tiktok twitch steam psn "
    "xbox "
    "gamertag kik vk вк wechat weixin line qq viber github reddit bluesky threads venmo cash_?app "
    "user_name user nick(?:name)? login handle account benutzername nutzername usuario utilisateur "
    "pseudo identifiant utente usuário użytkownik логин ник инста(?:грам)? телеграм+ тг скайп "
    "дискорд "
    "юзернейм логін нік kullanıcı_adı kullanici_adi 微信号? 推特 用户名 账号 帐号 ユーザー名 "
    "インスタ "
    "アカウント 아이디 인스타 اسم_المستخدم يوزر انستا यूजरनेम"
)
_IS = alternation("is ist es est è é")
_SERVICE = re.compile(
    rf"(?<!\w){_SERVICES}(?:[ \u00a0]?(?:id|name|handle|tag))?[ \u00a0]{{0,2}}"
    rf"(?:[:=：是は]|[ \u00a0]{_IS})[ \u00a0]{{0,2}}"
    r"(?P<name>(?:live:)?(?=[A-Za-z0-9_.\-#]{0,63}[\d_.#])(?=[\d_.\-#]{0,63}[A-Za-z])"
    r"[A-Za-z0-9_][A-Za-z0-9_.\-#]{1,62}[A-Za-z0-9_])(?![\w@/])",
    re.IGNORECASE,
)


def find_handles(text: str) -> Iterator[Span]:
    """Yield the account names of a text, of which URLs and e-mail addresses are masked."""
    if "@" in text or "＠" in text:
        for match in _MENTION.finditer(text):
            name = match["name"]
            if _names_account(name) or match["host"]:
                yield item(match.start(), match.end(), Kind.HANDLE)
    for match in _SERVICE.finditer(text):
        yield item(match.start("name"), match.end("name"), Kind.HANDLE)


def _names_account(name: str) -> bool:
    if len(name) < _SHORTEST or _TIME.fullmatch(name):
        return False
    return name.lower() not in _NOBODY
