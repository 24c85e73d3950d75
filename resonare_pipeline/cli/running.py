"""`resonare run`: plan, make what is missing, and say what came of it."""

from dataclasses import dataclass, field

from resonare_pipeline.cli.display import Display
from resonare_pipeline.cli.early import early_work
from resonare_pipeline.cli.home import ensure_dagster_home
from resonare_pipeline.cli.interrupts import noted_interrupts
from resonare_pipeline.cli.request import Request
from resonare_pipeline.errors import ResonareError
from resonare_pipeline.planning.delivery import delivery_folder, laid_files
from resonare_pipeline.planning.made import Cache, Listener, Made, listening
from resonare_pipeline.planning.making import use_hit
from resonare_pipeline.planning.plan import Entry

INTERRUPTED = 130  # exit code; what shells give for a command that SIGINT has ended


@dataclass(slots=True, kw_only=True)
class RunReport:
    """What a run came to.

    Attributes:
        made: Stages made or found, in order.
        failures: Full partition name → what went wrong.
        runs: Ids of the Dagster runs that were started.
    """

    made: list[Made] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)


def run_request(request: Request, *, force: bool, as_json: bool) -> int:
    """Make what a request asks for, and return the exit code.

    One failing partition never stops the others. An interruption does: what is finished stays, and
    what was being made leaves nothing behind.
    """
    display = Display(quiet=as_json)
    report = RunReport()
    try:
        request.require_inputs()
        carry_out(request, report, display, force=force)
    except KeyboardInterrupt:
        display.interrupted(report)
        return INTERRUPTED
    display.report(request, report, as_json=as_json)
    return 1 if report.failures else 0


def carry_out(
    request: Request, report: RunReport, display: Display, *, force: bool = False
) -> None:
    """Make what a request asks for, and add to the report what came of it.

    Raises:
        KeyboardInterrupt: If the run was interrupted; the report holds what was made by then.
    """
    parts: dict[str, list[Entry]] = {}
    for entry in request.entries(request.plan()):
        parts.setdefault(partition_name(entry), []).append(entry)
    with display.progress(), noted_interrupts() as interrupts:
        for number, (name, entries) in enumerate(parts.items(), start=1):
            display.partition(number, len(parts))
            if entries[0].partition is None and number > 1:
                entries = _as_they_stand(request, name)
            run_part(request, name, entries, report, display, force=force)
            interrupts.raise_if_asked()


def _as_they_stand(request: Request, name: str) -> list[Entry]:
    """Plan a group without partitions again, now that all that it gathers was made or failed."""
    entries = request.entries(request.plan(as_it_stands=True))
    return [entry for entry in entries if partition_name(entry) == name]


def run_part(
    request: Request,
    name: str,
    entries: list[Entry],
    report: RunReport,
    display: Display,
    *,
    force: bool,
) -> None:
    """Make some stages of one partition, or of a group that has none; failures go to the report."""
    partition = entries[0].partition
    failed = next((entry.error for entry in entries if entry.error), None)
    if failed is not None:
        report.failures[name] = str(failed)
        return
    if not force and all(entry.is_whole for entry in entries):
        try:
            report.made += [use_hit(request.workspace, entry) for entry in entries]
        except ResonareError as error:  # a place for deliverables that cannot be written
            report.failures[name] = str(error)
        return
    ensure_dagster_home(request.data_folder)
    made: dict[str, Made] = {}
    listener = Listener(
        started=display.started, made=lambda item: made.update({item.stage.name: item})
    )
    try:
        with listening(listener), early_work(request.workspace, entries, force=force):
            from resonare_pipeline.cli.orchestrating import run_partition

            stages = [entry.stage for entry in entries]
            outcome = run_partition(request, stages, partition, force=force)
    finally:
        report.made += made.values()
    report.runs.append(outcome.run_id)
    if outcome.error:
        report.failures[name] = outcome.error


def partition_name(entry: Entry) -> str:
    """Return a partition's full name, as settings spell it, or the group of what has none."""
    if entry.stage.raw is None:
        return entry.stage.group
    return f"{entry.stage.raw.folder}/{entry.partition}"


def as_object(request: Request, report: RunReport) -> dict[str, object]:
    """Return a run's report as plain data."""
    return {
        "stages": [
            {
                "asset": asset,
                "partition": made.partition,
                "cache": made.cache.value,
                "seconds": made.seconds,
                "rows": entry.rows,
                "dropped": entry.dropped,
            }
            for made in report.made
            for asset, entry in made.manifest.outputs.items()
        ],
        "outputs": output_folders(request, report),
        "failures": report.failures,
        "runs": report.runs,
    }


def output_folders(request: Request, report: RunReport) -> dict[str, list[str]]:
    """Return the files that people take away, by folder."""
    output = request.workspace.output
    folders = dict.fromkeys(
        delivery_folder(made.stage, made.partition) for made in report.made if made.stage.delivers
    )
    return {output.locate(folder): sorted(laid_files(output, folder)) for folder in folders}


def misses(report: RunReport) -> int:
    """Count the stages that were made and not found."""
    return sum(made.cache is Cache.MISS for made in report.made)
