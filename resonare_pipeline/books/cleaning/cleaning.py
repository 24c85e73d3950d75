"""All rules, in their order, over the texts of a book, until nothing changes any more.

A rule that is proved by the book's own words may prove more once words are mended, so the rules go
over the texts again until they rest; cleaning what is clean changes nothing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from resonare_pipeline.books.cleaning import heads, misreadings, typography
from resonare_pipeline.books.cleaning.rules import Knowledge, Rule, Tally, learn
from resonare_pipeline.books.cleaning.segments import protected, split

RULES: tuple[Rule, ...] = (*misreadings.RULES, *typography.RULES)
NAMES: dict[str, str] = {rule.name: rule.meaning for rule in RULES} | {heads.NAME: heads.MEANING}
"""Rule → what it does, in the order of work."""

MOST_ROUNDS = 12  # in practice two or three


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What cleaning made of a book.

    Attributes:
        texts: In the order in which they came.
        titles: Title → the same, cleaned.
        tallies: Rule → what it did, in texts and titles.
    """

    texts: list[str]
    titles: dict[str, str]
    tallies: dict[str, Tally]


def clean(
    texts: list[str], titles: Iterable[str], language: str, *, off: Collection[str] = ()
) -> Cleaned:
    """Clean the texts and titles of a book.

    Args:
        texts: Markdown of its rows.
        titles: Of the book and its sections; plain text.
        off: Rules that are not used.
    """
    tallies = {name: Tally() for name in NAMES if name not in off}
    rules = [rule for rule in RULES if rule.name not in off]
    names = {title: title for title in titles}
    for _ in range(MOST_ROUNDS):
        known = learn(texts, language)
        made = [_cleaned(text, rules, known, tallies) for text in texts]
        named = {title: _titled(text, rules, known, tallies) for title, text in names.items()}
        if heads.NAME in tallies:
            every = dict.fromkeys([*names, *named.values()])
            made = heads.without_heads(made, every, tallies[heads.NAME])
        if made == texts and named == names:
            break
        texts, names = made, named
    return Cleaned(texts=texts, titles=names, tallies=tallies)


def _titled(title: str, rules: list[Rule], known: Knowledge, tallies: dict[str, Tally]) -> str:
    """Return a title after all rules; one of which nothing would be left stays as it is."""
    trials = {rule.name: Tally() for rule in rules}
    made = " ".join(_cleaned(title, rules, known, trials).split())
    if not made:
        return title
    for name, trial in trials.items():
        tallies[name].take(trial)
    return made


def _cleaned(text: str, rules: list[Rule], known: Knowledge, tallies: dict[str, Tally]) -> str:
    """Return one text after all rules.

    A change that would make or unmake code or a formula is none: then rules are tried one by one.
    """
    kept = protected(text)
    trials = {rule.name: Tally() for rule in rules}
    made = _applied(text, rules, known, trials)
    if made == text:
        return text
    if protected(made) == kept:
        for name, trial in trials.items():
            tallies[name].take(trial)
        return made
    for rule in rules:
        alone = {rule.name: Tally()}
        made = _applied(text, [rule], known, alone)
        if made != text and protected(made) == kept:
            text = made
            tallies[rule.name].take(alone[rule.name])
    return text


def _applied(text: str, rules: list[Rule], known: Knowledge, tallies: dict[str, Tally]) -> str:
    pieces = split(text)
    for rule in rules:
        tally = tallies[rule.name]
        pieces[::2] = [rule.change(piece, known, tally) if piece else "" for piece in pieces[::2]]
    return "".join(pieces)
