"""`resonare batch split | submit | collect`."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from resonare_pipeline.cli.batch_collecting import Collecting
from resonare_pipeline.cli.batch_display import BatchDisplay
from resonare_pipeline.cli.batch_opening import Chosen, choose, named_batches
from resonare_pipeline.cli.batch_reports import (
    part_object,
    print_collected,
    print_interrupted,
    print_parts,
    print_submitted,
    reading,
    result_object,
)
from resonare_pipeline.cli.filling import INTERRUPTED
from resonare_pipeline.completions.batches.batch import Batch
from resonare_pipeline.completions.batches.by_hand import (
    Prepared,
    own_limits,
    prepare,
    require_cost_within_cap,
    stage,
)
from resonare_pipeline.completions.batches.checking import InputFile
from resonare_pipeline.completions.batches.driving import Driver
from resonare_pipeline.completions.batches.hand_made import submissions
from resonare_pipeline.completions.batches.rounds import Standing
from resonare_pipeline.completions.batches.splitting import split_file
from resonare_pipeline.errors import SettingsError

TRIES = 4  # looks that find nobody there, before a submission without --wait gives up
PAUSE_SECONDS = 1.0


def run_split(
    file: Path,
    folder: Path | None,
    *,
    max_lines: int | None,
    max_bytes: int | None,
    max_tokens: int | None,
    as_json: bool,
) -> int:
    """Split an input file, say what is in each part, and return the exit code.

    Raises:
        InputError: For a file that is none of a batch's requests.
        StoreError: If the parts cannot be written.
    """
    settings = choose(None).settings
    limits = own_limits(settings)
    limits = msgspec.structs.replace(
        limits,
        lines=max_lines or limits.lines,
        bytes=max_bytes or limits.bytes,
        tokens=limits.tokens if max_tokens is None else lambda _model: max_tokens,
    )
    with reading(file) as report:
        parts = split_file(
            InputFile(file, report),
            folder or file.parent,
            limits,
            assumed_output_tokens=settings.assumed_output_tokens,
        )
    if as_json:
        files = [{"path": str(path), **part_object(part, settings)} for path, part in parts]
        _print_json({"source": str(file), "files": files})
    else:
        print_parts(parts, settings, limits)
    return 0


def run_submit(
    files: Sequence[Path],
    folder: Path | None,
    env: Path | None,
    *,
    wait: bool,
    again: bool,
    as_json: bool,
) -> int:
    """Submit input files, and return the exit code: 1 if a part of one was not.

    With `wait`, stay until they have ended, write what came of them, and return 1 if a request has
    no answer.

    Raises:
        InputError: For a file that is none of a batch's requests; nothing is submitted then.
        StageError: For one that was submitted before, and if the provider refuses.
        BudgetError: If they would cost more than they may.
    """
    if folder is not None and not wait:
        raise SettingsError(
            "-o says where results go, which only --wait brings",
            expected="-o with --wait",
            remedy="`resonare batch collect -o FOLDER` brings them later",
        )
    chosen = choose(env)
    try:
        with chosen.driver() as driver:
            prepared = _prepare(driver, chosen, files, again=again)
            made = [stage(driver, one) for one in prepared]
            ids = [name for some in made for name in some]
            if not wait:
                return _submit(driver, chosen, prepared, made, as_json=as_json)
            wanted = _with_siblings(driver, ids)
            collecting = Collecting(driver, chosen.settings, folder, wanted, resplits=True)
            return _wait(collecting, driver, chosen, as_json=as_json)
    except KeyboardInterrupt:
        print_interrupted()
        return INTERRUPTED


def _prepare(
    driver: Driver, chosen: Chosen, files: Sequence[Path], *, again: bool
) -> list[Prepared]:
    """Look at all files before any of them is submitted."""
    driver.advance()  # what a dead process has left behind is settled first
    driver.refused.clear()
    prepared: dict[str, Prepared] = {}
    for path in files:
        with reading(path) as report:
            one = prepare(driver.ledger, chosen.settings, path, again=again, report=report)
        if one.file.digest in prepared:
            raise SettingsError(
                "it is the same file as another one that was named",
                where=str(path),
                expected="each file once",
            )
        prepared[one.file.digest] = one
    require_cost_within_cap(list(prepared.values()), chosen.settings)
    return list(prepared.values())


def _submit(
    driver: Driver,
    chosen: Chosen,
    prepared: Sequence[Prepared],
    made: Sequence[Sequence[str]],
    *,
    as_json: bool,
) -> int:
    ids = [name for some in made for name in some]
    for _ in range(TRIES):
        driver.advance()
        left = [one for one in _batches(driver, ids) if one.remote is None]
        if not left or not (driver.unreached or any(one.is_enqueued for one in left)):
            break
        time.sleep(min(PAUSE_SECONDS, chosen.settings.batch_poll_seconds))
    for batch in _batches(driver, ids):
        if batch.remote is None and not batch.is_enqueued and batch.state.is_live:
            driver.cancel(batch)
    parts = [_batches(driver, some) for some in made]
    paths = [one.file.path for one in prepared]
    if as_json:
        found = [
            {"source": str(path), "batches": [batch_object(batch) for batch in some]}
            for path, some in zip(paths, parts, strict=True)
        ]
        _print_json({"files": found, "unreached": driver.unreached})
    else:
        print_submitted(list(zip(paths, parts, strict=True)), unreached=driver.unreached)
    _raise_refusal(driver, ids)
    return 0 if all(batch.remote is not None for some in parts for batch in some) else 1


def _raise_refusal(driver: Driver, ids: Sequence[str]) -> None:
    for name in ids:
        if name in driver.refused:
            raise driver.refused[name]


def _batches(driver: Driver, ids: Sequence[str]) -> list[Batch]:
    return [batch for name in ids for batch in driver.ledger.batches(batch=name)]


def batch_object(batch: Batch) -> dict[str, Any]:
    """Return a batch as `--json` shows it."""
    return {
        "id": batch.batch,
        "remote": batch.remote,
        "state": str(batch.state),
        "status": batch.status,
        "model": batch.model,
        "url": batch.url,
        "lines": batch.lines,
        "bytes": batch.bytes,
        "tokens": batch.tokens,
        "detail": batch.detail,
    }


def _with_siblings(driver: Driver, ids: Sequence[str]) -> set[str]:
    """Return ids of batches, with those of the same submissions."""
    wanted = set(ids)
    for one in submissions(driver.ledger, written=True):
        own = {item.batch.batch for item in one.batches}
        if own & wanted:
            wanted |= own
    return wanted


def run_collect(
    ids: Sequence[str], folder: Path | None, env: Path | None, *, wait: bool, as_json: bool
) -> int:
    """Fetch what came of batches, and return the exit code: 1 if a request has no answer.

    Raises:
        UnknownBatchError: For an id that the ledger does not know.
        StageError: If the provider refuses for good, or is not there for long.
    """
    chosen = choose(env)
    try:
        with chosen.driver() as driver:
            wanted = None
            if ids:
                named = named_batches(driver.ledger, ids)
                wanted = _with_siblings(driver, [batch.batch for batch in named])
            collecting = Collecting(driver, chosen.settings, folder, wanted)
            if wait:
                return _wait(collecting, driver, chosen, as_json=as_json)
            collecting.look()
            return _report(collecting, driver, as_json=as_json)
    except KeyboardInterrupt:
        print_interrupted()
        return INTERRUPTED


def _wait(collecting: Collecting, driver: Driver, chosen: Chosen, *, as_json: bool) -> int:
    with BatchDisplay(verbose=not as_json).waiting() as show:
        while collecting.look():
            show(Standing(live=tuple(collecting.pending), unreached=driver.unreached))
            time.sleep(chosen.settings.batch_poll_seconds)
    if collecting.wanted:
        _raise_refusal(driver, sorted(collecting.wanted))
    return _report(collecting, driver, as_json=as_json)


def _report(collecting: Collecting, driver: Driver, *, as_json: bool) -> int:
    if as_json:
        _print_json(
            {
                "results": [result_object(one) for one in collecting.written],
                "campaigns": [
                    {"campaign": b.campaign, "answered": b.answered, **batch_object(b)}
                    for b in collecting.settled
                ],
                "under_way": [batch_object(batch) for batch in collecting.pending],
                "errors": [str(error) for error in collecting.errors],
                "unreached": driver.unreached,
            }
        )
    else:
        print_collected(collecting, unreached=driver.unreached)
    lacks = any(one.failed for one in collecting.written)
    return 1 if lacks or collecting.errors or driver.unreached else 0


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
