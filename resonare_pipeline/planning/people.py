"""Who occurs in the exports that were read, and whom a word of the command line means.

Read from artifacts in the store alone: what is not read yet, nobody knows. A rule is made here, and
written elsewhere.
"""

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pyarrow as pa

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.manifest import Manifest
from resonare_pipeline.artifacts.store import STAGES, Store, folder_of
from resonare_pipeline.chats.forgetting import (
    NAME_ID,
    ForgetSettings,
    ForgottenPerson,
    Traces,
    name_parts,
)
from resonare_pipeline.errors import DamagedArtifactError, MissingFileError, UnknownPersonError
from resonare_pipeline.linked_people import PeopleSettings, whole_id
from resonare_pipeline.planning.graph import Graph, Stage
from resonare_pipeline.rows import bears_id_of_person

TABLE = "messages"  # the asset that holds who wrote what
MESSAGES_FILE = "messages.parquet"
CHATS_FILE = "chats.parquet"
LISTED = 10  # people named in an error
NOBODY: Mapping[str, ForgottenPerson] = MappingProxyType({})
_PERSONAL = "personal_chat"


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody in the exports.

    Attributes:
        names: Name → in how many messages.
    """

    id: str
    names: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """By which names a person is looked for in the texts of others.

    Attributes:
        names: Those that count.
        shared: Those that do not, since others go by them as well.
        short: Those that do not, since they are a single letter.
    """

    names: tuple[str, ...]
    shared: tuple[str, ...]
    short: tuple[str, ...]


def readers(graph: Graph) -> list[Stage]:
    """Return the stages that read exports of chats, and leave people out.

    The rule may hold for stages below as well, for what these add.
    """
    ruled = [stage for stage in graph.stages if ForgetSettings in stage.settings]
    return [stage for stage in ruled if TABLE in stage.assets]


def stages_below(graph: Graph, above: Iterable[Stage]) -> list[Stage]:
    """Return some stages and all that are made from them, in the graph's order."""
    names = {stage.name for stage in above}
    for stage in graph.stages:
        if any(graph.makers[asset].name in names for asset in stage.inputs):
            names.add(stage.name)
    return [stage for stage in graph.stages if stage.name in names]


def tables(graph: Graph, store: Store) -> Iterator[Manifest]:
    """Yield every artifact of chats and messages, old ones too."""
    for stage in readers(graph):
        yield from store.manifests(f"{STAGES}/{stage.name}")


def people(graph: Graph, store: Store) -> dict[str, Person]:
    """Return everybody who occurs in any artifact of chats and messages, by id."""
    found: dict[str, Person] = {}
    for manifest in tables(graph, store):
        try:
            for person_id, name, count in _mentioned(store, manifest):
                person = found.setdefault(person_id, Person(id=person_id))
                if name:
                    person.names[name] += count
        except (MissingFileError, DamagedArtifactError, pa.ArrowInvalid):
            continue  # nobody can be read from a damaged artifact
    return found


def _mentioned(store: Store, manifest: Manifest) -> Iterator[tuple[str, str | None, int]]:
    messages = store.artifact(manifest, TABLE)
    counts: Counter[tuple[str | None, str | None]] = Counter()
    for batch in messages.batches(MESSAGES_FILE, columns=["sender_id", "sender_name"]):
        counts.update(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    yield from ((person, name, count) for (person, name), count in counts.items() if person)
    chats = store.artifact(manifest, "chats")
    for row in chats.rows(CHATS_FILE, columns=["chat_id", "name", "kind", "participants"]):
        # With somebody who may never have answered: one of the participants, or the chat's id.
        silent = (person for person in row["participants"] if not person["messages"])
        yield from ((person["sender_id"], person["name"], 0) for person in silent)
        if row["kind"] == _PERSONAL and bears_id_of_person(row["chat_id"]):
            yield row["chat_id"], row["name"], 0


def message_ids(graph: Graph, store: Store, traces: Traces) -> dict[str, set[str]]:
    """Return the ids of all messages of some people, by folder of the partition."""
    found: dict[str, set[str]] = {}
    for manifest in tables(graph, store):
        theirs = found.setdefault(folder_of(manifest.partition), set())
        try:
            theirs.update(_their_ids(store.artifact(manifest, TABLE), traces))
        except (MissingFileError, DamagedArtifactError, pa.ArrowInvalid):
            continue
    return found


def _their_ids(messages: Artifact, traces: Traces) -> Iterator[str]:
    columns = ["message_id", "sender_id", "sender_name"]
    for batch in messages.batches(MESSAGES_FILE, columns=columns):
        senders = set(zip(*(batch.column(name).to_pylist() for name in columns[1:]), strict=True))
        theirs = {sender for sender in senders if traces.is_person(*sender)}
        if theirs:
            rows = zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
            yield from (row[0] for row in rows if row[1:] in theirs)


def resolve(
    wanted: str,
    known: Mapping[str, Person],
    ruled: Mapping[str, ForgottenPerson],
    linked: PeopleSettings | None = None,
) -> tuple[str, ...]:
    """Return the ids of the person whom a word means: several if they are linked.

    Args:
        wanted: A sender id, or a name as it stands in the exports, in the rule or in a link.
        known: Everybody in the exports.
        ruled: Whom the rule leaves out already, and who may occur nowhere any more.
        linked: Whose ids are one person's.

    Raises:
        UnknownPersonError: If it means nobody, or several people.
    """
    links = linked or PeopleSettings()
    person_id = whole_id(wanted)
    if person_id in ruled or person_id in known or person_id in links.by_id():
        return links.ids_with(person_id)
    names = {person.id: set(person.names) for person in known.values()}
    for key, link in links.people.items():
        for linked_id in link.ids:
            names.setdefault(linked_id, set()).update((key, links.name_of(key)))
    for ruled_id, person in ruled.items():
        names.setdefault(ruled_id, set()).update(person.names)
    is_meant = Traces(frozenset(), frozenset({wanted})).is_name
    ids = sorted(person_id for person_id, said in names.items() if any(map(is_meant, said)))
    own = [person_id for person_id in ids if NAME_ID not in person_id] or ids
    if len({links.ids_with(person_id) for person_id in own}) == 1:
        return links.ids_with(own[0])
    if own:
        raise UnknownPersonError(
            f"{len(own)} people have the name {wanted!r}",
            expected=f"one of the ids {_listed(own)}",
            remedy="Name the one by the id",
        )
    raise _unknown(wanted, names)


def _unknown(wanted: str, names: Mapping[str, set[str]]) -> UnknownPersonError:
    spelt = {name.casefold(): name for said in names.values() for name in said}
    spelt |= {word.casefold(): name for name in [*spelt.values()] for word in name.split()}
    spelt |= {person_id: person_id for person_id in names}
    close = difflib.get_close_matches(wanted.casefold(), spelt, n=3, cutoff=0.7)
    shown = dict.fromkeys(spelt[name] for name in close)
    return UnknownPersonError(
        f"nobody called {wanted!r} is in what was read of any export",
        expected="a sender id such as telegram:user1, or a name as it stands in an export",
        remedy=f"Did you mean {' or '.join(shown)}?"
        if shown
        else "Exports that were never read are not known here: resonare run chats",
    )


def _listed(items: list[str]) -> str:
    return ", ".join(items[:LISTED]) + (", …" if len(items) > LISTED else "")


def naming(
    ids: Collection[str],
    known: Mapping[str, Person],
    *,
    ruled: Mapping[str, ForgottenPerson] = NOBODY,
    called: Iterable[str] = (),
    more: Iterable[str] = (),
    kept: Iterable[str] = (),
) -> Naming:
    """Return by which names a person is to be looked for.

    A name that others go by, alone or as a part of theirs, would hit them.

    Args:
        ids: Those of the person.
        known: Everybody.
        ruled: What the rule says of them; its names, which may have been edited, stand for those
            in the exports.
        called: What else they are called, unless the rule tells of all their ids.
        more: Further names, such as nicknames, and handles with their `@`.
        kept: Names that are not looked for.
    """
    own = {one: [*known[one].names] if one in known else [] for one in ids}
    found = [name for one in ids if one not in ruled for name in own[one]]
    if any(one not in ruled for one in ids):
        found += called
    found += [part for name in found for part in name_parts(name)]
    said = [name for one in ids if one in ruled for name in ruled[one].names]
    wanted = dict.fromkeys([*said, *found, *more])
    refused = Traces(frozenset(), frozenset(kept))
    is_same = Traces(frozenset(ids), frozenset().union(*own.values())).is_person
    others = "\n".join(
        name
        for person in known.values()
        for name in person.names
        if person.id not in ids and not is_same(person.id, name)
    )
    names: list[str] = []
    shared: list[str] = []
    short: list[str] = []
    for name in filter(str.strip, wanted):
        if refused.is_name(name):
            continue
        if len(name.strip()) == 1 and name.isascii():
            short.append(name)
        elif Traces(frozenset(), frozenset({name})).anywhere.search(others):
            shared.append(name)
        else:
            names.append(name)
    return Naming(names=tuple(names), shared=tuple(shared), short=tuple(short))
