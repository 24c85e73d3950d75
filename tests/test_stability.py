"""Fingerprints and bytes that do not depend on where, when and by which Python they are made."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

PROGRAM = """
import json, sys
from pathlib import Path
from assets.graph import GRAPH
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import open_workspace
from resonare_pipeline.settings import Places

folder = Path(sys.argv[1])
places = Places(raw=sys.argv[2], store=str(folder / "s"), output=str(folder / "o"))
mock = {"completions.provider": "mock"}
workspace = open_workspace(GRAPH, overrides=mock, places=places, folder=folder)
print(json.dumps({
    f"{key} {asset}": [made.fingerprint, entry.digest]
    for stage in GRAPH.stages
    if not stage.on_request
    for key in (workspace.list_raw().keys(stage.raw) if stage.raw else [None])
    for made in [make(workspace, stage, key).manifest]
    for asset, entry in made.outputs.items()
}))
"""

CONDITIONS = {
    "plain": {},
    "hash seed": {"PYTHONHASHSEED": "12345"},
    "time zone": {"TZ": "Asia/Kathmandu"},
    "locale": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0"},
    "processes": {"RESONARE_TOKENIZER__WORKERS": "2", "RESONARE_MESSAGES__WORKERS": "2"},
}


def made_under(folder: Path, environ: dict[str, str]) -> dict[str, list[str]]:
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(ROOT / "data" / "sample")],
        env={**os.environ, **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made: dict[str, list[str]] = json.loads(done.stdout)
    return made


def test_sample_has_the_same_fingerprints_and_bytes_everywhere(tmp_path: Path) -> None:
    found = {name: made_under(tmp_path / name, environ) for name, environ in CONDITIONS.items()}
    chats, style, records, dataset = 4 * 7, 4 * 4, 5, 2
    assert len(found["plain"]) == chats + style + records + dataset
    for name, made in found.items():
        assert made == found["plain"], name
    folders = [tmp_path / name / "o" for name in CONDITIONS]
    first = {path.relative_to(folders[0]): path.read_bytes() for path in _files(folders[0])}
    of_the_dataset = len(("shard", "lines", "openai", "card", "summary", "report", "manifest"))
    of_style = len(("table", "page", "examples", "lines", "manifest")) + 4  # plots
    of_records = len(("batch", "filled", "lines", "manifest"))
    assert len(first) == 4 * (10 + of_style) + of_records + of_the_dataset
    for folder in folders[1:]:
        assert {path.relative_to(folder): path.read_bytes() for path in _files(folder)} == first


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
