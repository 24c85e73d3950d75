"""`resonare people`: who is in the exports, and tables that would link them.

Shows ids, names and counts; neither texts nor numbers of phones. Changes nothing.
"""

import json
import sys

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resonare_pipeline.cli.request import Request
from resonare_pipeline.linked_people import PeopleSettings
from resonare_pipeline.planning.people import readers
from resonare_pipeline.planning.phones import same_phones
from resonare_pipeline.planning.proposals import Known, Proposal, as_toml, known_people, propose

LISTED = 200  # people in the table; all of them are in the JSON
LISTED_NAMES = 3
LISTED_EXPORTS = 20


def show_people(request: Request, *, as_json: bool) -> int:
    """Print who is in the exports and which links are proposed, and return the exit code."""
    workspace = request.workspace
    linked = workspace.settings.section(PeopleSettings)
    known, unread = known_people(workspace)
    kinds = [stage.raw for stage in readers(workspace.graph) if stage.raw]
    proposals = propose(known, linked, same_phones(workspace.list_raw(), kinds))
    if as_json:
        _write_json(known, proposals, unread, linked)
        return 0
    console = Console()
    if not known:
        console.print(_nobody(unread), highlight=False)
        return 0
    console.print(_table(known[:LISTED], linked))
    if len(known) > LISTED:
        console.print(f"… and {len(known) - LISTED} more, see --json")
    if unread:
        console.print(f"Not read as they are now: {_named(unread)}", highlight=False)
        console.print("To read them: resonare run chats", highlight=False)
    if not proposals:
        console.print("No links to propose")
        return 0
    console.print(f"{len(proposals)} links to propose; paste into resonare.toml what is right:\n")
    sys.stdout.write(as_toml(proposals, linked.people))
    return 0


def _nobody(unread: list[str]) -> str:
    """Say why nobody is known, and what to do."""
    if unread:
        return (
            f"Nothing has been read yet of {len(unread)} exports ({_named(unread)}).\n"
            "Read them first: resonare run chats"
        )
    return (
        "There is no export of chats, or nobody in any.\n"
        "Put one below data/raw/chats, then: resonare run chats"
    )


def _named(exports: list[str]) -> str:
    more = len(exports) - LISTED_EXPORTS
    return escape(", ".join(exports[:LISTED_EXPORTS])) + (f" and {more} more" if more > 0 else "")


def _table(known: list[Known], linked: PeopleSettings) -> Table:
    """Return people as a table that fits 60 columns: what is seldom said has no column."""
    table = Table(
        "person", "names", "exports", "messages", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    table.columns[0].no_wrap = True  # an id that is in two pieces cannot be copied
    table.columns[3].justify = "right"
    for column in table.columns:
        column.overflow = "fold"
    links = linked.by_id()
    for one in known:
        names = [name for name, _ in one.names.most_common(LISTED_NAMES)]
        exports = (
            f"{export} (owner)" if export in one.owner_of else export
            for export in sorted(one.exports)
        )
        said = f"\nlinked as {links[one.id][1]}" if one.id in links else ""
        table.add_row(
            escape(one.id),
            escape(", ".join(names) + said),
            escape(", ".join(exports)),
            f"{one.messages:,}",
        )
    return table


def _write_json(
    known: list[Known], proposals: list[Proposal], unread: list[str], linked: PeopleSettings
) -> None:
    links = linked.by_id()
    people = [
        {
            "id": one.id,
            "names": dict(one.names.most_common()),
            "exports": sorted(one.exports),
            "messages": one.messages,
            "owner_of": sorted(one.owner_of),
            "linked_as": links[one.id][1] if one.id in links else None,
        }
        for one in known
    ]
    proposed = [
        {"name": one.name, "ids": one.ids, "owner": one.owner, "why": one.why} for one in proposals
    ]
    document = {"people": people, "proposals": proposed, "unread": unread}
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
