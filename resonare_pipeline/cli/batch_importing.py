"""`resonare batch import`."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from resonare_pipeline.cli.batch_opening import choose
from resonare_pipeline.cli.batch_reports import console, dollars
from resonare_pipeline.completions.batches.importing import (
    Imported,
    asked_models,
    import_results,
    require_importable,
)


def run_import(
    outputs: Sequence[Path], inputs: Sequence[Path] | None, env: Path | None, *, as_json: bool
) -> int:
    """Take results into the cache, and return the exit code: 1 if a line brought nothing.

    Raises:
        SettingsError: For a provider whose answers are in no batch's files.
        InputError: For a file that is not what it should be.
        CacheError: If the cache cannot be used.
    """
    chosen = choose(env)
    require_importable(chosen.settings)
    asked = asked_models(inputs, chosen.settings) if inputs else None
    with chosen.cache() as cache:
        told = import_results(cache, chosen.settings, outputs, asked)
    if as_json:
        sys.stdout.write(json.dumps(dataclasses.asdict(told)) + "\n")
    else:
        _print(told, chosen.settings.endpoint_name())
    return 1 if told.failed or told.foreign or told.unasked or told.malformed else 0


def _print(told: Imported, endpoint: str) -> None:
    out = console()
    out.print(
        f"{told.stored:,} answers of {endpoint} are new in the cache, "
        f"{dollars(told.cost_usd, told.unpriced)}; {told.known:,} were there",
        markup=False,
    )
    left = {
        "have no answer": told.failed,
        "have a custom_id that is no key of the cache": told.foreign,
        "are asked in no input file, or for another endpoint": told.unasked,
        "are malformed": told.malformed,
    }
    for what, count in left.items():
        if count:
            out.print(f"[red]left out[/] {count:,} lines {what}")
