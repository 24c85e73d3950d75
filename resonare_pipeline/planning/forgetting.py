"""What forgetting a person takes: who is meant, where they stand, which rule follows from it.

Looks and decides; deletes and writes nothing. A name in an export that was never read is not known
here, but the rule holds for it as well.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from resonare_pipeline.artifacts.files import Files
from resonare_pipeline.artifacts.searching import Found, Sought, search
from resonare_pipeline.artifacts.store import (
    HASHES,
    REJECTED,
    STAGES,
    UNPARTITIONED,
    Store,
    folder_of,
)
from resonare_pipeline.chats.forgetting import (
    DIGEST_DIGITS,
    ForgetSettings,
    ForgottenPerson,
    Traces,
)
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.linked_people import PeopleSettings, with_whole_ids
from resonare_pipeline.planning.graph import Stage
from resonare_pipeline.planning.links import named_place, refuse_other_links
from resonare_pipeline.planning.people import (
    TABLE,
    Naming,
    message_ids,
    naming,
    people,
    readers,
    resolve,
    stages_below,
)
from resonare_pipeline.planning.plan import Entry, Plan, Status, plan
from resonare_pipeline.planning.raw import RawInput, RawListing
from resonare_pipeline.planning.workspace import Workspace

MESSAGES_NAME = "/messages.parquet"


@dataclass(slots=True, kw_only=True)
class Holding:
    """How one partition, or what has none, holds a person.

    Attributes:
        files: In store and deliverables.
        messages: Of theirs, in any artifact.
        mentions: Texts of others in which they occur, at most in any one artifact.
    """

    files: int = 0
    messages: int = 0
    mentions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Everything that forgetting one person takes.

    Attributes:
        ids: Of the person; all of them where a link in resonare.toml says that they are one's.
        link: The table of resonare.toml that links them, as it is to be taken out by hand; empty if
            none does.
        rule: As it will stand in resonare.toml for each of the ids.
        was_ruled: Whether it stood there before in some form, for any of them.
        holdings: Folder of the partition → what of it holds the person.
        gathering: Stages that were made from all exports together, and will be again.
        retired: Those of the folders whose raw input is gone.
        elsewhere: Files that hold them and are made from other inputs than exports of chats.
        inputs: Raw inputs of the partitions that hold them.
        named_inputs: Raw inputs whose own names hold them.
        sought: What is looked for afterwards.
    """

    ids: tuple[str, ...]
    link: str
    naming: Naming
    rule: ForgottenPerson
    was_ruled: bool
    stages: tuple[Stage, ...]
    holdings: dict[str, Holding]
    gathering: tuple[str, ...]
    retired: frozenset[str]
    elsewhere: tuple[str, ...]
    inputs: tuple[RawInput, ...]
    named_inputs: tuple[RawInput, ...]
    sought: Sought


@dataclass(slots=True)
class _Survey:
    """Where a person was found."""

    holdings: dict[str, Holding] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)

    def add(self, folder: str, found: Found) -> None:
        holding = self.holdings.setdefault(folder, Holding())
        holding.files += 1
        if found.path.endswith(MESSAGES_NAME):
            holding.mentions = max(holding.mentions, found.places.get("text", 0))


def intend(
    workspace: Workspace,
    wanted: str,
    *,
    more: Iterable[str] = (),
    kept: Collection[str] = (),
    on_read: Callable[[int], None] = lambda _: None,
) -> Intent:
    """Find a person everywhere, and say what forgetting them takes.

    Args:
        workspace: The project.
        wanted: A sender id, or a name.
        more: Further names that others call them by.
        kept: Names that are not to be looked for, such as those that are common words.
        on_read: Told of bytes that were looked through.

    Raises:
        UnknownPersonError: If nobody is meant, or several people are.
        SettingsError: If a setting names them, which manifests would repeat, or if they are other
            people in some exports.
    """
    ruled = workspace.settings.section(ForgetSettings).people
    linked = workspace.settings.section(PeopleSettings)
    known = people(workspace.graph, workspace.store)
    ids = resolve(wanted, known, ruled, linked)
    refuse_other_links(workspace, ids)
    key = linked.key_of(ids[0])
    called = [linked.people[key].name] if key is not None and linked.people[key].name else []
    named = naming(ids, known, ruled=ruled, called=called, more=more, kept=kept)
    traces = Traces.of(dict.fromkeys(ids, ForgottenPerson(names=named.names)))
    _refuse_named(workspace, traces, key)
    listing = workspace.list_raw()
    stages = tuple(stages_below(workspace.graph, readers(workspace.graph)))
    messages = message_ids(workspace.graph, workspace.store, traces)
    names = _named_names(workspace, listing, traces)
    sought = Sought(
        pattern=traces.anywhere,
        likely=traces.likely,
        message_ids=frozenset().union(*messages.values()),
        ignored=tuple(names),
        partitions=tuple(
            f"{kind.folder}/{name}" for kind in workspace.graph.raw_kinds() for name in names
        ),
    )
    survey = _survey(workspace, stages, sought, on_read)
    for folder, theirs in messages.items():
        if theirs:
            survey.holdings.setdefault(folder, Holding()).messages = len(theirs)
    held = survey.holdings.keys()
    inputs = [item for item in listing.inputs.values() if _folder(item) in held]
    there = {folder_of(item.key) for item in listing.inputs.values()}
    return Intent(
        ids=ids,
        link="" if key is None else named_place(workspace.folder, PeopleSettings.section, key),
        naming=named,
        rule=ForgottenPerson(
            names=named.names,
            clear=_clear(workspace, listing, [ruled.get(one) for one in ids], named.names, held),
        ),
        was_ruled=any(one in ruled for one in ids),
        stages=stages,
        holdings=dict(sorted(survey.holdings.items())),
        gathering=tuple(_gathering(workspace, stages)) if held else (),
        retired=frozenset(held - there - {UNPARTITIONED}),
        elsewhere=tuple(survey.elsewhere),
        inputs=tuple(inputs),
        named_inputs=tuple(
            item
            for item in listing.inputs.values()
            if any(map(traces.anywhere.search, (item.key, *item.entries)))
        ),
        sought=sought,
    )


def _folder(item: RawInput) -> str:
    return folder_of(item.key)


def _gathering(workspace: Workspace, stages: Iterable[Stage]) -> Iterator[str]:
    for stage in stages:
        is_made = next(workspace.store.manifests(f"{STAGES}/{stage.name}"), None) is not None
        if stage.raw is None and not stage.on_request and is_made:
            yield stage.name


def _refuse_named(workspace: Workspace, traces: Traces, key: str | None) -> None:
    """Refuse a setting that names the person, or the table that links them, as a persona may."""
    for where, name, value in workspace.settings.values():
        # Manifests keep hashes of both, and no link reaches where nobody linked is any more.
        if name.startswith((f"{ForgetSettings.section}.", f"{PeopleSettings.section}.")):
            continue
        said = with_whole_ids(str(value))
        words = value if isinstance(value, list) else [value]
        if key in words or traces.anywhere.search(str(value)) or traces.anywhere.search(said):
            raise SettingsError(
                f"the setting {name} names the person",
                where=where,
                remedy="Take the name out there first: every artifact made with it repeats it, and "
                "the rule leaves the person out by itself",
            )


def _named_names(workspace: Workspace, listing: RawListing, traces: Traces) -> list[str]:
    """Return names of inputs and places that hold the person's, which files repeat."""
    names = {manifest.partition or "" for manifest in workspace.store.manifests()}
    places = (workspace.raw, workspace.store.files, *workspace.outputs)
    for place in (str(workspace.folder), *(files.locate("") for files in places)):
        names |= set(PurePosixPath(place).parts)
    for item in listing.inputs.values():
        names |= {item.key, *(part for path in item.entries for part in PurePosixPath(path).parts)}
    return sorted(filter(traces.anywhere.search, names), key=len, reverse=True)


def _survey(
    workspace: Workspace,
    stages: Collection[Stage],
    sought: Sought,
    on_read: Callable[[int], None],
) -> _Survey:
    survey = _Survey()
    names = {stage.name for stage in stages}
    partitioned = {stage.group: stage.raw is not None for stage in stages}
    for files, found in _everywhere(workspace, sought, on_read):
        root, kind, *rest = [*found.path.split("/"), "", ""]
        if root in (STAGES, REJECTED) and files is workspace.store.files:
            reached, folder = kind in names, rest[0]
        else:  # a deliverable: <group>/<partition>/<file>, or <group>/<file>
            reached, folder = root in partitioned, kind if partitioned.get(root) else UNPARTITIONED
        if reached:
            survey.add(folder, found)
        else:
            survey.elsewhere.append(files.locate(found.path))
    return survey


def _everywhere(
    workspace: Workspace, sought: Sought, on_read: Callable[[int], None]
) -> Iterator[tuple[Files, Found]]:
    store = workspace.store.files
    for root in (STAGES, REJECTED, HASHES):
        yield from ((store, found) for found in search(store, root, sought, on_read=on_read))
    for output in workspace.outputs:
        for group in workspace.graph.groups():
            found = search(output, group, sought, on_read=on_read)
            yield from ((output, item) for item in found)


def _clear(
    workspace: Workspace,
    listing: RawListing,
    before: Collection[ForgottenPerson | None],
    names: Iterable[str],
    held: Collection[str],
) -> tuple[str, ...]:
    """Return the digests of exports that are known to hold nothing of the person.

    For a person who was in the rule before, artifacts that were made since tell nothing of exports
    that were not clear then.
    """
    known = [set(one.clear) for one in before if one is not None]
    is_settled = all(one is not None and set(one.names) == set(names) for one in before)
    clear = set.intersection(*known) if is_settled else set()
    holding: set[str] = set()
    for entry in _readings(workspace, listing):
        if entry.ingredients is None or entry.partition is None:
            continue
        digest = next(iter(entry.ingredients.inputs.values()))[:DIGEST_DIGITS]
        if folder_of(entry.partition) in held:
            holding.add(digest)
        elif entry.status is Status.HIT and all(digest in one for one in known):
            clear.add(digest)
    return tuple(sorted(clear - holding))


def _readings(workspace: Workspace, listing: RawListing) -> list[Entry]:
    own = readers(workspace.graph)
    current = plan(workspace.graph, workspace.settings, listing, workspace.store, targets=own)
    return [entry for entry in current.entries.values() if entry.stage in own]


def concerned(current: Plan, intent: Intent) -> list[str]:
    """Return the partitions that must be removed and made again under the rule.

    Those that held the person; and where an earlier try may have been cut short, all whose reading
    the rule concerns.
    """
    keys: dict[str, None] = {}
    for entry in current.entries.values():
        if entry.partition is None or TABLE not in entry.stage.assets:
            continue
        ruled = intent.was_ruled and _is_ruled(entry, intent)
        if folder_of(entry.partition) in intent.holdings or ruled:
            keys[entry.partition] = None
    return list(keys)


def ruled_below(current: Plan, intent: Intent, store: Store) -> list[str]:
    """Return partitions that are clear, but gain texts for which the rule holds none the less.

    Only those of which that stage was made before: nothing is asked of anybody for the first time.
    """
    return [
        entry.partition
        for entry in current.entries.values()
        if entry.partition is not None
        and TABLE not in entry.stage.assets
        and _is_ruled(entry, intent)
        and store.newest(entry.stage.name, entry.partition) is not None
    ]


def _is_ruled(entry: Entry, intent: Intent) -> bool:
    """Tell whether a stage that can be made leaves the person out."""
    settings = entry.settings.get(ForgetSettings)
    return (
        isinstance(settings, ForgetSettings)
        and entry.ingredients is not None
        and entry.stage.heeds(ForgetSettings, entry.settings)
        and not settings.people.keys().isdisjoint(intent.ids)
    )


def left(
    workspace: Workspace, intent: Intent, on_read: Callable[[int], None] = lambda _: None
) -> list[str]:
    """Return the files, with places in them, that still hold the person, but for `elsewhere`."""
    lines = []
    for files, found in _everywhere(workspace, intent.sought, on_read):
        path = files.locate(found.path)
        if path not in intent.elsewhere:
            places = ", ".join(f"{name or 'text'}: {count}" for name, count in found.places.items())
            lines.append(f"{path} ({places})")
    return lines
