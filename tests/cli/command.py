"""How tests call the command line."""

import json
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
