"""Which stages change when a module changes: the contract of code identity, as a table.

After a wanted change, write the table anew: `python tests/test_golden_code.py`.
"""

import json
from pathlib import Path

from assets.graph import GRAPH
from resonare_pipeline.planning.code import NEVER_COUNTED, code_identity, installed_sources
from resonare_pipeline.planning.graph import Stage

GOLDEN = Path(__file__).parent / "data" / "code_identity.json"
ROOT = Path(__file__).parents[1]
PACKAGES = ("resonare_pipeline", "assets", "resources")


def modules() -> list[str]:
    """Return the names of all modules of the project."""
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    names = [path.relative_to(ROOT).with_suffix("").as_posix() for path in paths]
    return [name.removesuffix("/__init__").replace("/", ".") for name in names]


def identity(stage: Stage, mutated: str = "") -> dict[str, str]:
    """Return a stage's code identity, as if one module had another statement at its end."""

    def sources(module: str) -> str | None:
        text = installed_sources(module)
        return f"{text}\n_MUTATED = 1\n" if text is not None and module == mutated else text

    functions = [function for function in (stage.function, stage.verify) if function]
    merged: dict[str, str] = {}
    for function in functions:
        merged |= code_identity(function, sources=sources)
    return merged


def table() -> dict[str, list[str]]:
    """Return module → names of the stages whose identity changes with it."""
    before = {stage.name: identity(stage) for stage in GRAPH.stages}
    return {
        module: [
            stage.name for stage in GRAPH.stages if identity(stage, module) != before[stage.name]
        ]
        for module in modules()
    }


def test_mutating_each_module_changes_the_stages_of_the_golden_table() -> None:
    assert table() == json.loads(GOLDEN.read_text())


def test_modules_never_counted_change_no_stage() -> None:
    golden = json.loads(GOLDEN.read_text())
    for listed in NEVER_COUNTED:
        prefix = listed.removesuffix(".__init__")
        below = (
            [prefix]
            if prefix != listed
            else [
                module for module in golden if module == prefix or module.startswith(f"{prefix}.")
            ]
        )
        assert below
        assert all(golden[module] == [] for module in below)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(table(), indent=1) + "\n")
