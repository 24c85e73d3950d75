"""The numbers of a dataset, from the notes of its examples: what `summary.json` holds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from resonare_pipeline.datasets.candidates import Note
from resonare_pipeline.datasets.languages import UNKNOWN
from resonare_pipeline.datasets.mixing import Mixture, Taken
from resonare_pipeline.datasets.openai import FEWEST_EXAMPLES, training_estimate
from resonare_pipeline.datasets.settings import DatasetSettings, MixtureSettings
from resonare_pipeline.datasets.sources import Source
from resonare_pipeline.datasets.splits import TRAIN
from resonare_pipeline.datasets.summary import SourceSummary, SplitSummary, Summary
from resonare_pipeline.datasets.writing import Written

LISTED = 20  # languages; the rest are few


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All that is known of a dataset once it is written.

    Attributes:
        notes: Of every example that sources offered.
        mixtures: By number of source.
        extra_notes: Sentences for people.
    """

    notes: Sequence[Note]
    mixture: Mixture
    written: Mapping[str, Written]
    sources: Sequence[Source]
    mixtures: Sequence[MixtureSettings]
    extra_notes: Sequence[str]


def summarise(
    made: Inventory,
    *,
    settings: DatasetSettings,
    redacted: bool,
    absent: tuple[str, ...],
    tokenizer: str,
    shown: dict[str, dict[str, object]],
) -> Summary:
    """Return the numbers of a dataset."""
    rows = [taken.note for split in made.mixture.splits.values() for taken in split]
    kept = list({id(note): note for note in rows}.values())
    splits = {
        name: _split(made.mixture.splits[name], written) for name, written in made.written.items()
    }
    train = splits[TRAIN]
    training = training_estimate(
        train.openai_examples,
        train.openai_tokens,
        epochs=settings.openai_epochs,
        usd_per_million_tokens=settings.openai_usd_per_million_tokens,
    )
    mocks = sum(note.mock for note in rows)
    return Summary(
        name=settings.name,
        license=settings.license,
        examples=len(rows),
        tokens=sum(note.tokens for note in rows),
        redacted=redacted,
        sources={
            source.title: _source(number, source, made, rows)
            for number, source in enumerate(made.sources)
        },
        splits=splits,
        dropped=_sorted(Counter(str(reason) for _, reason in made.mixture.dropped)),
        redactions=_total(note.redactions for note in kept),
        left=_total(note.left for note in kept),
        languages=_languages(rows),
        absent=absent,
        mock_examples=mocks,
        notes=(*made.extra_notes, *_warnings(train, mocks, redacted=redacted)),
        training=training,
        tokenizer=tokenizer,
        settings=shown,
    )


def _warnings(train: SplitSummary, mocks: int, *, redacted: bool) -> list[str]:
    notes: list[str] = []
    if train.openai_examples < FEWEST_EXAMPLES:
        notes.append(
            f"OpenAI trains on no fewer than {FEWEST_EXAMPLES} examples; train has "
            f"{train.openai_examples}"
        )
    if mocks:
        notes.append(f"{mocks} examples hold answers of a mock; they cannot be published")
    if not redacted:
        notes.append("texts are not redacted, or not every kind in every source (privacy)")
    return notes


def _split(rows: Sequence[Taken], written: Written) -> SplitSummary:
    return SplitSummary(
        examples=len(rows),
        roots=len({taken.note.root for taken in rows}),
        turns=sum(taken.note.turns for taken in rows),
        tokens=sum(taken.note.tokens for taken in rows),
        trained_tokens=sum(taken.note.trained_tokens for taken in rows),
        num_bytes=written.num_bytes,
        openai_examples=written.openai_examples,
        openai_left_out=_sorted(written.openai_left_out),
        openai_tokens=written.openai_tokens,
    )


def _source(number: int, source: Source, made: Inventory, rows: Sequence[Note]) -> SourceSummary:
    own = [note for note in rows if note.source == number]
    kept = {id(note): note for note in own}.values()
    dropped = Counter(str(reason) for note, reason in made.mixture.dropped if note.source == number)
    return SourceSummary(
        asset=source.conversations.asset,
        read=source.conversations.entry.rows,
        examples=len(own),
        tokens=sum(note.tokens for note in own),
        weight=made.mixtures[number].weight,
        dropped=_sorted(dropped),
        redactions=_total(note.redactions for note in kept),
    )


def _total(counts: Iterable[Mapping[str, int] | None]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for item in counts:
        total.update(item or {})
    return _sorted(total)


def _languages(rows: Sequence[Note]) -> dict[str, int]:
    counts = Counter(note.language or UNKNOWN for note in rows)
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:LISTED]
    return dict(most)


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
