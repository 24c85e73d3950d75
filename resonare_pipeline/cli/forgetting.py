"""`resonare forget`: a rule, removal of what held the person, the same made again, a last look.

The order keeps a crash harmless: first the rule, then history, then artifacts from below, so that
those which name the person go last. Running the command again does what is missing. Nothing of any
text is shown.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resonare_pipeline.artifacts.databases import compact, count_in, databases
from resonare_pipeline.artifacts.store import UNPARTITIONED, folder_of
from resonare_pipeline.chats.forgetting import ForgetSettings
from resonare_pipeline.cli.display import Display
from resonare_pipeline.cli.home import dagster_home
from resonare_pipeline.cli.remembered import Line, clear_links
from resonare_pipeline.cli.request import Request, open_request
from resonare_pipeline.cli.running import RunReport, carry_out
from resonare_pipeline.cli.unreached import unreached
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.planning.forgetting import Intent, concerned, intend, left, ruled_below
from resonare_pipeline.planning.people import people
from resonare_pipeline.planning.removal import Removed, remove
from resonare_pipeline.planning.rule_file import write_rule

LISTED = 20  # files that still hold the person, named one by one
Reopen = Callable[[], Request]


def forget(
    reopen: Reopen,
    wanted: str,
    *,
    more: list[str],
    kept: list[str],
    dry_run: bool,
    confirm: Callable[[], bool],
) -> int:
    """Forget a person, and return the exit code: 1 if anything of them is left within reach.

    Args:
        reopen: Opens the project as it stands now; again after the rule is written.
        wanted: A sender id or a name.
        more: Further names that they go by.
        kept: Names that are not looked for.
        dry_run: Only say what would be done.
        confirm: Asks whether to go on.
    """
    console = Console()
    request = reopen()
    with console.status("Looking through store and deliverables"):
        intent = intend(request.workspace, wanted, more=more, kept=kept)
    _show(console, intent)
    if dry_run:
        _show_unreached(console, request, intent)
        return 0
    if not confirm():
        console.print("Nothing was changed")
        return 1
    folder = request.workspace.folder
    written = [write_rule(folder, person_id, intent.rule) for person_id in intent.ids]
    if any(written):
        console.print(f"Wrote the rule into {escape(str(folder / 'resonare.toml'))}")
    return _carry_out(console, reopen(), intent)


def _carry_out(console: Console, request: Request, intent: Intent) -> int:
    workspace = request.workspace
    in_force = workspace.settings.section(ForgetSettings).people
    if not in_force.keys() >= set(intent.ids):
        raise SettingsError(
            "the rule is not in force", where="forget.people", remedy="Is it set elsewhere, too?"
        )
    current = request.plan()
    folders = {*intent.holdings, *map(folder_of, concerned(current, intent))}
    history = _clear_history(request, intent, folders)
    removed = remove(
        workspace.store,
        workspace.outputs,
        intent.stages[::-1],
        folders - {UNPARTITIONED},
        current,
        intent.retired,
    )
    console.print(
        f"Removed {removed.artifacts} artifacts, {removed.rejected} rejected attempts, "
        f"{removed.deliverables} deliverables and {history.runs} runs of Dagster's history",
        highlight=False,
    )
    failures = _make_again(console, request, intent, removed)
    cleared = clear_links(request, intent)
    if cleared.links:
        console.print(f"Forgot what links said that name them: {cleared.links}", highlight=False)
    found = _left(request, intent)
    _show_unreached(console, request, intent, [*history.unreached, *cleared.unreached])
    _show_left(console, found)
    return 1 if found or failures else 0


def _make_again(
    console: Console, request: Request, intent: Intent, removed: Removed
) -> dict[str, str]:
    """Make what was removed, under the rule."""
    graph = request.workspace.graph
    current = request.plan()
    keys = concerned(current, intent)
    more = ruled_below(current, intent, request.workspace.store)
    keys = list(dict.fromkeys([*keys, *more]))
    names = set(removed.stages)
    if intent.was_ruled:  # an earlier try may have removed more
        names |= {stage.name for stage in intent.stages if not stage.on_request}
    stages = graph.upstream(stage for stage in intent.stages if stage.name in names)
    if not keys or not stages:
        return {}
    again = replace(request, stages=stages, partitions=tuple(keys))
    report = RunReport()
    carry_out(again, report, Display(quiet=False))
    for name, why in report.failures.items():
        console.print(f"[red]failed[/] {escape(name)}: {escape(why)}", highlight=False)
    made = sum(item.cache.value == "miss" for item in report.made)
    console.print(
        f"Made {made} stages of {len(keys)} exports again: {escape(', '.join(keys))}",
        highlight=False,
    )
    return report.failures


class _History(NamedTuple):
    """How Dagster's history was cleared: runs deleted, and what is still in it."""

    runs: int = 0
    unreached: tuple[Line, ...] = ()


def _clear_history(request: Request, intent: Intent, folders: Collection[str]) -> _History:
    """Take runs of some partitions, and all of none, out of Dagster's history, if there is one."""
    home = dagster_home(request.data_folder)
    if not (home / "history").is_dir() and not (home / "dagster.yaml").is_file():
        return _History()
    import dagster as dg

    from resources.run_history import delete_partitions, delete_runs, is_on_this_machine

    def tells_of_them(key: str | None, text: str) -> bool:
        of_theirs = bool(folders) if key is None else folder_of(key) in folders
        return of_theirs or bool(intent.sought.count_beside_names(text))

    with dg.DagsterInstance.from_config(str(home)) as instance:
        count = delete_runs(instance, tells_of_them)
        for kind in request.workspace.graph.raw_kinds():
            delete_partitions(instance, kind.partitions, intent.retired)
        is_here = is_on_this_machine(instance)
    lines = [
        (f"{path} is in use, and may keep what was deleted in free pages; end what uses it", "")
        for path in databases(home)
        if not compact(path)
    ]
    if count and not is_here:
        why = "keeps the last materialization of each asset until the next, and deleted rows longer"
        lines.append((f"the database of Dagster's history {why}", ""))
    return _History(count, tuple(lines))


def _left(request: Request, intent: Intent) -> list[str]:
    """Return every place within reach that still holds the person."""
    found = left(request.workspace, intent)
    home = dagster_home(request.data_folder)
    for path in databases(home) if home.is_dir() else ():
        places = count_in(path, intent.sought.count_beside_names)
        if places:
            shown = ", ".join(f"{name}: {count}" for name, count in places.items())
            found.append(f"{path} ({shown})")
    return found


def _show_person(console: Console, intent: Intent) -> None:
    console.print(f"[bold]{escape(', '.join(intent.ids))}[/]", highlight=False)
    if intent.link:
        console.print(f"one person, by {escape(intent.link)}", highlight=False, soft_wrap=True)
    names = ", ".join(intent.naming.names) or "none"
    console.print(f"also looked for in texts of others, as whole words: {escape(names)}")
    for why, others in (
        ("others go by it as well", intent.naming.shared),
        ("a single letter", intent.naming.short),
    ):
        if others:
            console.print(f"not looked for, {why}: {escape(', '.join(others))}", highlight=False)


def _show(console: Console, intent: Intent) -> None:
    _show_person(console, intent)
    table = Table("export", "files", "messages", "texts of others")
    for column in table.columns[1:]:
        column.justify = "right"
    for folder, holding in intent.holdings.items():
        shown = "all together" if folder == UNPARTITIONED else folder
        gone = " (raw input is gone)" if folder in intent.retired else ""
        table.add_row(
            escape(f"{shown}{gone}"),
            f"{holding.files:,}",
            f"{holding.messages:,}",
            f"{holding.mentions:,}",
        )
    if intent.holdings:
        console.print("What holds them is removed, and made again without them:")
        console.print(table)
    else:
        console.print("Nothing that was made holds them")
    if intent.gathering:
        names = ", ".join(intent.gathering)
        console.print(f"made of all exports together, and made again: {names}", highlight=False)
    for path in intent.elsewhere[:LISTED]:
        console.print(f"holds one of the names, and is no chat's: {escape(path)}", highlight=False)


def _show_unreached(
    console: Console, request: Request, intent: Intent, more: Iterable[Line] = ()
) -> None:
    console.print("[bold]Out of reach[/], and what to do:", highlight=False)
    for what, command in (*more, *unreached(request, intent)):
        console.print(f"- {escape(what)}", highlight=False)
        if command:
            console.print(f"    {escape(command)}", highlight=False, soft_wrap=True)


def _show_left(console: Console, found: list[str]) -> None:
    if not found:
        console.print("Searched store, deliverables and history: nothing of them is left")
        return
    console.print(f"[red]{len(found)} files still hold them[/]:")
    for line in found[:LISTED]:
        console.print(f"- {escape(line)}", highlight=False, soft_wrap=True)
    console.print("Run this again when no other run is going on")


def list_forgotten(request: Request) -> int:
    """Print whom the rule leaves out, and return the exit code."""
    console = Console()
    ruled = request.workspace.settings.section(ForgetSettings).people
    known = people(request.workspace.graph, request.workspace.store)
    for person_id, person in ruled.items():
        seen = "occurs in artifacts" if person_id in known else "occurs nowhere"
        names = ", ".join(person.names)
        console.print(f"{escape(person_id)}: {escape(names)} ({seen})", highlight=False)
    console.print(f"{len(ruled)} people are left out", highlight=False)
    return 0


def reopening(raw: str | None, store: str | None, output: str | None) -> Reopen:
    """Return what opens the project in the working folder."""
    return lambda: open_request(None, None, None, raw=raw, store=store, output=output)
