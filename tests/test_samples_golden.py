"""What every sample export comes to, from the raw file to train.jsonl, with the default settings.

After a wanted change, write the numbers anew: `python tests/test_samples_golden.py`.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from assets.graph import GRAPH
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import open_workspace
from resonare_pipeline.settings import Places

ROOT = Path(__file__).parents[1]
EXPORTS = (*sorted((ROOT / "tests/data/telegram").glob("*.json")),)
SYNTHETIC = (*sorted((ROOT / "data/sample/chats").iterdir()),)
GOLDEN = ROOT / "tests" / "data" / "samples.json"


def counts(export: Path, folder: Path) -> dict[str, Any]:
    """Make everything of one export and count it.

    The bounds are the defaults but for the minimum: most of these files are short.
    """
    chats = folder / "raw" / "chats"
    chats.mkdir(parents=True)
    if export.is_dir():
        shutil.copytree(export, chats / export.name)
    else:
        shutil.copy(export, chats)
    places = Places(
        raw=str(folder / "raw"), store=str(folder / "store"), output=str(folder / "output")
    )
    workspace = open_workspace(
        GRAPH, overrides={"blocks.min_tokens_per_block": "16"}, places=places, folder=folder
    )
    [key] = workspace.list_raw().keys(GRAPH.raw_kinds()[0])
    found: dict[str, Any] = {}
    for stage in (stage for stage in GRAPH.stages if stage.group == "chats"):
        for asset, entry in make(workspace, stage, key).manifest.outputs.items():
            found[asset] = {"rows": entry.rows, "dropped": entry.dropped}
    lines = (folder / "output/chats" / key / "train.jsonl").read_text().splitlines()
    found["turns"] = sum(len(json.loads(line)["messages"]) for line in lines)
    return found


@pytest.mark.parametrize("export", [*EXPORTS, *SYNTHETIC], ids=lambda path: path.stem)
def test_sample_export_gives_the_golden_counts(export: Path, tmp_path: Path) -> None:
    found = counts(export, tmp_path)
    assert found == json.loads(GOLDEN.read_text())[export.stem]
    # Every message is in a block or dropped with a reason; the rows of `blocks` say how many.
    assert found["chat_conversations"]["rows"] == found["blocks"]["rows"]


def test_every_golden_sample_is_still_there() -> None:
    golden = json.loads(GOLDEN.read_text())
    assert set(golden) == {export.stem for export in (*EXPORTS, *SYNTHETIC)}


if __name__ == "__main__":
    table: dict[str, Any] = {}
    for path in (*EXPORTS, *SYNTHETIC):
        with tempfile.TemporaryDirectory() as temporary:
            table[path.stem] = counts(path, Path(temporary))
    GOLDEN.write_text(json.dumps(table, indent=1) + "\n")
