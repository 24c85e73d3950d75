"""A process that stages a file and is killed before anything of it is sent."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os
from pathlib import Path
from resonare_pipeline.cli.batch_opening import choose
from resonare_pipeline.completions.batches.by_hand import prepare, stage
chosen = choose(None)
with chosen.driver() as driver:
    stage(driver, prepare(driver.ledger, chosen.settings, Path("in.jsonl"), again=False))
    os._exit(0)
"""


def stage_and_die(project: Path) -> None:
    """Stage `in.jsonl` in a project's folder."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
