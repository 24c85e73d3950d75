"""Token counts with OpenAI's o200k_base.

The encoding is built from the rank file that ships with the project: no network, no cache folder.
Text that looks like a special token is ordinary text. tiktoken is imported, and the ranks read,
when the first text is counted, once a process. What may not live here: how chats become
conversations, settings.
"""

import base64
import functools
import multiprocessing
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resonare_pipeline.bundled import shipped_bytes
from resonare_pipeline.errors import TokenizerError
from resonare_pipeline.workers import unasked_workers

if TYPE_CHECKING:
    import tiktoken

RANKS_NAME = "o200k_base.tiktoken"
RANKS_PATH = Path(__file__).with_name("ranks") / RANKS_NAME
RANKS_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

# How o200k_base cuts text before merging, part of the encoding's definition (tiktoken, MIT).
_UPPER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERN = "|".join(
    (
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_SUFFIX}",
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_SUFFIX}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
SPECIAL_TOKENS = {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}

LONGEST_TEXT = 400_000  # characters; a million blanks in a row overflow tiktoken's stack
LONGEST_KNOWN = 32  # characters; people say "ok" and "haha" again, but few long lines
MOST_KNOWN = 20_000  # lines remembered: some 5 MB
LONGEST_TAIL = 8  # characters; longer ends of lines are too rare to be worth remembering

# Texts; starting processes takes as long as counting this many short ones in the one there is.
WORKER_THRESHOLD = 200_000


@functools.cache
def o200k_encoding() -> "tiktoken.Encoding":
    """Build the encoding from the shipped rank file, once a process.

    Raises:
        TokenizerError: If the file is missing or is not the published one.
    """
    import tiktoken  # not at the top: what never counts need not wait for it

    content = shipped_bytes(RANKS_PATH, RANKS_SHA256, "rank file", TokenizerError)
    entries = (line.split() for line in content.splitlines())
    ranks = {base64.b64decode(token): int(rank) for token, rank in entries}
    encoding = tiktoken.Encoding(
        name="o200k_base",
        pat_str=PATTERN,
        mergeable_ranks=ranks,
        special_tokens=SPECIAL_TOKENS,
    )
    ranks.clear()  # tiktoken counts with tables of its own, and these take 25 MB in each process
    return encoding


def count_text(text: str) -> int:
    """Count a text's tokens; a longer one than `LONGEST_TEXT` is counted in slices of that size."""
    encode = o200k_encoding().encode_ordinary
    if len(text) <= LONGEST_TEXT:
        return len(encode(text))
    starts = range(0, len(text), LONGEST_TEXT)
    return sum(len(encode(text[start : start + LONGEST_TEXT])) for start in starts)


def splits_between(before: str, after: str) -> bool:
    """Tell whether no token can span the border between two texts, and neither sees the other.

    The pattern decides: after a line end its match goes on only with line ends or slashes (or, from
    blanks, to a later line end), and it never looks back.
    """
    return before.endswith("\n") and after[:1] not in "\r\n/" and not after[:1].isspace()


def joined_extra(line: str, separator: str, known: dict[str, int]) -> int:
    """Return how many tokens a separator adds at the end of a line.

    Only what follows the line's last letter or digit can touch a separator that begins with a line
    end, since the pattern always cuts between the two; so ends are counted once and remembered.

    Args:
        line: A whole line.
        separator: What is put behind it.
        known: Extras of ends of lines seen so far with this separator.
    """
    start = len(line)
    while start and not line[start - 1].isalnum():
        start -= 1
    tail = line[start:]
    extra = known.get(tail)
    if extra is not None:
        return extra
    if not separator.startswith("\n") or len(tail) > LONGEST_TAIL or not _cut_before(tail):
        return count_text(line + separator) - count_text(line)
    extra = known[tail] = count_text(tail + separator) - count_text(tail)
    return extra


def _cut_before(tail: str) -> bool:
    # Marks continue letters; characters unknown to this Python may be letters to tiktoken.
    return not tail or unicodedata.category(tail[0]) not in ("Mn", "Mc", "Me", "Cn")


@functools.lru_cache(maxsize=2)  # a run uses one separator
def _known_lines(separator: str) -> tuple[dict[str, tuple[int, int]], dict[str, int]]:  # noqa: ARG001  # the key
    """Return what is remembered of short lines, and of ends of lines, with one separator."""
    return {}, {}


@dataclass(frozen=True, slots=True)
class O200kTokenizer:
    """Counts with o200k_base, conversations by OpenAI's rule; holds nothing, so it can be sent."""

    name: str = "o200k_base"
    portable: bool = True

    def count_texts(self, texts: Sequence[str]) -> list[int]:
        """Count each text by itself."""
        return [count_text(text) for text in texts]

    def line_counts(self, lines: Sequence[str], separator: str) -> tuple[list[int], list[int]]:
        """Count lines alone, and with the separator that joins them to the next."""
        encode = o200k_encoding().encode_ordinary
        known, ends = _known_lines(separator)
        if len(known) > MOST_KNOWN:
            known.clear()
        alone: list[int] = []
        joined: list[int] = []
        for line in lines:
            counts = known.get(line)
            if counts is None:
                count = len(encode(line)) if len(line) <= LONGEST_TEXT else count_text(line)
                extra = None if not line[-1:].isalnum() else ends.get("")
                if extra is None:
                    extra = joined_extra(line, separator, ends)
                counts = (count, count + extra)
                if len(line) <= LONGEST_KNOWN:
                    known[line] = counts
            alone.append(counts[0])
            joined.append(counts[1])
        return alone, joined

    def count_conversations(
        self, conversations: Sequence[Sequence[Mapping[str, Any]]]
    ) -> list[int]:
        """Count whole conversations."""
        return [openai_rule(messages, self.count_texts) for messages in conversations]

    def count_conversation(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """Count one whole conversation."""
        return openai_rule(messages, self.count_texts)

    def splits_between(self, before: str, after: str) -> bool:
        """Tell whether counts of two neighbouring texts certainly add up."""
        return splits_between(before, after)


def openai_rule(
    messages: Sequence[Mapping[str, Any]], count_texts: Callable[[Sequence[str]], list[int]]
) -> int:
    """Count a conversation as OpenAI's cookbook does for chat models.

    3 per message, the tokens of role and content, 1 and its tokens for a name, and 3 at the end.
    """
    texts: list[str] = []
    names = 0
    for message in messages:
        texts += (message["role"], message.get("content") or "")
        if message.get("name"):
            texts.append(message["name"])
            names += 1
    return 3 * len(messages) + sum(count_texts(texts)) + names + 3


def worker_count(wanted: int | None, texts: int) -> int:
    """Return how many processes beside this one should count; with 0 it counts by itself.

    Args:
        wanted: None for as many as `unasked_workers`, where there is enough to count.
        texts: How many texts will be counted, as far as is known.
    """
    if multiprocessing.current_process().daemon:
        return 0  # a daemon process may not start others
    if wanted is not None:
        return wanted
    return unasked_workers() if texts >= WORKER_THRESHOLD else 0
