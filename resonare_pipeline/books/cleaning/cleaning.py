"""All rules, in their order, over the texts of a book, until nothing changes any more.

A rule that is proved by the book's own words may prove more once words are mended, so the rules go
over the texts again until they rest; cleaning what is clean changes nothing.
"""

from collections.abc import Collection, Iterable

from resonare_pipeline.books.cleaning import heads, misreadings, typography
from resonare_pipeline.books.cleaning.rules import Knowledge, Rule, Tally, learn
from resonare_pipeline.books.cleaning.segments import protected, split

RULES: tuple[Rule, ...] = (*misreadings.RULES, *typography.RULES)
NAMES: dict[str, str] = {rule.name: rule.meaning for rule in RULES} | {heads.NAME: heads.MEANING}
"""Rule → what it does, in the order of work."""

MOST_ROUNDS = 12  # in practice two or three


def clean(
    texts: list[str], titles: Iterable[str], language: str, *, off: Collection[str] = ()
) -> tuple[list[str], dict[str, Tally]]:
    """Return the texts of a book cleaned, and what each rule did.

    Args:
        texts: Markdown of its rows.
        titles: Of the book and its sections.
        off: Rules that are not used.
    """
    tallies = {name: Tally() for name in NAMES if name not in off}
    rules = [rule for rule in RULES if rule.name not in off]
    names = list(titles)
    for _ in range(MOST_ROUNDS):
        known = learn(texts, language)
        made = [_cleaned(text, rules, known, tallies) for text in texts]
        if heads.NAME in tallies:
            made = heads.without_heads(made, names, tallies[heads.NAME])
        if made == texts:
            break
        texts = made
    return texts, tallies


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
