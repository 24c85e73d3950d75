"""Which links call notes, and which elements are these. Notes are written where they are called.

A link calls a note if the book says so (`epub:type`, `role`), or if it looks like a call (a number
or a sign) and leads to something that leads back, or that stands among notes.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from resonare_pipeline.books.trees import BLOCK_TAGS, Node, has_text, walk
from resonare_pipeline.books.visibility import is_unseen

CALLS = frozenset({"noteref", "annoref"})
NOTES = frozenset(
    {"footnote", "endnote", "rearnote", "note", "footnotes", "endnotes", "rearnotes", "annotation"}
)
BACK = frozenset({"backlink", "referrer"})
NOTE_CLASS = re.compile(r"(foot|end|rear)[-_]?note|\bnotes?\b|\bfn\b", re.IGNORECASE)
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "title", "hgroup"})
ENDS = frozenset(
    {"body", "html", "section", "article", "ol", "ul", "dl", "table", "tbody", "tr", ""}
)
LONGEST_BACK = 12  # characters of a link that leads back
LARGEST_NOTE = 500  # elements that are looked at for a link back
NEAR = 8  # elements that are looked at around a link
LONGEST_MARK = 8  # characters of a call, such as [iii] or 127
_MARK = re.compile(
    r"[\[({]?(?:note\s*)?(\d{1,4}|[*∗†‡§¶#‖]{1,4}|[a-z]|[ivxlc]{1,6})[\])}]?[.:]?", re.IGNORECASE
)
_BACK_MARK = re.compile(
    r"[\[({]?(\d{1,4}|[*∗†‡§¶#‖^↑↩⏎←⤴⬆]{1,4}\ufe0e?|[a-z]|[ivxlc]{1,6}|back|return|\s)*[\])}]?[.:]?",
    re.IGNORECASE,
)

Place = tuple[str, str]  # (document, id)


@dataclass(slots=True, kw_only=True)
class Note:
    """A note that is called.

    Attributes:
        mark: What calls it, such as 3 or *.
        document: Where it stands.
        callers: Ids that its backlinks may lead to.
    """

    key: int
    mark: str
    document: str
    node: Node
    callers: set[Place] = field(default_factory=set)


@dataclass(slots=True)
class Notes:
    """All notes of a book.

    Attributes:
        calls: id of a link's node → key of the note.
        moved: id of a note's node → key.
        backlinks: ids of links' nodes that lead back.
    """

    notes: list[Note] = field(default_factory=list)
    calls: dict[int, int] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    backlinks: set[int] = field(default_factory=set)


Resolve = dict[str, dict[str, Node]]  # document → id → element


def ids_of(root: Node) -> dict[str, Node]:
    """Return a document's elements by their ids; of two with one id, the first."""
    found: dict[str, Node] = {}
    for node in walk(root):
        if node.attributes:
            names = (
                node.get("id"),
                node.get("xml:id"),
                node.get("name") if node.tag == "a" else "",
            )
            for name in filter(None, names):
                found.setdefault(name, node)
    return found


def find_notes(trees: Mapping[str, Node], places: Mapping[int, Place]) -> Notes:
    """Return the notes of a book.

    Args:
        trees: Document → its elements.
        places: id of a link's node → where it leads, for links inside of the book.
    """
    ids = {name: ids_of(tree) for name, tree in trees.items()}
    notes = Notes()
    back = _Back(places)
    candidates: list[tuple[_Link, str, Node, str]] = []
    for name, tree in trees.items():
        for link in _links(tree):
            document, anchor = places.get(id(link.node), ("", ""))
            target = ids.get(document, {}).get(anchor)
            if target is not None and _is_call(link, name, target, back):
                candidates.append((link, name, target, document))
    held = _held(trees, {id(target): target for _, _, target, _ in candidates})
    for link, name, target, document in candidates:
        _add(notes, link, name, target, document, held)
    for note in notes.notes:
        _find_backlinks(note, notes, places)
    return notes


@dataclass(frozen=True, slots=True)
class _Link:
    """A link, and the element before it where there is one."""

    node: Node
    before: Node | None


def _links(tree: Node) -> Iterator[_Link]:
    """Yield the links that may call notes; those that nobody sees, or in code, do not."""
    stack = [_Link(tree, None)]
    while stack:
        here = stack.pop()
        node = here.node
        if node.tag in ("pre", "code") or (node.attributes and is_unseen(node)):
            continue
        if node.tag == "a" and node.get("href"):
            yield here
        inside: list[_Link] = []
        before: Node | None = None
        for child in node.children:
            if isinstance(child, Node):
                inside.append(_Link(child, before))
            before = child if isinstance(child, Node) else None
        stack.extend(reversed(inside))


def _is_call(found: _Link, name: str, target: Node, back: "_Back") -> bool:
    link = found.node
    types = set(link.types())
    if types & BACK or any(node is target for node in _up(link)):
        return False
    if any(node.tag in HEADINGS for node in _up(target)):
        return False
    if types & CALLS:
        return True
    text = link.text().strip()
    if not is_mark(text):
        return False
    if _is_note(target):
        return not _is_note(link) or not _leads_back_first(link)
    own = ((name, anchor) for anchor in _own_ids(found))
    return not _leads_back_first(link) and not back.places(target).isdisjoint(own)


def is_mark(text: str) -> bool:
    """Tell whether a text is a number or a sign that notes are called by."""
    text = text.strip()
    return len(text) <= LONGEST_MARK and _MARK.fullmatch(text) is not None


def _is_note(node: Node) -> bool:
    return any(NOTES & set(above.types()) or _has_class(above) for above in _up(node))


def _has_class(node: Node) -> bool:
    classes = node.get("class")
    return (
        bool(classes) and node.tag not in ("sup", "a", "span") and bool(NOTE_CLASS.search(classes))
    )


def _up(node: Node) -> Iterator[Node]:
    here: Node | None = node
    while here is not None:
        yield here
        here = here.parent


def _leads_back_first(link: Node) -> bool:
    """Tell whether a link is the first thing in its paragraph, as the number of a note is."""
    here = link
    while here.parent is not None and here.tag not in BLOCK_TAGS:
        for sibling in islice(here.parent.children, NEAR):
            if sibling is here:
                break
            if sibling.strip() if isinstance(sibling, str) else has_text(sibling):
                return False
        else:
            return False
        here = here.parent
    return True


@dataclass(slots=True)
class _Back:
    """Where the links around a target lead; looked up once a block, for many may share it."""

    leads: Mapping[int, Place]
    known: dict[int, frozenset[Place]] = field(default_factory=dict)

    def places(self, target: Node) -> frozenset[Place]:
        """Return where the links in a target's block lead."""
        block = next((node for node in _up(target) if node.tag in BLOCK_TAGS), target)
        around = block if block.tag not in ENDS else target
        if id(around) not in self.known:
            self.known[id(around)] = frozenset(
                self.leads[id(node)]
                for node in islice(walk(around), LARGEST_NOTE)
                if node.tag == "a" and id(node) in self.leads
            )
        return self.known[id(around)]


def _own_ids(found: _Link) -> list[str]:
    """Return the ids of a link: its own, and those of what stands close around or in it."""
    link = found.node
    near = [link, *islice(link.elements(), NEAR)]
    for above in islice(_up(link), 1, 3):
        if above.tag not in BLOCK_TAGS:
            inside = islice(above.elements(), NEAR)
            near += [above, *(item for item in inside if not has_text(item))]
    if found.before is not None and not has_text(found.before):
        near.append(found.before)
    return [name for node in near for name in (node.get("id"), node.get("name")) if name]


def _add(
    notes: Notes, found: _Link, name: str, target: Node, document: str, held: Counter[int]
) -> None:
    link = found.node
    node = _whole(target, held, link)
    if node is None or any(above is node for above in _up(link)):
        return
    key = notes.moved.get(id(node))
    if key is None:
        if any(id(above) in notes.moved for above in _up(node)):
            return  # a part of a note that is moved as a whole
        key = len(notes.notes)
        notes.moved[id(node)] = key
        text = link.text().strip() if is_mark(link.text()) else ""
        mark = text.strip("[](){}.:").removeprefix("note").strip()
        notes.notes.append(Note(key=key, mark=mark, document=document, node=node))
    notes.calls[id(link)] = key
    notes.notes[key].callers |= {(name, anchor) for anchor in _own_ids(found)}


def _whole(target: Node, held: Counter[int], link: Node) -> Node | None:
    """Return the element that holds a note and nothing else, or None if there is none."""
    here = next((node for node in _up(target) if node.tag in BLOCK_TAGS), None)
    if here is None or here.tag in (ENDS - {"section"}) or not _is_alone(here, held, link):
        return target if target.tag in BLOCK_TAGS or target.tag == "span" else None
    while (above := here.parent) is not None and above.tag not in ENDS:
        is_for_notes = (
            above.tag in ("li", "aside") or _has_class(above) or NOTES & set(above.types())
        )
        if not is_for_notes or not _is_alone(above, held, link):
            break
        here = above
    return here


def _is_alone(node: Node, held: Counter[int], link: Node) -> bool:
    """Tell whether an element holds one note at most, no heading and not the call itself."""
    return held[id(node)] <= 1 and all(above is not node for above in _up(link))


def _held(trees: Mapping[str, Node], targets: Mapping[int, Node]) -> Counter[int]:
    """Return id of an element's node → how many notes it holds; one with a heading counts as many.

    Counted once from below, for a walk from each note's element would see a long list of notes
    again for every note in it.
    """
    held: Counter[int] = Counter()
    for target in targets.values():
        held.update(map(id, _up(target)))
    for tree in trees.values() if targets else ():
        for heading in (node for node in walk(tree) if node.tag in HEADINGS):
            held.update(dict.fromkeys(map(id, _up(heading)), 2))
    return held


def _find_backlinks(note: Note, notes: Notes, places: Mapping[int, Place]) -> None:
    for node in walk(note.node):
        if node.tag == "a":
            leads = places.get(id(node)) in note.callers
            text = node.text().strip()
            is_mark = len(text) <= LONGEST_BACK and _BACK_MARK.fullmatch(text) is not None
            if id(node) not in notes.calls and (BACK & set(node.types()) or (leads and is_mark)):
                notes.backlinks.add(id(node))
