"""Lines that messages gain: what their links say, and what their images show.

What is asked for is gathered from all messages first, so that each link and each image is asked for
once. A message whose source says nothing stays as it was.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
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

IMAGES_REST = timedelta(hours=1)
"""From then on images are asked for again whose answers may still come."""


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


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is known already, from when the same messages were told of before.

    Attributes:
        links: SHA-256 of a link → its line.
        images: SHA-256 of an image → its line.
    """

    links: dict[str, str] = {}
    images: dict[str, str] = {}


@dataclass(slots=True, kw_only=True)
class Additions:
    """What messages gain.

    Attributes:
        links: Link → its line.
        images: Path of an image, as messages have it → its line.
        told: What of it a later try need not ask for.
        counts: What came of the sources, for people.
        warnings: What a person should know of them.
        retry_at: From when on what could not be read may be tried again; None: there is nothing.
    """

    links: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    told: Told = field(default_factory=Told)
    counts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    retry_at: datetime | None = None

    def try_again(self, at: datetime | None) -> None:
        """Note from when on something may be tried again; the earliest counts."""
        if at is not None:
            self.retry_at = min(self.retry_at or at, at)


def find_additions(
    batches: Iterable[pa.RecordBatch],
    sources: Sources,
    *,
    told: Told | None = None,
    progress: Progress = silent,
) -> Additions:
    """Ask the sources what the links and images of some messages say and show.

    Args:
        batches: The messages.
        sources: Who is asked.
        told: What need not be asked for.
        progress: Told of links and images.

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
    additions = Additions(told=told or Told())
    if sources.links is not None:
        _read_links(list(links), sources.links, sources, additions, progress)
    if sources.viewing is not None:
        _describe_images(list(paths), sources.viewing, sources, additions, progress)
    return additions


def without_people(additions: Additions, traces: Traces) -> Additions:
    """Return what messages gain with placeholders for people who are left out.

    It is done to lines and not to what they are made of, so that it holds wherever they come from.
    """

    def cleared(lines: Mapping[str, str]) -> dict[str, str]:
        return {source: traces.without(line) for source, line in lines.items()}

    told = additions.told
    return replace(
        additions,
        links=cleared(additions.links),
        images=cleared(additions.images),
        told=Told(links=cleared(told.links), images=cleared(told.images)),
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
    keys = {link: hashlib.sha256(link.encode()).hexdigest() for link in links}
    told = additions.told.links
    missing = [link for link in links if keys[link] not in told]
    report = read_links(
        missing, settings, sources.environ, default_db=sources.default_db, progress=progress
    )
    lines = told | {keys[link]: link_line(said) for link, said in report.contents.items()}
    additions.links = {link: lines[keys[link]] for link in links if keys[link] in lines}
    additions.told = msgspec.structs.replace(additions.told, links=lines)
    additions.try_again(report.retry_at)
    additions.counts |= {
        "links": len(links),
        "links_read": len(additions.links),
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
    told = additions.told.images
    missing = [file for file in files.values() if file.sha256 not in told]
    described = describe_images(missing, viewing, progress=progress)
    lines = told | {sha: added_line(IMAGE, text) for sha, text in described.texts.items()}
    additions.images = {
        path: lines[file.sha256] for path, file in files.items() if file.sha256 in lines
    }
    additions.told = msgspec.structs.replace(additions.told, images=lines)
    if described.waiting:
        additions.try_again(datetime.now(UTC) + IMAGES_REST)
    additions.counts |= {
        "images": len(paths),
        "images_not_in_the_export": len(paths) - len(files),
        "images_described": len(lines),
        "images_left_as_they_are": _plain(described.left),
        "images_to_be_tried_again": _plain(described.waiting),
        "descriptions_from_cache": described.cached,
        "cost_usd": round(described.cost_usd, 6),
        "answers_of_unknown_price": described.unpriced,
    }
    if left := len(paths) - len(additions.images):
        reasons = {"not in the export": len(paths) - len(files)}
        reasons |= _plain(described.left) | _plain(described.waiting)
        why = ", ".join(f"{reason} {count}" for reason, count in reasons.items() if count)
        additions.warnings.append(f"{left} of {len(paths)} images stay as they are: {why}")


def _plain(counts: Mapping[Any, int]) -> dict[str, int]:
    return {str(kind): count for kind, count in sorted(counts.items())}
