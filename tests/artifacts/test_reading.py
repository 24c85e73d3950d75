import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.reading import first_rows, main_file
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.rows import CHATS, TIMESTAMP

SCHEMA = pa.schema({"number": pa.int64(), "at": TIMESTAMP})
START = dt.datetime(2024, 2, 29, 23, 59, 59, 123_456, tzinfo=dt.UTC)


def table(folder: Path, schema: pa.Schema, rows: list[dict[str, Any]]) -> Artifact:
    store = Store(LocalFiles(folder))
    out = store.output(store.attempt("s", "p", "f"), "a")
    with out.dropped() as dropped, out.table("a.parquet", schema) as writer:
        dropped.add("x", "why")
        for row in rows:
            writer.add(row)
    out.report(rows=len(rows))
    return out.staged()


def test_first_rows_of_a_table_are_its_rows_with_times_in_utc(tmp_path: Path) -> None:
    rows = [{"number": number, "at": START} for number in range(40_000)]
    artifact = table(tmp_path, SCHEMA, [*rows, {"number": -1, "at": None}])
    assert main_file(artifact).name == "a.parquet"
    assert first_rows(artifact, 2) == rows[:2]
    assert first_rows(artifact, 10**6)[-2:] == [rows[-1], {"number": -1, "at": None}]
    assert first_rows(artifact, 0) == []


def test_first_rows_have_times_inside_of_lists_as_text(tmp_path: Path) -> None:
    line = pa.struct([("said", pa.string()), ("at", TIMESTAMP)])
    lines = [{"said": "hi", "at": START}, {"said": "ho", "at": None}]
    artifact = table(tmp_path, pa.schema({"lines": pa.list_(line)}), [{"lines": lines}])
    [row] = first_rows(artifact, 1)
    assert row["lines"] == [
        {"said": "hi", "at": "2024-02-29 23:59:59.123456Z"},
        {"said": "ho", "at": None},
    ]


@pytest.mark.parametrize("count", [0, 5])
def test_first_rows_of_an_empty_table_are_none(tmp_path: Path, count: int) -> None:
    assert first_rows(table(tmp_path, CHATS, []), count) == []


def test_first_rows_with_times_import_no_pandas(tmp_path: Path) -> None:
    path = table(tmp_path, SCHEMA, [{"number": 1, "at": START}])
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from resonare_pipeline.artifacts.artifact import Artifact\n"
        "from resonare_pipeline.artifacts.files import LocalFiles\n"
        "from resonare_pipeline.artifacts.manifest import FileEntry, OutputEntry\n"
        "from resonare_pipeline.artifacts.reading import first_rows\n"
        "file = FileEntry(name='a.parquet', path=sys.argv[2], size=0, sha256='', version='')\n"
        "entry = OutputEntry(digest='', rows=1, dropped={}, files=(file,))\n"
        "files = LocalFiles(Path(sys.argv[1]))\n"
        "[row] = first_rows(Artifact('a', entry, files), 3)\n"
        "assert row['at'].year == 2024\n"
        "assert 'pandas' not in sys.modules\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path), path.file("a.parquet").path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
