"""Counts what redaction finds of planted items, and what it hits of clean material.

`python -m tests.privacy.measure_redaction` measures everything and writes the tables into
`docs/privacy.md`; the tests measure a part of it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path

from resonare_pipeline.privacy.kinds import Kind
from resonare_pipeline.privacy.people import label_people
from resonare_pipeline.privacy.redaction import Redactor
from resonare_pipeline.privacy.settings import PrivacySettings
from tests.privacy.generate_clean import clean_texts
from tests.privacy.generate_items import (
    REGIONS,
    NamedText,
    Planted,
    named_texts,
    planted_items,
    planted_phones,
)

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SEED = 770_113  # first used when the detectors were done, and not adjusted to since
REGION_COLUMNS = 3  # side by side, since there are so many


@dataclass(slots=True)
class Tally:
    """How many there were by group, and how many were not as they should be.

    Attributes:
        wrong: Missed items, or clean texts that were changed.
        examples: Some of these texts.
    """

    total: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, group: str, text: str, *, good: bool) -> None:
        """Count one text."""
        self.total[group] += 1
        if not good:
            self.wrong[group] += 1
            self.examples.append(text)

    @property
    def share_wrong(self) -> float:
        """Of all."""
        return self.wrong.total() / self.total.total()


@cache
def redactor(region: str = "") -> Redactor:
    """Return a redactor with the default settings, or with one region set."""
    return Redactor(PrivacySettings(regions=(region,) if region else ()))


def is_found(planted: Planted, chosen: Redactor) -> bool:
    """Tell whether an item is gone, and counted as what it is."""
    done = chosen.redact(planted.text)
    return planted.item not in done.text and done.counts.get(Kind(planted.kind), 0) > 0


def tally_phones(*, step: int = 1, regions_set: bool = True) -> dict[str, Tally]:
    """Return what is missed of phone numbers, by region and by form."""
    tallies = {"region": Tally(), "form": Tally()}
    for planted in islice(planted_phones(SEED), 0, None, step):
        good = is_found(planted, redactor(planted.region if regions_set else ""))
        tallies["region"].add(planted.group, planted.text, good=good)
        tallies["form"].add(planted.form, planted.text, good=good)
    return tallies


def tally_items(*, step: int = 1) -> dict[str, Tally]:
    """Return what is missed of other items, by kind and by language."""
    tallies = {"kind": Tally(), "language": Tally()}
    for planted in islice(planted_items(SEED), 0, None, step):
        good = is_found(planted, redactor())
        tallies["kind"].add(planted.kind, planted.text, good=good)
        tallies["language"].add(planted.group, planted.text, good=good)
    return tallies


def tally_names() -> Tally:
    """Return how many texts with names are not redacted exactly as they are marked."""
    tally = Tally()
    for named in named_texts():
        tally.add(named.language, named.marked, good=is_exact(named))
    return tally


def is_exact(named: NamedText) -> bool:
    """Tell whether just the marked names of a text are replaced."""
    settings = PrivacySettings()
    people = label_people(((name, (name,)) for name in named.names), settings)
    plain = named.marked.replace("⟦", "").replace("⟧", "")
    done = Redactor(settings, people).redact(plain).text
    return re.sub(r"\[PERSON_\d+\]", "[]", done) == re.sub("⟦[^⟧]*⟧", "[]", named.marked)


def tally_clean(regions: Iterable[str] = ("",)) -> Tally:
    """Return what is changed of clean texts, by kind, with each of some regions set."""
    tally = Tally()
    for region in regions:
        for clean in clean_texts(SEED):
            done = redactor(region).redact(clean.text)
            tally.add(clean.kind, clean.text, good=done.text == clean.text)
    return tally


def _rows(tallies: Mapping[str, Tally], heads: Mapping[str, str]) -> list[str]:
    """Return a table whose rows are groups and whose columns are those of each tally."""
    lines = ["| | " + " | ".join(heads.values()) + " |", "|---|" + "---:|" * len(heads)]
    groups = list(next(iter(tallies.values())).total)
    for group in groups:
        cells = [group]
        for head in heads:
            name, what = head.split(".")
            tally = tallies[name]
            cells.append(f"{getattr(tally, what)[group]:,}")
        lines.append("| " + " | ".join(cells) + " |")
    totals = [
        f"**{getattr(tallies[head.split('.')[0]], head.split('.')[1]).total():,}**"
        for head in heads
    ]
    return [*lines, "| **all** | " + " | ".join(totals) + " |"]


def _by_region(own: Tally, default: Tally) -> list[str]:
    head = "| region | planted | missed | no region set |"
    lines = ["".join([head, *[head[1:]] * (REGION_COLUMNS - 1)])]
    lines.append("|" + "---|---:|---:|---:|" * REGION_COLUMNS)
    regions = list(own.total)
    for at in range(0, len(regions), REGION_COLUMNS):
        cells = "".join(
            f" {region} | {own.total[region]:,} | {own.wrong[region]} | {default.wrong[region]} |"
            for region in regions[at : at + REGION_COLUMNS]
        )
        lines.append(f"|{cells}")
    return lines


def measured() -> str:
    """Measure everything, and return the tables."""
    own, default = tally_phones(), tally_phones(regions_set=False)
    items, names = tally_items(), tally_names()
    clean = {"default": tally_clean(), "regions": tally_clean(REGIONS)}
    parts = [
        ["### Phone numbers, by how they are written", ""],
        _rows(
            {"own": own["form"], "default": default["form"]},
            {
                "own.total": "planted",
                "own.wrong": "missed, region set",
                "default.wrong": "missed, no region set",
            },
        ),
        ["", "### Phone numbers, by region", ""],
        _by_region(own["region"], default["region"]),
        ["", "### Other items, by kind and by language of the sentence", ""],
        _rows({"own": items["kind"]}, {"own.total": "planted", "own.wrong": "missed"}),
        [""],
        _rows({"own": items["language"]}, {"own.total": "planted", "own.wrong": "missed"}),
        ["", "### Texts with names, by language", ""],
        _rows({"own": names}, {"own.total": "texts", "own.wrong": "not exactly as marked"}),
        ["", f"### Clean material, with no region set and with each of {len(REGIONS)} set", ""],
        _rows(
            clean,
            {
                "default.total": "texts",
                "default.wrong": "changed",
                "regions.total": "texts × regions",
                "regions.wrong": "changed",
            },
        ),
    ]
    return "\n".join(line for part in parts for line in part)


def main() -> None:
    """Write the tables into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{measured()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
