"""What the web UI shows of an artifact's content: first rows, examples, pages and plots.

Everything is cut to a bound before it becomes an event, since events are kept in Dagster's log, and
nothing is read that is not shown. Whether there may be previews at all is asked in one place, here.
"""

import base64
import datetime as dt
import json
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import dagster as dg
from dagster._core.storage.event_log import (
    ConsolidatedSqliteEventLogStorage,
    InMemoryEventLogStorage,
    SqliteEventLogStorage,
)

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import FileEntry
from resonare_pipeline.artifacts.reading import first_rows, main_file
from resonare_pipeline.planning.operation import UiSettings

LOCAL_ROWS = 10
NAME_SUFFIX = "_name"  # of what stages report, these are the names of people
LONGEST_CELL = 80  # characters
MOST_EXAMPLES = 3
MOST_TURNS = 12
LONGEST_TURN = 240  # characters
MOST_DOCUMENT_BYTES = 32_768  # a JSON document beyond it is no preview
MOST_PAGE_BYTES = 65_536
MOST_PLOT_BYTES = 65_536
PLOT_DENSITY = 2  # pixels of a plot's file in one pixel of the page

_LOCAL_LOGS = (
    SqliteEventLogStorage,
    ConsolidatedSqliteEventLogStorage,
    InMemoryEventLogStorage,
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_IMAGE = re.compile(r"!\[([^\]]*)\]\(([\w.-]+\.png)\)")


def preview_rows(settings: UiSettings, event_log: object) -> int:
    """Return how many rows may be shown; 0 means nothing of any file.

    Args:
        event_log: Dagster's storage of events. Where it is a database of its own, others may read
            it, so that somebody has to ask for previews.
    """
    if settings.preview_rows is not None:
        return settings.preview_rows
    return LOCAL_ROWS if isinstance(event_log, _LOCAL_LOGS) else 0


def previews(artifact: Artifact, rows: int) -> dict[str, dg.MetadataValue[Any]]:
    """Return metadata that shows an artifact's content.

    Args:
        rows: Most rows shown; with 0 nothing is shown, nor read.
    """
    if not rows:
        return {}
    files = {file.name: file for file in artifact.entry.files}
    pages = [file for name, file in files.items() if name.endswith(".md")]
    if pages:
        return _page(artifact, pages[0], files)
    main = main_file(artifact)
    if main.name.endswith(".jsonl"):
        return _examples(artifact, min(rows, MOST_EXAMPLES))
    if main.name.endswith(".json") and main.size > MOST_DOCUMENT_BYTES:
        return {}
    if main.name.endswith((".json", ".parquet")):
        return _table(artifact, rows)
    return {}


def reported(metadata: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """Return what a stage reported of its output; names of people count as content."""
    return {
        name: value for name, value in metadata.items() if rows or not name.endswith(NAME_SUFFIX)
    }


def _table(artifact: Artifact, rows: int) -> dict[str, dg.MetadataValue[Any]]:
    found = first_rows(artifact, rows)
    filled = [name for name in (found[0] if found else {}) if any(_is_set(r, name) for r in found)]
    names = sorted(filled, key=lambda name: name.endswith("_id"))  # ids are long and say little
    if not names:
        return {}
    records = [dg.TableRecord(data={name: cell(row.get(name)) for name in names}) for row in found]
    schema = dg.TableSchema(columns=[dg.TableColumn(name, "string") for name in names])
    return {"preview": dg.TableMetadataValue(records=records, schema=schema)}


def _is_set(row: Mapping[str, Any], name: str) -> bool:
    return row.get(name) not in (None, "", [])


def cell(value: object) -> str | int | float | bool:
    """Return a value as a table of the web UI takes it: one line, no longer than `LONGEST_CELL`."""
    if value is None:
        return ""
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    if isinstance(value, (list, dict)):
        count = f"{len(value)}: " if isinstance(value, list) else ""
        value = f"{count}{json.dumps(value, ensure_ascii=False, default=str)}"
    return _cut(" ".join(_plain(str(value)).split()), LONGEST_CELL)


def _plain(text: str) -> str:
    """Return a text without control characters and marks that turn the direction of writing."""
    return _CONTROLS.sub("", text)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _examples(artifact: Artifact, count: int) -> dict[str, dg.MetadataValue[Any]]:
    parts = [
        f"**{number}**\n\n{_fenced(list(_turns(row)))}"
        for number, row in enumerate(first_rows(artifact, count), start=1)
    ]
    return {"examples": dg.MetadataValue.md("\n\n".join(parts))} if parts else {}


def _turns(row: Mapping[str, Any]) -> Iterator[str]:
    turns = row.get("messages") or []
    for turn in turns[:MOST_TURNS]:
        yield f"{turn.get('role')}: {_cut(_plain(str(turn.get('content') or '')), LONGEST_TURN)}"
    if len(turns) > MOST_TURNS:
        yield f"… {len(turns) - MOST_TURNS} more turns"


def _fenced(lines: list[str]) -> str:
    """Return lines as they are: a fence longer than any in them keeps them from being markup."""
    text = "\n".join(lines)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def _page(
    artifact: Artifact, page: FileEntry, files: Mapping[str, FileEntry]
) -> dict[str, dg.MetadataValue[Any]]:
    """Return a page with the plots that it shows inside it: the web UI knows no files beside it."""
    with artifact.open(page.name) as stream:
        text = stream.read(MOST_PAGE_BYTES).decode(errors="ignore")
    if page.size > MOST_PAGE_BYTES:
        text = f"{text}\n\n…"

    def inside(image: re.Match[str]) -> str:
        title, name = image.groups()
        file = files.get(name)
        return _image(artifact, title, file) if file else title

    return {page.name.removesuffix(".md"): dg.MetadataValue.md(_IMAGE.sub(inside, text))}


def _image(artifact: Artifact, title: str, file: FileEntry) -> str:
    """Return a plot in Markdown at the size of its page.

    The web UI shows an image pixel by pixel, and so a plot of twice the density twice too large. An
    SVG around the PNG says how large it is meant to be.
    """
    if file.size > MOST_PLOT_BYTES:
        return title
    with artifact.open(file.name) as stream:
        content = stream.read()
    width, height = (side // PLOT_DENSITY for side in struct.unpack(">II", content[16:24]))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" '
        f'href="data:image/png;base64,{base64.b64encode(content).decode()}"/></svg>'
    )
    return f"![{title}](data:image/svg+xml,{quote(svg, safe=':/;,=+')})"
