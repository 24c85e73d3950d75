"""Lines that messages gain: what their links say, and what their images show.

What is asked for is gathered from all messages first, so that each link and each image is asked for
once. A message whose source says nothing stays as it was.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from resonare_pipeline.added_lines import IMAGE, added_line
from resonare_pipeline.chats.forgetting import Traces
from resonare_pipeline.chats.images.describing import Viewing, describe_images
from resonare_pipeline.chats.images.finding import ImageFile, ImageFiles, image_rows
from resonare_pipeline.chats.links.contents import link_line
from resonare_pipeline.chats.links.finding import links_of
from resonare_pipeline.chats.links.reading import read_links
from resonare_pipeline.chats.links.settings import LinksSettings
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.rows import MESSAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What is asked beside the messages.

    Attributes:
        links: How links are read; None: they are not.
        viewing: Who describes images; None: nobody does.
        images: The images of the export.
        environ: Variables, those of `.env` included.
        default_db: SQLite file of what links say, where `RESONARE_DB` names no database.
    """

    links: LinksSettings | None
    viewing: Viewing | None
    images: ImageFiles
    environ: Mapping[str, str]
    default_db: Path


@dataclass(slots=True, kw_only=True)
class Additions:
    """What messages gain.

    Attributes:
        links: Link → its line.
        images: Path of an image, as messages have it → its line.
        counts: What came of the sources, for people.
        warnings: What a person should know of them.
        retry_at: From when on what could not be read may be tried again; None: there is nothing.
    """

    links: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    retry_at: datetime | None = None


def find_additions(
    batches: Iterable[pa.RecordBatch], sources: Sources, *, progress: Progress = silent
) -> Additions:
    """Ask the sources what the links and images of some messages say and show.

    Raises:
        ResonareError: As `read_links` and `describe_images`.
    """
    links: dict[str, None] = {}
    paths: dict[str, None] = {}
    for batch in batches:
        if sources.links is not None:
            links.update((link, None) for _, found in link_rows(batch) for link in found)
        if sources.viewing is not None:
            paths.update((path, None) for _, path in image_rows(batch))
    additions = Additions()
    if sources.links is not None:
        _read_links(list(links), sources.links, sources, additions, progress)
    if sources.viewing is not None:
        _describe_images(list(paths), sources.viewing, sources, additions, progress)
    return additions


def without_people(additions: Additions, traces: Traces) -> Additions:
    """Return what messages gain with placeholders for people who are left out.

    It is done to lines and not to what they are made of, so that it holds wherever they come from.
    """
    return replace(
        additions,
        links={link: traces.without(line) for link, line in additions.links.items()},
        images={path: traces.without(line) for path, line in additions.images.items()},
    )


def add_lines(batch: pa.RecordBatch, additions: Additions) -> pa.RecordBatch:
    """Return a batch whose messages end in the lines of their links, then of their image.

    Nothing is put in front of a text, so that its entities stay where they are.
    """
    lines: dict[int, dict[str, None]] = {}
    for row, line in _lines_of(batch, additions):
        lines.setdefault(row, {})[line] = None
    if not lines:
        return batch
    texts = batch.column("text").to_pylist()
    for row, more in lines.items():
        texts[row] = "\n".join([*([texts[row]] if texts[row].strip() else []), *more])
    place = MESSAGES.get_field_index("text")
    return batch.set_column(place, MESSAGES.field("text"), pa.array(texts, pa.string()))


def _lines_of(batch: pa.RecordBatch, additions: Additions) -> Iterator[tuple[int, str]]:
    for row, found in link_rows(batch) if additions.links else ():
        yield from ((row, additions.links[link]) for link in found if link in additions.links)
    for row, path in image_rows(batch) if additions.images else ():
        if path in additions.images:
            yield row, additions.images[path]


def link_rows(batch: pa.RecordBatch) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a batch of messages that have links, each with these."""
    texts, entities = batch.column("text"), batch.column("entities")
    likely = pc.or_(
        pc.match_substring_regex(texts, r"(?i)(?:https?://|www\.)"),
        pc.fill_null(pc.greater(pc.list_value_length(entities), 0), fill_value=False),
    )
    for row in pc.indices_nonzero(likely).to_pylist():
        if found := links_of(texts[row].as_py(), entities[row].as_py()):
            yield row, found


def _read_links(
    links: list[str],
    settings: LinksSettings,
    sources: Sources,
    additions: Additions,
    progress: Progress,
) -> None:
    report = read_links(
        links, settings, sources.environ, default_db=sources.default_db, progress=progress
    )
    additions.links = {link: link_line(content) for link, content in report.contents.items()}
    additions.retry_at = report.retry_at
    additions.counts |= {
        "links": len(links),
        "links_read": len(report.contents),
        "links_that_say_nothing": _plain(report.final),
        "links_to_be_tried_again": _plain(report.retryable),
    }
    if report.retry_at is not None:
        additions.warnings.append(
            f"{report.retryable.total()} of {len(links)} links could not be read now; a run after "
            f"{report.retry_at:%Y-%m-%d %H:%M} UTC tries them again"
        )


def _describe_images(
    paths: list[str], viewing: Viewing, sources: Sources, additions: Additions, progress: Progress
) -> None:
    files: dict[str, ImageFile] = {}
    for path in paths:
        if (file := sources.images.find(path)) is not None:
            files[path] = file
    described = describe_images(files.values(), viewing, progress=progress)
    additions.images = {
        path: added_line(IMAGE, described.texts[file.sha256])
        for path, file in files.items()
        if file.sha256 in described.texts
    }
    additions.counts |= {
        "images": len(paths),
        "images_not_in_the_export": len(paths) - len(files),
        "images_described": len(described.texts),
        "images_left_as_they_are": _plain(described.left),
        "images_to_be_tried_again": _plain(described.waiting),
        "descriptions_from_cache": described.cached,
        "cost_usd": round(described.cost_usd, 6),
        "answers_of_unknown_price": described.unpriced,
    }
    if left := len(paths) - len(additions.images):
        additions.warnings.append(f"{left} of {len(paths)} images stay as they are")


def _plain(counts: Mapping[Any, int]) -> dict[str, int]:
    return {str(kind): count for kind, count in sorted(counts.items())}
