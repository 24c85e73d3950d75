"""The row types that stages hand one another: table schemas and conversation rows.

Only shapes live here: no reading, no writing, no rules. Times are UTC with microseconds. Ids never
depend on a position in a file.
"""

import msgspec
import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")

ENTITY = pa.struct(
    [
        ("type", pa.string()),  # Telegram's entity names: bold, link, mention, code, …
        ("offset", pa.int32()),  # first character in `text`, in Unicode code points
        ("length", pa.int32()),  # in Unicode code points
        ("value", pa.string()),  # href, user id, language or document id; else null
    ]
)

REACTION = pa.struct(
    [
        ("reaction", pa.string()),  # the emoji, or custom_emoji:<id>, paid, empty
        ("count", pa.int32()),
    ]
)

MESSAGES = pa.schema(
    [
        pa.field("message_id", pa.string(), nullable=False),
        pa.field("chat_id", pa.string(), nullable=False),
        pa.field("sender_id", pa.string()),
        pa.field("sender_name", pa.string()),
        pa.field("is_owner", pa.bool_(), nullable=False),
        pa.field("sent_at", TIMESTAMP, nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("entities", pa.list_(ENTITY)),
        pa.field("reply_to_id", pa.string()),
        pa.field("forwarded_from", pa.string()),
        pa.field("media_kind", pa.string()),
        pa.field("media_path", pa.string()),
        pa.field("reactions", pa.list_(REACTION)),
        pa.field("edited_at", TIMESTAMP),
    ]
)
"""One row per ChatMessage, by chat and then by (sent_at, source id)."""

PARTICIPANT = pa.struct(
    [
        ("sender_id", pa.string()),
        ("name", pa.string()),
        ("messages", pa.int64()),
        ("is_owner", pa.bool_()),
    ]
)

CHATS = pa.schema(
    [
        pa.field("chat_id", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("kind", pa.string()),  # the source's own word, null when it has none
        pa.field("source", pa.string(), nullable=False),  # telegram, signal
        pa.field("message_count", pa.int64(), nullable=False),
        pa.field("dropped_count", pa.int64(), nullable=False),
        pa.field("participants", pa.list_(PARTICIPANT), nullable=False),  # by messages, then id
        pa.field("first_sent_at", TIMESTAMP),
        pa.field("last_sent_at", TIMESTAMP),
    ]
)


def bears_id_of_person(chat_id: str) -> bool:
    """Tell whether the id of a chat with one person is that person's; Signal counts threads."""
    return not chat_id.startswith("signal:")


MEMBER = pa.struct(
    [
        ("message_id", pa.string()),
        ("start", pa.int32()),  # the part of the text that counts, in code points; null = all of it
        ("end", pa.int32()),
    ]
)

BLOCKS = pa.schema(
    [
        pa.field("block_id", pa.string(), nullable=False),
        pa.field("chat_id", pa.string(), nullable=False),
        pa.field("token_count", pa.int32(), nullable=False),  # of the rendered conversation
        pa.field("members", pa.list_(MEMBER), nullable=False),  # in time order
        pa.field("started_at", TIMESTAMP, nullable=False),
        pa.field("ended_at", TIMESTAMP, nullable=False),
    ]
)

DROPPED = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("items", pa.int64(), nullable=False),  # how many the row stands for
    ]
)


TURN = pa.struct(
    [
        pa.field("role", pa.string(), nullable=False),  # system, user, assistant
        pa.field("content", pa.string(), nullable=False),
        pa.field("weight", pa.int8()),  # of an assistant's turn: 1 is trained on, 0 is not
    ]
)

EXAMPLES = pa.schema(
    [
        pa.field("example_id", pa.string(), nullable=False),  # hash of the turns as they stand here
        pa.field("messages", pa.list_(TURN), nullable=False),
        pa.field("tools", pa.string()),  # JSON, as trainers want it in Arrow; null without tools
        pa.field("source", pa.string(), nullable=False),  # chats/alice; chats, if redacted
        pa.field("root_id", pa.string(), nullable=False),  # chat, book, …; a number, if redacted
        pa.field("repeat", pa.int16(), nullable=False),  # 0, and up for copies by weight
        pa.field("turns", pa.int32(), nullable=False),  # without the system's
        pa.field("tokens", pa.int32(), nullable=False),  # of the rendered conversation
        pa.field("trained_tokens", pa.int32(), nullable=False),  # of turns that are trained on
        pa.field("language", pa.string()),  # ISO 639-1, a guess; null for too little text
        pa.field("started_at", TIMESTAMP),
        pa.field("ended_at", TIMESTAMP),
        pa.field("provenance", pa.string(), nullable=False),  # JSON, see `Provenance`
    ]
)
"""One row per example of a training set, in the order of training."""

ORIGINS = pa.schema(
    [
        pa.field("example_id", pa.string(), nullable=False),  # in the dataset
        pa.field("source_example_id", pa.string(), nullable=False),
        pa.field("asset", pa.string(), nullable=False),
        pa.field("digest", pa.string(), nullable=False),  # of that asset
    ]
)
"""What each example of a dataset was made from, by no name; it stays on the machine."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an example came from, by names that survive a move of the store.

    What may name a person is left out of redacted rows, and so is every hash of what stood there
    before redaction: whoever guesses right could confirm it by that.

    Attributes:
        asset: The asset whose row it is.
        digest: Of that asset.
        partition: The partition's key.
        block_id: The block that it renders, for chats.
        mock: Whether any answer in it is a mock's.
    """

    asset: str
    digest: str = ""
    partition: str = ""
    block_id: str = ""
    mock: bool = False


class Turn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One turn of a conversation, in the order and with the keys that trainers read."""

    role: str
    content: str
    weight: int | None = None  # OpenAI: 1 trains on an assistant turn, 0 does not


class ConversationMetadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a conversation came from."""

    example_id: str
    chat_id: str
    block_id: str
    started_at: str
    ended_at: str


class Conversation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of train.jsonl."""

    messages: tuple[Turn, ...]
    metadata: ConversationMetadata | None = None
