"""Sources → one dataset: prepared in workers, mixed, written, described.

Holds a small note of every example, and no text beyond what workers have in hand. What is decided
where: rows in `preparing`, choice and order in `mixing`, splits in `splits`, files in `writing`.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.counting import worker_count
from resonare_pipeline.datasets.candidates import Note, Spool
from resonare_pipeline.datasets.card import write_card
from resonare_pipeline.datasets.mixing import Mixture, mix
from resonare_pipeline.datasets.participants import Participants, find_participants
from resonare_pipeline.datasets.preparing import (
    EPOCH,
    MICROSECOND,
    Lines,
    Prepared,
    Preparer,
    prepare_lines,
)
from resonare_pipeline.datasets.settings import DatasetSettings, MixtureSettings
from resonare_pipeline.datasets.sources import Source
from resonare_pipeline.datasets.splits import TEST, TRAIN, VALIDATION
from resonare_pipeline.datasets.summarising import Inventory, summarise
from resonare_pipeline.datasets.summary import SUMMARY_FILE, encode_summary
from resonare_pipeline.datasets.writing import Names, Written, write_origins, write_split
from resonare_pipeline.errors import StageError
from resonare_pipeline.linked_people import PeopleSettings
from resonare_pipeline.privacy.people import Person, label_people
from resonare_pipeline.privacy.redaction import Redactor
from resonare_pipeline.privacy.settings import PrivacySettings, covers_all
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.tokenizers import TokenizerSettings, load_tokenizer
from resonare_pipeline.workers import dismiss_workers, map_in_order

CHUNK_LINES = 64  # conversations prepared in one call: some thousand messages
MESSAGES_AN_EXAMPLE = 16  # tells from examples whether processes are worth starting
CODE_DIGITS = 16
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The settings of a dataset.

    Attributes:
        mixtures: By full name of a source.
        privacy: By full name of a source; how people are named is the same for all of them.
        absent: Sources that were not ready.
        people: By full name of a source: whose ids are one person's there.
    """

    dataset: DatasetSettings
    mixtures: Mapping[str, MixtureSettings]
    privacy: Mapping[str, PrivacySettings]
    general_privacy: PrivacySettings
    tokenizer: TokenizerSettings
    absent: tuple[str, ...] = ()
    people: Mapping[str, PeopleSettings] = field(default_factory=dict)

    @property
    def redacts_any(self) -> bool:
        """Whether any source is redacted."""
        return any(privacy.redact for privacy in self.privacy.values())

    @property
    def redacts_all(self) -> bool:
        """Whether every source is redacted, names included."""
        return all(covers_all(privacy) for privacy in self.privacy.values())


@dataclass(slots=True)
class _Pool:
    """All examples that sources offer.

    Attributes:
        roots: What decides a root's split → its number.
        names: Root ids, by number.
    """

    pairs: Mapping[str, str]
    notes: list[Note] = field(default_factory=list)
    roots: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


def make_dataset(
    sources: Sequence[Source], choices: Choices, out: OutputDraft, *, progress: Progress = silent
) -> None:
    """Write the dataset that sources give.

    Args:
        sources: Those that are ready, by name.
        out: Gets shards, JSON lines and OpenAI's files by split, the card and the summary.
        progress: Told of examples.

    Raises:
        StageError: If there is nothing to make it of, a source is absent and all are required, a
            row is no example, or a split that was asked for is empty.
    """
    _refuse_absent(sources, choices)
    participants = find_participants(list(sources), choices.people)
    people = _label(participants, choices)
    with Spool() as spool:
        pool = _prepare_all(sources, participants, people, choices, spool, progress)
        dismiss_workers()
        settings = choices.dataset
        mixture = mix(
            pool.notes,
            list(pool.roots),
            [choices.mixtures[source.name] for source in sources],
            settings,
            border_us=_border(settings),
        )
        mixture, notes = _without_empty_splits(mixture, choices)
        _write_dropped(mixture, out)
        names = _names(sources, pool, redacted=choices.redacts_any)
        written: dict[str, Written] = {}
        for split, rows in mixture.splits.items():
            if rows:
                written[split] = write_split(
                    split,
                    rows,
                    spool,
                    names,
                    out,
                    shard_bytes=settings.shard_megabytes * MEGABYTE,
                    progress=progress,
                )
        write_origins(mixture.splits.values(), names, out)
    summary = summarise(
        Inventory(
            notes=pool.notes,
            mixture=mixture,
            written=written,
            sources=sources,
            mixtures=[choices.mixtures[source.name] for source in sources],
            extra_notes=notes,
        ),
        settings=settings,
        redacted=choices.redacts_all,
        absent=choices.absent,
        tokenizer=_shown_model(load_tokenizer(choices.tokenizer).name),
        shown=_shown(choices),
    )
    with out.open(SUMMARY_FILE) as stream:
        stream.write(encode_summary(summary))
    write_card(summary, out)
    out.report(
        rows=summary.examples,
        metadata={
            "tokens": summary.tokens,
            "splits": {name: split.examples for name, split in summary.splits.items()},
            "redactions": summary.redactions,
            "training": summary.training,
            "warnings": list(summary.notes),
        },
    )


def _refuse_absent(sources: Sequence[Source], choices: Choices) -> None:
    if choices.absent and choices.dataset.require_all:
        raise StageError(
            f"not ready: {', '.join(choices.absent)}",
            where="dataset",
            expected="every source, for dataset.require_all is set",
            remedy="Run chats first, and see what fails there",
        )
    if not sources:
        raise StageError(
            "no source is ready",
            where="dataset",
            expected="conversations of at least one export",
            remedy=f"Not ready: {', '.join(choices.absent)}" if choices.absent else "Run chats",
        )


def _label(participants: Participants, choices: Choices) -> dict[str, Person]:
    labelled = label_people(participants.names.items(), choices.general_privacy)
    return {person.key: person for person in labelled}


def _prepare_all(
    sources: Sequence[Source],
    participants: Participants,
    people: Mapping[str, Person],
    choices: Choices,
    spool: Spool,
    progress: Progress,
) -> _Pool:
    tokenizer = load_tokenizer(choices.tokenizer)
    total = sum(source.conversations.entry.rows for source in sources)
    workers = worker_count(choices.tokenizer.workers, total * MESSAGES_AN_EXAMPLE)
    pool = _Pool(participants.pairs)
    for number, source in enumerate(sources):
        privacy = choices.privacy[source.name]
        redactor = None
        if privacy.redact:
            named = participants.for_source(source.name)
            redactor = Redactor(privacy, [people[key] for key in named if key in people])
        preparer = Preparer(
            where=f"{source.conversations.asset} of {source.name}",
            source=number,
            redactor=redactor,
            drops_sensitive=privacy.sensitive_action == "drop",
            tokenizer=tokenizer,
            settings=choices.dataset,
        )
        parts = map_in_order(
            partial(prepare_lines, preparer=preparer),
            ((None, part) for part in _chunks(source)),
            workers=workers if tokenizer.portable else 0,
        )
        for _, prepared in parts:
            _keep(prepared, pool, spool)
            progress(len(pool.notes), total, "examples prepared")
    return pool


def _chunks(source: Source) -> Iterator[Lines]:
    lines: list[bytes] = []
    first = 1
    for line in source.conversations.lines(source.file):
        lines.append(line)
        if len(lines) == CHUNK_LINES:
            yield Lines(first, lines)
            first += len(lines)
            lines = []
    if lines:
        yield Lines(first, lines)


def _keep(prepared: list[Prepared], pool: _Pool, spool: Spool) -> None:
    for note, root_id, row in prepared:
        note.root = pool.roots.setdefault(pool.pairs.get(root_id, root_id), len(pool.roots))
        if note.root == len(pool.names):
            pool.names.append(root_id)
        note.offset = spool.add(row)
        note.length = len(row)
        pool.notes.append(note)


def _border(settings: DatasetSettings) -> int | None:
    border = settings.train_before
    if border is None:
        return None
    aware = border if border.tzinfo else border.replace(tzinfo=dt.UTC)
    return (aware - EPOCH) // MICROSECOND


def _without_empty_splits(mixture: Mixture, choices: Choices) -> tuple[Mixture, list[str]]:
    """Refuse a dataset that lacks a split that was asked for; return what is worth a note.

    Where no fraction was asked for and the only roots there are were held out, they are trained on.
    """
    settings = choices.dataset
    notes = [f"absent: {name}" for name in choices.absent]
    roots = {taken.note.root for taken in chain.from_iterable(mixture.splits.values())}
    asked = {
        TRAIN: True,
        VALIDATION: bool(settings.validation_fraction),
        TEST: bool(settings.test_fraction),
    }
    if roots and not mixture.splits[TRAIN] and not (asked[VALIDATION] or asked[TEST]):
        held = mixture.splits[VALIDATION]
        mixture = mixture._replace(splits=mixture.splits | {TRAIN: held, VALIDATION: []})
        notes.append("all there is was held out for validation, and is trained on instead")
    empty = [split for split, rows in mixture.splits.items() if not rows]
    for split in empty:
        if asked[split]:
            raise _empty(split, len(roots), mixture)
    if VALIDATION in empty and settings.validation_part:
        notes.append(
            f"no root of {len(roots)} fell into validation; set dataset.validation_fraction or "
            "dataset.seed if you need one"
        )
    return mixture, notes


def _empty(split: str, roots: int, mixture: Mixture) -> StageError:
    reasons = Counter(str(reason) for _, reason in mixture.dropped)
    left_out = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    return StageError(
        f"the split {split} is empty: {roots} chats or other roots are left"
        + (f", left out were {left_out}" if left_out else ""),
        where="dataset",
        expected="at least one root in each split that is asked for",
        remedy="Add data, change dataset.validation_fraction, test_fraction or seed, or unset the "
        "fraction",
    )


def _write_dropped(mixture: Mixture, out: OutputDraft) -> None:
    with out.dropped() as dropped:
        for note, reason in sorted(mixture.dropped, key=lambda item: (item[0].example_id, item[1])):
            dropped.add(note.example_id, reason)


def _names(sources: Sequence[Source], pool: _Pool, *, redacted: bool) -> Names:
    return Names(
        sources=[s.title.partition("/")[0] if redacted else s.title for s in sources],
        roots=_numbers(pool) if redacted else pool.names,
        origins=[
            (s.conversations.asset, s.conversations.digest, s.name.partition("/")[2])
            for s in sources
        ],
        redacted=redacted,
    )


def _numbers(pool: _Pool) -> list[str]:
    """Return a number for each root, by its earliest example: newer data changes none.

    No hash of an id would do: there are so few numbers of accounts that all can be tried.
    """
    first: dict[int, tuple[int, str]] = {}
    for note in pool.notes:
        place = (note.started_us or 0, note.example_id)
        first[note.root] = min(place, first.get(note.root, place))
    ranks = {root: rank for rank, root in enumerate(sorted(first, key=first.__getitem__), start=1)}
    return [f"root-{ranks[root]}" for root in range(len(first))]


def _shown(choices: Choices) -> dict[str, dict[str, object]]:
    """Return the settings that people are shown; words that are sensitive are only counted."""
    privacy = choices.general_privacy.identity()
    privacy["sensitive_words"] = len(choices.general_privacy.sensitive_words)
    tokenizer = choices.tokenizer.identity()
    tokenizer["model_id"] = _shown_model(choices.tokenizer.model_id)
    return {"dataset": choices.dataset.identity(), "privacy": privacy, "tokenizer": tokenizer}


def _shown_model(name: str) -> str:
    """Return a tokenizer's name without the folders of this machine, which may name a person."""
    return Path(name).name if Path(name).is_dir() else name
