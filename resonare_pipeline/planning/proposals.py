"""Who is in the exports as they were read, and which ids may be one person's.

Only proposals are made here; nothing is linked unless it is written down in resonare.toml. Of
numbers of phones it is known who shares one, never the number.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.chats.forgetting import NAME_ID
from resonare_pipeline.linked_people import PeopleSettings
from resonare_pipeline.planning.people import CHATS_FILE, MESSAGES_FILE, readers
from resonare_pipeline.planning.plan import plan
from resonare_pipeline.planning.workspace import Workspace
from resonare_pipeline.rows import bears_id_of_person

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PERSONAL = "personal_chat"


@dataclass(slots=True, kw_only=True)
class Known:
    """Somebody in the exports.

    Attributes:
        names: Name → in how many messages.
        messages: Of theirs, an export counted as often as it was read.
        exports: Full names of the exports that they are in.
        owner_of: Those that are theirs.
    """

    id: str
    names: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    exports: set[str] = field(default_factory=set)
    owner_of: set[str] = field(default_factory=set)

    @property
    def source(self) -> str:
        """The app whose id this is."""
        return self.id.partition(":")[0]

    @property
    def name(self) -> str:
        """The name that most messages have, or the id."""
        return min(self.names, key=lambda name: (-self.names[name], name), default=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Ids that may be one person's, and why."""

    name: str
    ids: tuple[str, ...]
    owner: bool
    why: tuple[str, ...]


def known_people(workspace: Workspace) -> tuple[list[Known], list[str]]:
    """Return who is in the exports, and the exports that were not read as they are now."""
    found: dict[str, Known] = {}
    unread: list[str] = []
    current = plan(
        workspace.graph,
        workspace.settings,
        workspace.list_raw(),
        workspace.store,
        targets=readers(workspace.graph),
    )
    for entry in current.entries.values():
        if entry.stage not in readers(workspace.graph) or entry.partition is None:
            continue
        if entry.manifest is None:
            unread.append(entry.partition)
            continue
        assets = (workspace.store.artifact(entry.manifest, name) for name in ("messages", "chats"))
        _note(found, entry.partition, *assets)
    return sorted(found.values(), key=lambda one: (-one.messages, one.id)), sorted(unread)


def _note(found: dict[str, Known], export: str, messages: Artifact, chats: Artifact) -> None:
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for batch in messages.batches(MESSAGES_FILE, columns=["sender_id", "sender_name"]):
        counts.update(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    for (person_id, name), count in counts.items():
        if person_id is not None:
            _add(found, person_id, export, name, count)
    for row in chats.rows(CHATS_FILE, columns=["chat_id", "name", "kind", "participants"]):
        if row["kind"] == _PERSONAL and bears_id_of_person(row["chat_id"]):
            _add(found, row["chat_id"], export, row["name"], 0)
        for person in row["participants"]:
            one = _add(found, person["sender_id"], export, person["name"], 0)
            if person["is_owner"]:
                one.owner_of.add(export)


def _add(
    found: dict[str, Known], person_id: str, export: str, name: str | None, count: int
) -> Known:
    one = found.setdefault(person_id, Known(id=person_id))
    one.messages += count
    one.exports.add(export)
    if name and name != person_id:
        one.names[name] += count
    return one


def propose(
    known: Sequence[Known],
    linked: PeopleSettings,
    same_phone: Iterable[Sequence[str]] = (),
) -> list[Proposal]:
    """Return which ids may be one person's, those with most messages first.

    Ids of one source are taken for several people, so that a name that two of them have there
    proposes nothing.

    Args:
        known: Everybody.
        linked: Who is linked already, and is not proposed again.
        same_phone: Ids that share a phone's number.
    """
    people = {one.id: one for one in known}
    done = linked.by_id().keys()
    groups: dict[frozenset[str], list[str]] = {}
    for ids, why in (
        *((ids, "the same phone's number") for ids in map(frozenset, same_phone)),
        *((ids, f"the same name, {name}") for name, ids in _same_names(known)),
        (frozenset(one.id for one in known if one.owner_of), "both are the owner of an export"),
    ):
        present = frozenset(person for person in ids if person in people)
        is_new = not present <= done and len(present) > 1
        if is_new and len({people[person].source for person in present}) == len(present):
            groups.setdefault(present, []).append(why)
    found = [_proposal([people[person] for person in ids], why) for ids, why in groups.items()]
    return sorted(found, key=lambda proposal: (not proposal.owner, proposal.name, proposal.ids))


def _same_names(known: Sequence[Known]) -> Iterator[tuple[str, frozenset[str]]]:
    by_name: dict[str, set[str]] = {}
    shown: dict[str, str] = {}
    for one in known:
        for name in one.names:
            folded = _folded(name)
            by_name.setdefault(folded, set()).add(one.id)
            shown.setdefault(folded, name)
    for folded, ids in sorted(by_name.items()):
        yield shown[folded], frozenset(ids)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _proposal(people: list[Known], why: list[str]) -> Proposal:
    ordered = sorted(people, key=lambda one: (NAME_ID in one.id, -one.messages, one.id))
    return Proposal(
        name=max(ordered, key=lambda one: len(one.names) > 0).name,
        ids=tuple(one.id for one in ordered),
        owner=all(one.owner_of for one in ordered),
        why=tuple(why),
    )


def as_toml(proposals: Iterable[Proposal], taken: Iterable[str] = ()) -> str:
    """Return proposals as tables of resonare.toml, each with its reasons above it.

    Args:
        taken: Names of the tables that there are already.
    """
    used = set(taken)
    tables = []
    for proposal in proposals:
        key = _free_key(proposal.name, used)
        lines = [
            f"# {_one_line('; '.join(proposal.why))}",
            f"[people.{key}]",
            f"ids = {_list(proposal.ids)}",
        ]
        lines.append(f"name = {_quoted(proposal.name)}")
        if proposal.owner:
            lines.append("owner = true")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def _free_key(name: str, used: set[str]) -> str:
    base = re.sub(r"[^\w-]+", "_", name.casefold()).strip("_") or "person"
    key = next(key for key in _numbered(base) if key not in used)
    used.add(key)
    return key if _BARE_KEY.fullmatch(key) else _quoted(key)


def _numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}_{number}"
        number += 1


def _one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, items))}]"


def _quoted(text: str) -> str:
    # A string of JSON is one of TOML, but for the control characters that both must escape.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
