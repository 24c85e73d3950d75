"""What a rule is, what it is told of the book, and how its changes are counted."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from resonare_pipeline.books.cleaning.segments import plain

EXAMPLES = 10
AROUND = 24  # characters on each side of an example
WORD = re.compile(r"[^\W\d_]+")
TOKEN = re.compile(r"\w+")


@dataclass(slots=True)
class Tally:
    """What one rule changed.

    Attributes:
        examples: (before, after), the first few.
    """

    count: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)

    def add(self, before: str, after: str) -> None:
        """Count a change, and keep it if few are kept yet."""
        self.count += 1
        if len(self.examples) < EXAMPLES and (before, after) not in self.examples:
            self.examples.append((before, after))

    def take(self, other: "Tally") -> None:
        """Add what another counted."""
        self.count += other.count
        for example in other.examples:
            if len(self.examples) < EXAMPLES and example not in self.examples:
                self.examples.append(example)

    def sub(
        self, pattern: re.Pattern[str], make: Callable[[re.Match[str]], str] | str, text: str
    ) -> str:
        """Replace what a pattern finds, and count what is not as before.

        Args:
            make: What it is replaced by, as it is, or made of what was found.
        """

        def replace(found: re.Match[str]) -> str:
            after = make if isinstance(make, str) else make(found)
            if after != found.group():
                left = text[max(0, found.start() - AROUND) : found.start()]
                right = text[found.end() : found.end() + AROUND]
                self.add(f"{left}{found.group()}{right}", f"{left}{after}{right}")
            return after

        return pattern.sub(replace, text)

    def whole(self, before: str, after: str) -> str:
        """Count the words that differ between two texts, and return the second."""
        if before != after:
            left, right = before.split(" "), after.split(" ")
            if len(left) == len(right):
                for one, other in zip(left, right, strict=True):
                    if one != other:
                        self.add(one, other)
            else:
                self.add(before[: 3 * AROUND], after[: 3 * AROUND])
        return after


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What rules know of a book.

    Attributes:
        language: Two letters, or nothing.
        words: Word in small letters → how often the book has it.
        curly: Whether the book's quotes are mostly typographic.
    """

    language: str
    words: Counter[str]
    curly: bool

    def knows(self, word: str) -> int:
        """Return how often the book has a word."""
        return self.words[word.lower()]


RuleFunction = Callable[[str, Knowledge, Tally], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: what it is called, what it does in a sentence, and how."""

    name: str
    meaning: str
    change: RuleFunction


def learn(texts: Iterable[str], language: str) -> Knowledge:
    """Return what is to be known of a book."""
    words: Counter[str] = Counter()
    curly = straight = 0
    for text in texts:
        for piece in plain(text):
            words.update(WORD.findall(piece.lower()))
            curly += sum(map(piece.count, "“”„«»’"))
            straight += piece.count('"') + piece.count("'")
    return Knowledge(language=language[:2].lower(), words=words, curly=curly > straight)
