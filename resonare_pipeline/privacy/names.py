"""Where people's names stand in a text.

A text is read word by word; what a word may be is remembered, so that a text without names costs a
look-up for each word. Which forms there are is decided in `name_forms`.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from resonare_pipeline.privacy.folding import ASCII_WORD, WORD, fold
from resonare_pipeline.privacy.inflection import (
    FREE_STEMS,
    LONG_STEM,
    splits,
    takes,
    without_prefix,
)
from resonare_pipeline.privacy.kinds import Kind, Span
from resonare_pipeline.privacy.name_forms import HANGUL, Form, Forms, Guard, forms_of
from resonare_pipeline.privacy.name_words import MONTHS, PARTICLES
from resonare_pipeline.privacy.people import Person
from resonare_pipeline.privacy.spans import first_of

MOST_REMEMBERED = 1 << 17  # words; about 20 MB
GAP = re.compile(  # between the words of one name
    r"[ \u00a0\u200b-\u200d]{1,2}|[ ]?[\-‐‑'’`´][ ]?|[._]"
)
_INSIDE = ",;&/+"  # signs after which a sentence goes on
_QUIET = " \t\u00a0\"'“”„«»*_~(["
_DATE_AFTER = re.compile(r"[ \u00a0]\d|[ \u00a0](?:the|of)\b")
_DATE_BEFORE = re.compile(
    r"(?:\d(?:st|nd|rd|th)?|\b(?:in|on|by|of|since|until|till|from|last|next|this|early|mid|late"
    r"|every|before|after|through))[ \u00a0]$",
    re.IGNORECASE,
)

Match = re.Match[str]


class _Known(dict[str, tuple[Form, ...]]):
    """Word as it stands in a text → forms that may begin with it, longest first."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms

    def __missing__(self, word: str) -> tuple[Form, ...]:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        self[word] = found = tuple(self._find(word))
        return found

    def _find(self, word: str) -> Iterator[Form]:
        folded = fold(word)
        yield from self._forms.sequences.get(folded, ())
        if folded and "\u0590" <= folded[0] <= "\u06ff":
            for form in self._forms.sequences.get(without_prefix(folded), ()):
                yield Form((folded, *form.words[1:]), form.label, form.guard, prefix=1)
        for stem, ending in splits(folded):
            for kind, form in self._forms.stems.get(stem, ()):
                if form.words[0] != folded and takes(kind, ending):
                    guard = max(form.guard, _inflected_guard(kind, stem, ending))
                    yield Form((folded,), form.label, guard)


def _inflected_guard(kind: str, stem: str, ending: str) -> Guard:
    if kind in FREE_STEMS:
        return Guard.ANY_CASE
    if len(ending) == 1 and not (ending == "s" and len(stem) >= LONG_STEM):
        return Guard.IN_SENTENCE
    return Guard.CAPITALISED


class NameFinder:
    """Finds the names of some people."""

    def __init__(self, people: Sequence[Person]) -> None:
        forms = forms_of(people)
        self._known = _Known(forms)
        self._look_up: Callable[[str], tuple[Form, ...]] = self._known.__getitem__
        self._has_words = bool(forms.sequences)
        self._unspaced = forms.unspaced
        firsts = "".join(map(re.escape, forms.unspaced))
        self._firsts = re.compile(f"[{firsts}]") if firsts else None
        self._pieces = forms.pieces

    def find(self, text: str) -> list[Span]:
        """Return the names that stand in a text; none overlaps another."""
        spans = list(self._in_pieces(text)) if self._pieces else []
        if self._has_words:
            pattern = ASCII_WORD if text.isascii() else WORD
            if any(map(self._look_up, pattern.findall(text))):
                spans += first_of(_joined(self._in_words(text, pattern), text), spans)
        if self._firsts and not text.isascii():
            spans += first_of(self._in_runs(text, self._firsts), spans)
        return spans

    def _in_words(self, text: str, pattern: re.Pattern[str]) -> Iterator[Span]:
        words = list(pattern.finditer(text))
        at = 0
        while at < len(words):
            form = self._form_at(words, at, text)
            if form is None:
                at += 1
                continue
            last = at + len(form.words) - 1
            start = words[at].start() + form.prefix
            yield Span(start, words[last].end(), Kind.PERSON, form.label)
            at = last + 1

    def _form_at(self, words: list[Match], at: int, text: str) -> Form | None:
        for form in self._look_up(words[at][0]):
            if _fits(form, words, at, text) and (
                _counts(form, words, at, text) or self._is_followed(form, words, at, text)
            ):
                return form
        return None

    def _is_followed(self, form: Form, words: list[Match], at: int, text: str) -> bool:
        """Tell whether a doubtful name stands before another one of the same person."""
        behind = at + len(form.words)
        if behind >= len(words) or not words[at][0][0].isupper():
            return False
        if not GAP.fullmatch(text, words[behind - 1].end(), words[behind].start()):
            return False
        return any(
            other.label == form.label and other.guard is Guard.ANY_CASE
            for other in self._look_up(words[behind][0])
            if len(other.words) == 1
        )

    def _in_runs(self, text: str, firsts: re.Pattern[str]) -> Iterator[Span]:
        end = 0
        for match in firsts.finditer(text):
            start = match.start()
            if start < end:
                continue
            for name, label in self._unspaced[match[0]]:
                if text.startswith(name, start) and _is_free(name, start, text):
                    end = start + len(name)
                    yield Span(start, end, Kind.PERSON, label)
                    break

    def _in_pieces(self, text: str) -> Iterator[Span]:
        for match in _PIECE.finditer(text):
            piece = match[0].rstrip(".")
            if label := self._pieces.get(fold(piece)):
                yield Span(match.start(), match.start() + len(piece), Kind.PERSON, label)


_PIECE = re.compile(r"(?<![\w.])[\w.]{3,64}(?!\w)")


def _fits(form: Form, words: list[Match], at: int, text: str) -> bool:
    """Tell whether the words of a form stand at a place."""
    if at + len(form.words) > len(words):
        return False
    for offset in range(1, len(form.words)):
        before, after = words[at + offset - 1], words[at + offset]
        if fold(after[0]) != form.words[offset]:
            return False
        if not GAP.fullmatch(text, before.end(), after.start()):
            return False
    return True


def _counts(form: Form, words: list[Match], at: int, text: str) -> bool:
    """Tell whether a form that stands at a place means the person."""
    if form.guard is Guard.ANY_CASE:
        return True
    for offset, word in enumerate(form.words):
        if word not in PARTICLES and not _is_title(words[at + offset][0]):
            return False
    return form.guard is Guard.CAPITALISED or _is_in_sentence(form, words[at], text)


def _is_title(word: str) -> bool:
    """Tell whether a word is capitalised, and not written in capitals throughout."""
    return word[0].isupper() and (len(word) == 1 or not word.isupper())


def _is_in_sentence(form: Form, word: Match, text: str) -> bool:
    """Tell whether a word that is also a common one is meant as a name at its place."""
    start, end = word.span()
    if form.words[0] in MONTHS and (
        _DATE_AFTER.match(text, end) or _DATE_BEFORE.search(text, max(0, start - 9), start)
    ):
        return False
    before = text[max(0, start - 8) : start].rstrip(_QUIET)
    if not before or before[-1] == "\n":
        return text.startswith(":", end)  # the label of a speaker
    return before[-1].isalnum() or before[-1] in _INSIDE or before[-1] in "@#"


def _is_free(name: str, start: int, text: str) -> bool:
    """Tell whether a Korean name begins where a word does; other scripts show no borders."""
    return not start or not HANGUL.match(name) or not HANGUL.match(text, start - 1)


def _joined(spans: Iterator[Span], text: str) -> Iterator[Span]:
    """Join neighbouring names of one person: a first and a last name in any order."""
    held: Span | None = None
    for span in spans:
        if held and span.label == held.label and GAP.fullmatch(text, held.end, span.start):
            held = held._replace(end=span.end)
            continue
        if held:
            yield held
        held = span
    if held:
        yield held
