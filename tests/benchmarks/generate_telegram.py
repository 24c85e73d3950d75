"""Writes Telegram Desktop exports of any size, to measure readers with.

    python tests/benchmarks/generate_telegram.py --megabytes 500 --output result.json

The same arguments give the same bytes. Memory does not grow with the size. What is imitated: the
keys and their order, one space of indentation, about 450 bytes a message, the lengths of texts,
sessions and silences, eight languages, and the shares of replies, edits, reactions, entities,
media, stickers and service messages. The words are drawn at random, so nothing here reads as a
conversation; `telegram_parts.json` holds them. The standard library is enough.
"""

import argparse
import datetime as dt
import json
import math
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

PARTS = Path(__file__).with_name("telegram_parts.json")
BYTES_PER_MEGABYTE = 1_000_000
BYTES_PER_MESSAGE = 450  # of real exports with indentation; here only to spread them over time
CHUNK_MESSAGES = 64  # written at once; the end overshoots the asked size by at most as many
BYTES_PER_CHAT = 250_000  # mean, in an account of less than the most chats
MOST_CHATS = 400
MEDIAN_CHARACTERS = 25
LENGTH_SIGMA = 1.32  # of the log-normal lengths: the mean is 2.4 times the median
LONGEST_TEXT = 4_096  # Telegram's own bound
LENGTHS = 1 << 15  # so many lengths are drawn once and then picked from
UNSPACED_LENGTH = 0.4  # of a text in a language without spaces, to others
CORPUS_WORDS = 20_000  # per language; texts are slices of these
SESSION_MESSAGES = 30  # mean
SPAN_SECONDS = 9 * 365 * 86_400  # a chat is spread over about nine years
START = 1_420_106_400  # 2015-01-01T10:00:00Z
ZONE_SECONDS = 7_200  # `date` is local time, here always UTC+2
OWNER_ID = 990_000_000_000  # beyond the ids that are given to people

# The upper bounds of one draw in [0, 1), in order: what a message is.
SERVICE_BELOW = 0.01
STICKER_BELOW = SERVICE_BELOW + 0.03
MEDIA_BELOW = STICKER_BELOW + 0.06
ENTITIES_BELOW = MEDIA_BELOW + 0.08
# Each of these is a draw of its own.
FORWARDED = 0.01
EDITED = 0.03
REPLY = 0.15
REACTED = 0.06
CAPTIONED = 0.3
TURN_CHANGES = 0.55
SECOND_LANGUAGE = 0.15
DELETED_BEFORE = 0.03
NAMELESS = 0.01

_NO_TEXT = '   "text": "",\n   "text_entities": []'
_MINIFY = re.compile(r'\n *(?:("\w+":) )?')  # no value holds a raw line end


class Shape(StrEnum):
    """What the root of the export is."""

    PERSONAL = "personal"  # one personal chat
    ACCOUNT = "account"  # a whole account, with up to hundreds of chats


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One chat to be written.

    Attributes:
        people: (name as JSON, sender id), the owner first.
        silence_seconds: Mean time beyond an hour between sessions.
    """

    kind: str
    number: int
    people: tuple[tuple[str, str], ...]
    languages: tuple[str, str]
    silence_seconds: float
    first_id: int


class Corpus:
    """Text of one language to cut messages from, already escaped for JSON."""

    def __init__(self, words: str, emoji: list[str], rng: random.Random, *, spaced: bool) -> None:
        known = words.split()
        drawn = rng.choices(known, [1 / (rank + 3) for rank in range(len(known))], k=CORPUS_WORDS)
        marks = {"": 80, ",": 6, ".": 5, "?": 2, "!": 2, f".\\n{known[0]}": 0.5, ' \\"ok\\"': 0.3}
        marks |= {f" {face}": 0.2 for face in emoji}
        ends = rng.choices(list(marks), list(marks.values()), k=CORPUS_WORDS)
        parts = [word + end for word, end in zip(drawn, ends, strict=True)]
        # A language that is written without spaces gets one after each fourth word, where a
        # message may end. Its texts are shorter: one sign says what takes others several letters.
        if not spaced:
            parts = ["".join(parts[at : at + 4]) for at in range(0, len(parts), 4)]
        self._factor = 1.0 if spaced else UNSPACED_LENGTH
        self._text = " ".join(parts)
        body = self._text[: -2 * LONGEST_TEXT]
        self._starts = [match.end() for match in re.finditer(" ", body)]

    def cut(self, draw: float, length: int) -> str:
        """Return about `length` characters from a place that a number in [0, 1) decides."""
        start = self._starts[int(draw * len(self._starts))]
        return self._text[start : self._text.find(" ", start + int(length * self._factor))]


class _Sink:
    """Counts what is written, and takes the white space out if asked to."""

    def __init__(self, stream: BinaryIO, *, minified: bool) -> None:
        self._stream = stream
        self._minified = minified
        self.size = 0

    def write(self, text: str) -> None:
        content = (_MINIFY.sub(r"\1", text) if self._minified else text).encode()
        self._stream.write(content)
        self.size += len(content)


class _Source:
    """All that messages are made from: one stream of random numbers, and parts of messages."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)  # noqa: S311  # test data has to be repeatable, not secret
        self.rng = rng
        self.draw = rng.random
        parts = json.loads(PARTS.read_text(encoding="utf-8"))
        self.chat_kinds: dict[str, float] = parts["chat_kinds"]
        self.languages = {name: entry["share"] for name, entry in parts["languages"].items()}
        self.corpora = {
            name: Corpus(entry["words"], parts["emoji"], rng, spaced=entry["spaced"])
            for name, entry in parts["languages"].items()
        }
        mean = math.log(MEDIAN_CHARACTERS)
        self.lengths = [
            max(1, min(LONGEST_TEXT, int(rng.lognormvariate(mean, LENGTH_SIGMA))))
            for _ in range(LENGTHS)
        ]
        self.stickers = [_keys(entry) for entry in parts["stickers"]]
        self.media = [_keys(entry) for entry in parts["media"]]
        self.services = [_keys(entry) for entry in parts["services"]]
        self.entities = [_indented(entry, 4) for entry in parts["entities"]]
        self.reactions: list[str] = parts["reactions"]

    def drawn(self, weights: dict[str, float]) -> str:
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def pick(self, parts: list[str]) -> str:
        return parts[int(self.draw() * len(parts))]

    def text(self, chat: Chat) -> str:
        corpus = self.corpora[chat.languages[self.draw() < SECOND_LANGUAGE]]
        return corpus.cut(self.draw(), self.lengths[int(self.draw() * LENGTHS)])


def _indented(value: dict[str, Any], depth: int) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return text.replace("\n", "\n" + " " * depth)


def _keys(value: dict[str, Any]) -> str:
    """Return an object's keys and values as lines of a message, each with a comma."""
    return _indented(value, 2).removeprefix("{\n").removesuffix("\n  }") + ",\n"


def write_export(
    stream: BinaryIO,
    *,
    megabytes: float,
    seed: int = 1,
    shape: Shape = Shape.PERSONAL,
    minified: bool = False,
) -> int:
    """Write an export of at least so many megabytes (of 10^6 bytes), and return its messages.

    The size is overshot by at most 64 messages a chat. `minified` leaves out the white space
    between tokens; Telegram Desktop never does, but tools that pass exports on do.
    """
    sink = _Sink(stream, minified=minified)
    source = _Source(seed)
    target = int(megabytes * BYTES_PER_MEGABYTE)
    if shape is Shape.PERSONAL:
        chat = _chat(source, 1, "personal_chat", target / BYTES_PER_MESSAGE)
        return _write_chat(sink, source, chat, target, "")
    return _write_account(sink, source, target)


def _write_account(sink: _Sink, source: _Source, target: int) -> int:
    owner = {"user_id": OWNER_ID, "first_name": "Owner", "phone_number": "+1 202 555 0100"}
    sink.write(
        f'{{\n "about": "Made by a generator; no person is behind it.",'
        f'\n "personal_information": {_indented(owner, 1)},'
        '\n "chats": {\n  "about": "",\n  "list": ['
    )
    chats = max(3, min(MOST_CHATS, target // BYTES_PER_CHAT))
    weights = [1 / (rank + 5) for rank in range(chats)]
    source.rng.shuffle(weights)
    start, part, count = sink.size, 0.0, 0
    for number, weight in enumerate(weights, 1):
        size = weight / sum(weights) * (target - start)
        part += size
        kind = "saved_messages" if number == 1 else source.drawn(source.chat_kinds)
        chat = _chat(source, number, kind, size / BYTES_PER_MESSAGE)
        sink.write("\n   " if number == 1 else ",\n   ")
        count += _write_chat(sink, source, chat, start + int(part), "   ")
    sink.write('\n  ]\n },\n "left_chats": {\n  "about": "",\n  "list": []\n }\n}')
    return count


def _chat(source: _Source, number: int, kind: str, messages: float) -> Chat:
    others = {"saved_messages": 0, "private_group": source.rng.randint(2, 8)}
    others["private_supergroup"] = 12
    people = [('"Owner"', f"user{OWNER_ID}")]
    for index in range(others.get(kind, 1)):
        # A deleted account has no name.
        name = "null" if source.draw() < NAMELESS else f'"Person {number}.{index + 1}"'
        people.append((name, f"user{OWNER_ID + number * 100 + index}"))
    sessions = max(1.0, messages / SESSION_MESSAGES)
    return Chat(
        kind=kind,
        number=OWNER_ID + number * 100,
        people=tuple(people),
        languages=(source.drawn(source.languages), "en"),
        # An hour is added to each silence, and a session takes about a quarter of one.
        silence_seconds=min(3 * 86_400.0, max(600.0, SPAN_SECONDS / sessions - 4_500)),
        first_id=source.rng.randint(1, 100_000),
    )


def _write_chat(sink: _Sink, source: _Source, chat: Chat, bound: int, indent: str) -> int:
    """Write one chat until the sink holds `bound` bytes; at least one chunk of messages."""
    title = chat.people[-1][0] if chat.kind == "personal_chat" else f'"Chat {chat.number}"'
    name = "" if chat.kind == "saved_messages" else f'\n "name": {title},'
    head = f'{{{name}\n "type": "{chat.kind}",\n "id": {chat.number},\n "messages": ['
    sink.write(head.replace("\n", f"\n{indent}"))
    messages = _messages(source, chat)
    count = 0
    while not count or sink.size < bound:
        chunk = ",\n".join([next(messages) for _ in range(CHUNK_MESSAGES)])
        sink.write(f"{',' if count else ''}\n{chunk}".replace("\n", f"\n{indent}"))
        count += CHUNK_MESSAGES
    sink.write(f"\n{indent} ]\n{indent}}}")
    return count


def _messages(source: _Source, chat: Chat) -> Iterator[str]:
    """Yield messages without end, as JSON objects at a depth of two, in order of time."""
    draw = source.draw
    number, sent, who = chat.first_id, START + int(draw() * 86_400), 0
    while True:
        number += 1 if draw() > DELETED_BEFORE else 2 + int(draw() * 5)
        sent += 2 + int(120 * draw() ** 3)
        if draw() * SESSION_MESSAGES < 1:
            sent += 3_600 + int(-math.log(1 - draw()) * chat.silence_seconds)
        if draw() < TURN_CHANGES:
            who = int(draw() * len(chat.people))
        yield _message(source, chat, number, sent, who)


def _message(source: _Source, chat: Chat, number: int, sent: int, who: int) -> str:
    draw = source.draw
    kind = draw()
    name, user = chat.people[who]
    is_service = kind < SERVICE_BELOW
    opening = (
        f'  {{\n   "id": {number},\n   "type": "{"service" if is_service else "message"}",\n'
        f'   "date": "{_local(sent)}",\n   "date_unixtime": "{sent}",\n'
    )
    if is_service:
        action = source.pick(source.services)
        return f'{opening}   "actor": {name},\n   "actor_id": "{user}",\n{action}{_NO_TEXT}\n  }}'
    edited = ""
    if draw() < EDITED:
        later = sent + 5 + int(draw() * 300)
        edited = f'   "edited": "{_local(later)}",\n   "edited_unixtime": "{later}",\n'
    origin = ""
    if draw() < FORWARDED:
        origin = '   "forwarded_from": "Someone Else",\n'
    elif draw() < REPLY and number > chat.first_id + 10:
        origin = f'   "reply_to_message_id": {number - 1 - int(draw() * 8)},\n'
    reactions = _reactions(source, sent, name, user) if draw() < REACTED else ""
    return (
        f'{opening}{edited}   "from": {name},\n   "from_id": "{user}",\n{origin}'
        f"{_content(source, chat, kind)}{reactions}\n  }}"
    )


def _content(source: _Source, chat: Chat, kind: float) -> str:
    """Return media and text, by the draw that decides what a message is."""
    if kind < STICKER_BELOW:
        return source.pick(source.stickers) + _NO_TEXT
    if kind < MEDIA_BELOW:
        media = source.pick(source.media)
        return media + (_plain(source.text(chat)) if source.draw() < CAPTIONED else _NO_TEXT)
    if kind < ENTITIES_BELOW:
        text, entity = source.text(chat), source.pick(source.entities)
        return (
            f'   "text": [\n    "{text} ",\n    {entity}\n   ],\n   "text_entities": [\n'
            f'    {{\n     "type": "plain",\n     "text": "{text} "\n    }},\n    {entity}\n   ]'
        )
    return _plain(source.text(chat))


def _plain(text: str) -> str:
    return (
        f'   "text": "{text}",\n   "text_entities": [\n    {{\n     "type": "plain",\n'
        f'     "text": "{text}"\n    }}\n   ]'
    )


def _reactions(source: _Source, sent: int, name: str, user: str) -> str:
    return (
        ',\n   "reactions": [\n    {\n     "type": "emoji",\n     "count": 1,\n'
        f'     "emoji": "{source.pick(source.reactions)}",\n     "recent": [\n      {{\n'
        f'       "from": {name},\n       "from_id": "{user}",\n'
        f'       "date": "{_local(sent + 60)}"\n      }}\n     ]\n    }}\n   ]'
    )


def _local(sent: int) -> str:
    return dt.datetime.fromtimestamp(sent + ZONE_SECONDS, dt.UTC).isoformat()[:19]


def main() -> None:
    """Write one export as the command line asks."""
    parser = argparse.ArgumentParser(description="Write a Telegram Desktop export of any size.")
    parser.add_argument("--megabytes", type=float, required=True, help="size, in 10^6 bytes")
    parser.add_argument("--output", type=Path, required=True, help="file to write")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shape", type=Shape, choices=list(Shape), default=Shape.PERSONAL)
    parser.add_argument("--minified", action="store_true", help="no white space between tokens")
    given = vars(parser.parse_args())
    output: Path = given.pop("output")
    with output.open("wb") as stream:
        count = write_export(stream, **given)
    sys.stdout.write(f"{count:,} messages, {output.stat().st_size / BYTES_PER_MEGABYTE:,.1f} MB\n")


if __name__ == "__main__":
    main()
