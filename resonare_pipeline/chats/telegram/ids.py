"""Ids of chats and senders, made from what exports of different ages say.

Users, groups and channels share numbers in Telegram, so every id carries what it belongs to.
"""

from resonare_pipeline.fingerprint import short_hash

USER_KINDS = frozenset(
    {"personal_chat", "bot_chat", "saved_messages", "replies", "verification_codes"}
)
GROUP_KINDS = frozenset({"private_group"})
CHANNEL_KINDS = frozenset(
    {"private_supergroup", "public_supergroup", "private_channel", "public_channel"}
)
KINDS = USER_KINDS | GROUP_KINDS | CHANNEL_KINDS
"""All that Telegram Desktop knows; it writes null for a chat of another kind."""

# Exports of about 2020 and before write `from_id` as a number whose bits above 32 tell the peer's
# type: 1 a user, 2 a group or channel (tdesktop, export_data_types.cpp of that time).
OLD_ID_BITS = 32
OLD_USER, OLD_GROUP = 1, 2
LARGEST = 2**63 - 1


def whole_number(value: object) -> int | None:
    """Return a number that fits 64 bits from an integer, or from a string or float that is one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not (value.isascii() and value.removeprefix("-").isdigit() and len(value) < 20):
            return None
        number = int(value)
        if str(number) != value:
            return None
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, int):
        number = value
    else:
        return None
    return number if -LARGEST <= number <= LARGEST else None


def peer_of_old_number(number: int) -> str:
    """Return `user<id>` or `chat<id>` for a sender given as a plain number."""
    bits = number >> OLD_ID_BITS
    bare = number & ((1 << OLD_ID_BITS) - 1)
    if bits == OLD_GROUP:
        return f"chat{bare}"
    return f"user{bare if bits == OLD_USER else number}"


def sender_id(from_id: object, name: str | None) -> str | None:
    """Return a sender's id; by the name where the export has no id, None without either."""
    number = whole_number(from_id)
    if number is not None:
        return f"telegram:{peer_of_old_number(number)}"
    if isinstance(from_id, str) and from_id:
        return f"telegram:{from_id}"
    return f"telegram:name:{short_hash(name)}" if name else None


def chat_id(
    *, number: object, kind: str | None, name: str | None, old_numbers: bool, first: object
) -> str:
    """Return a chat's id.

    Args:
        number: What the export says as `id`.
        kind: What it says as `type`.
        name: The chat's name.
        old_numbers: Whether its senders are plain numbers, so that its own may be one, too.
        first: The chat's first message, for a chat that has neither number nor name.
    """
    whole = whole_number(number)
    if whole is None:
        return f"telegram:name:{short_hash(name if name else ['', first])}"
    if old_numbers and whole >> OLD_ID_BITS in (OLD_USER, OLD_GROUP):
        whole &= (1 << OLD_ID_BITS) - 1
    if kind in USER_KINDS:
        return f"telegram:user{whole}"
    return f"telegram:{'channel' if kind in CHANNEL_KINDS else 'chat'}{whole}"
