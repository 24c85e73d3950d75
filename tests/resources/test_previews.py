import base64
import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import dagster as dg
import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.planning.operation import UiSettings
from resources.previews import LOCAL_ROWS, LONGEST_CELL, cell, preview_rows, previews

MOST_EVENT_BYTES = 600_000


def draft(folder: Path) -> OutputDraft:
    store = Store(LocalFiles(folder))
    return store.output(store.attempt("s", "p", "f"), "a")


def table(folder: Path, schema: pa.Schema, rows: list[dict[str, Any]]) -> Artifact:
    out = draft(folder)
    with out.table("rows.parquet", schema) as writer:
        for row in rows:
            writer.add(row)
    out.report(rows=len(rows))
    return out.staged()


def written(folder: Path, files: dict[str, bytes]) -> Artifact:
    out = draft(folder)
    for name, content in files.items():
        with out.open(name) as stream:
            stream.write(content)
    out.report(rows=1)
    return out.staged()


def png(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(stream, "PNG")
    return stream.getvalue()


def test_preview_of_a_table_shows_the_first_rows_of_its_filled_columns(tmp_path: Path) -> None:
    schema = pa.schema(
        {
            "row_id": pa.string(),
            "text": pa.string(),
            "never": pa.string(),
            "count": pa.int64(),
            "tags": pa.list_(pa.string()),
        }
    )
    rows = [
        {"row_id": str(number), "text": "x" * 500, "count": number, "tags": ["é"] * 3}
        for number in range(3_000)
    ]
    shown = previews(table(tmp_path, schema, rows), 4)["preview"]
    assert isinstance(shown, dg.TableMetadataValue)
    assert [column.name for column in shown.schema.columns] == ["text", "count", "tags", "row_id"]
    assert [record.data["row_id"] for record in shown.records] == ["0", "1", "2", "3"]
    assert shown.records[2].data == {
        "text": "x" * (LONGEST_CELL - 1) + "…",
        "count": 2,
        "tags": '3: ["é", "é", "é"]',
        "row_id": "2",
    }


def test_preview_of_an_empty_table_is_nothing(tmp_path: Path) -> None:
    assert previews(table(tmp_path, pa.schema([("text", pa.string())]), []), 10) == {}


def test_preview_of_conversations_is_a_few_short_examples(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "look: ```` <b>\u202e" + "y" * 9_000}] * 50
    line = msgspec.json.encode({"messages": turns}) + b"\n"
    shown = previews(written(tmp_path, {"train.jsonl": line * 100}), 10)["examples"].value
    assert isinstance(shown, str)
    assert shown.count("\n`````\nuser: look: ```` <b>y") == 3  # a longer fence than any inside
    assert shown.count("… 38 more turns") == 3
    assert "\u202e" not in shown
    assert len(shown) < 3 * 12 * 300


def test_preview_of_a_page_holds_its_plots_at_the_size_of_the_page(tmp_path: Path) -> None:
    page = "# Title\n\n![Months](months.png)\n\n![Gone](gone.png)\n"
    artifact = written(tmp_path, {"page.md": page.encode(), "months.png": png(1_600, 640)})
    shown = previews(artifact, 1)["page"].value
    assert isinstance(shown, str)
    [svg] = re.findall(r"!\[Months\]\(data:image/svg\+xml,([^()\s]+)\)", shown)
    assert 'width="800" height="320"' in unquote(svg)
    [inside] = re.findall(r"data:image/png;base64,([^\"]+)", unquote(svg))
    assert base64.b64decode(inside) == png(1_600, 640)
    assert "\nGone\n" in shown


def test_preview_of_a_large_page_is_bounded(tmp_path: Path) -> None:
    page = "![Plot](plot.png)\n" + "é" * 200_000
    noise = png(10, 10) + bytes(200_000)
    shown = previews(written(tmp_path, {"page.md": page.encode(), "plot.png": noise}), 10)["page"]
    assert isinstance(shown.value, str)
    assert shown.value.startswith("Plot\n")
    assert shown.value.endswith("…")
    assert len(shown.value.encode()) < MOST_EVENT_BYTES / 5


def test_preview_of_a_document_is_left_out_when_it_is_large(tmp_path: Path) -> None:
    small = written(tmp_path / "a", {"list.json": b'[{"name": "x", "size": 3}]'})
    shown = previews(small, 10)["preview"]
    assert isinstance(shown, dg.TableMetadataValue)
    assert shown.records[0].data == {"name": "x", "size": 3}
    large = written(tmp_path / "b", {"list.json": b"[" + b"1," * 50_000 + b"1]"})
    assert previews(large, 10) == {}


def test_preview_of_no_rows_reads_no_file(tmp_path: Path) -> None:
    artifact = written(tmp_path, {"page.md": b"names"})
    (tmp_path / artifact.file("page.md").path).unlink()
    assert previews(artifact, 0) == {}


@given(st.text() | st.none() | st.lists(st.text()) | st.dictionaries(st.text(), st.integers()))
def test_cell_of_any_value_is_one_short_line(value: object) -> None:
    shown = cell(value)
    assert isinstance(shown, str)
    assert len(shown) <= LONGEST_CELL
    assert "\n" not in shown


def test_preview_rows_unset_are_some_where_the_event_log_is_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with dg.DagsterInstance.ephemeral() as in_memory:
        assert preview_rows(UiSettings(), in_memory.event_log_storage) == LOCAL_ROWS
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as on_disk:
        assert preview_rows(UiSettings(), on_disk.event_log_storage) == LOCAL_ROWS
        assert preview_rows(UiSettings(preview_rows=0), on_disk.event_log_storage) == 0


def test_preview_rows_unset_are_none_where_the_event_log_is_any_other() -> None:
    some_database = object()
    assert preview_rows(UiSettings(), some_database) == 0
    assert preview_rows(UiSettings(preview_rows=5), some_database) == 5
