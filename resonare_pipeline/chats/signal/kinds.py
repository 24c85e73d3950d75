"""What a row of Signal's table of messages is, by the bits of its `type`.

The lowest five bits are the base type; others say that the row is a notice of the app. Numbers are
those of `msgtypes.h` in bepaald/signalbackup-tools, and of Signal's own `MessageTypes`.
"""

from resonare_pipeline.chats.reading.reasons import Reason

BASE = 0x1F
_INBOX = 20
_OUTBOX, _SENDING, SENT_BASE = 21, 22, 23
_NOT_SENT = frozenset({24, 25, 26})  # failed; waiting for leave to go as a plain text message
_DRAFT = 27
_UNSUPPORTED = frozenset({5, 6})
_MESSAGES = frozenset({_INBOX, _OUTBOX, _SENDING, SENT_BASE})
_OUTGOING = frozenset({_OUTBOX, _SENDING, SENT_BASE, *_NOT_SENT, _DRAFT})

_GROUP_UPDATE, _GROUP_QUIT, _TIMER, _END_SESSION = 0x10000, 0x20000, 0x40000, 0x400000
_KEY_EXCHANGE = 0xFF00
_NOT_DECRYPTED = 0x10000000 | 0x08000000 | 0x04000000 | 0x02000000
_NOTICE = _GROUP_UPDATE | _GROUP_QUIT | _TIMER | _END_SESSION | _KEY_EXCHANGE | _NOT_DECRYPTED
_SPECIAL = 0xF00000000  # gift badges, payments, spam reports, polls that ended, pins
_STORY_REACTION = 0x100000000


def is_outgoing(kind: int) -> bool:
    """Tell whether the owner wrote the message."""
    return kind & BASE in _OUTGOING


def reason_to_drop(kind: int) -> Reason | None:
    """Return why a row of this type is no message; None if it is one."""
    base = kind & BASE
    if base in _MESSAGES:
        if not kind & (_NOTICE | _SPECIAL):
            return None
        return Reason.STORY if kind & _SPECIAL == _STORY_REACTION else Reason.SERVICE
    if base in _NOT_SENT:
        return Reason.NOT_SENT
    if base == _DRAFT:
        return Reason.DRAFT
    return Reason.UNSUPPORTED if base in _UNSUPPORTED else Reason.SERVICE
