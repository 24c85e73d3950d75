"""How tests call the command line."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data" / "telegram"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def caches(self) -> dict[tuple[str | None, str], str]:
        stages = self.json["stages"]
        return {(stage["partition"], stage["asset"]): stage["cache"] for stage in stages}


Resonare = Callable[..., Outcome]


def imported_by(folder: Path, *arguments: str) -> set[str]:
    """Run the command in a process of its own, and return the modules that it imported."""
    program = (
        "import sys\n"
        "from resonare_pipeline.cli import main\n"
        f"sys.argv = {['resonare', *arguments]!r}\n"
        "try:\n    main()\n"
        "except SystemExit as left:\n    assert left.code in (0, None), left.code\n"
        "sys.stderr.write('\\n'.join(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def peak_memory_mb(folder: Path, *arguments: str) -> tuple[str, float]:
    """Run the command in a process of its own, and return what it said and the most it held."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from resonare_pipeline.cli import main\n"
        f"sys.argv = {['resonare', *arguments]!r}\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "lines = Path('/proc/self/status').read_text().splitlines()\n"
        "print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return " ".join(done.stderr.split()), int(done.stdout.split()[-1]) / 1024
