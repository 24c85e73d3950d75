"""What raw inputs there are: one partition each, with names, sizes and versions of their files.

Nothing is read but directory entries; hashing is the business of the stage that needs the content.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from resonare_pipeline.artifacts.files import Child, Files, FileStat, LocalFiles
from resonare_pipeline.errors import (
    InputError,
    ResonareError,
    UnknownPartitionError,
    UnusableNameError,
)

LISTED_KEYS = 20  # names shown in a message before it becomes unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSet:
    """Files that make an input together.

    Attributes:
        signs: Patterns of file names; a folder with none of these files is not meant.
        files: Patterns of all files that belong to the input.
    """

    signs: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawKind:
    """A kind of raw input.

    Attributes:
        folder: Its folder below the raw root, and the first part of a partition's full name.
        partitions: Name of the Dagster partitions definition.
        suffixes: Endings of single files that are an input by themselves.
        members: Patterns of file names inside a folder that is one input, or sets of them; the
            first that matches anything decides.
        expected: What a person should put there, for messages.
        attachments: Patterns of names of files that members speak of, such as images; only stages
            that ask for them read or hash them. They are regular files of the same folder: what a
            link brings in from elsewhere is none, since nobody exported it.
        item: What one of them is called, where they are listed.
    """

    folder: str
    partitions: str
    suffixes: tuple[str, ...]
    members: tuple[str | MemberSet, ...]
    expected: str
    attachments: tuple[str, ...] = ()
    item: str = "partition"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawInput:
    """One raw input: a file, or a folder of files.

    Attributes:
        key: The partition key.
        entries: Path below the root of `files` → stat, of the files that count.
        attachments: The same of files that these speak of.
    """

    kind: RawKind
    key: str
    files: Files
    entries: Mapping[str, FileStat]
    attachments: Mapping[str, FileStat] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The place of the first file, for messages."""
        return self.files.locate(next(iter(self.entries)))

    @property
    def name(self) -> str:
        """The full name of the partition, as settings spell it."""
        return f"{self.kind.folder}/{self.key}"

    def open(self, path: str) -> BinaryIO:
        """Open one of its files."""
        return self.files.open_read(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawListing:
    """All raw inputs there are, and those that cannot be used.

    Attributes:
        inputs: (folder, key) → input.
        problems: (folder, key) → what is wrong with it.
        roots_missing: Where a kind's folder should be and is not. In a bucket there are no folders,
            so none is missing there.
    """

    inputs: Mapping[tuple[str, str], RawInput] = field(default_factory=dict)
    problems: Mapping[tuple[str, str], ResonareError] = field(default_factory=dict)
    roots_missing: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was found."""
        return not self.inputs and not self.problems

    def keys(self, kind: RawKind) -> list[str]:
        """Return the partition keys of one kind, those with problems included, in order."""
        names = {*self.inputs, *self.problems}
        return sorted(key for folder, key in names if folder == kind.folder)

    def partitions(self, kind: RawKind) -> list[str]:
        """Return the keys that can be partitions: all but those of unusable names."""
        return [
            key
            for key in self.keys(kind)
            if not isinstance(self.problems.get((kind.folder, key)), UnusableNameError)
        ]

    def require(self, kind: RawKind, key: str) -> RawInput:
        """Return an input.

        Raises:
            UnknownPartitionError: If there is none of that name.
            InputError: If it has a problem.
        """
        if problem := self.problems.get((kind.folder, key)):
            raise problem
        if found := self.inputs.get((kind.folder, key)):
            return found
        known = self.keys(kind)
        shown = ", ".join(known[:LISTED_KEYS]) + (", …" if len(known) > LISTED_KEYS else "")
        raise UnknownPartitionError(
            f"no raw input named {key!r}",
            where=kind.folder,
            expected=f"one of: {shown}" if known else f"{kind.expected} in the raw folder",
        )


def partition_key(name: str, *, is_file: bool) -> str:
    """Return the partition key that a file or folder name stands for (NFC, no ending).

    Raises:
        UnusableNameError: For a name that cannot be a key.
    """
    key = unicodedata.normalize("NFC", PurePosixPath(name).stem if is_file else name)
    unusable = "/" in key or "..." in key or key.startswith(".")  # dots mean ranges to Dagster
    if not key or unusable or any(map(_is_unprintable, key)):
        raise UnusableNameError(
            f"the name {name!r} cannot name a partition",
            expected="UTF-8 without a slash, a leading dot, three dots or control characters",
            remedy="Rename it",
        )
    return key


def _is_unprintable(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs")  # controls; bytes that are no UTF-8


def list_raw(root: Files, kinds: Iterable[RawKind], *, only: str | None = None) -> RawListing:
    """List the raw inputs below a root, or those of one key alone.

    Hidden names are passed over, and so are files of other endings. A folder that is absent has no
    inputs.

    Raises:
        StoreError: If a folder cannot be read.
    """
    inputs: dict[tuple[str, str], RawInput] = {}
    problems: dict[tuple[str, str], ResonareError] = {}
    missing: list[str] = []
    for kind in kinds:
        files = root.below(kind.folder)
        below = _all_below(files) if files.is_flat and only is None else {}
        children = list(below) or files.children("")
        if children is None:
            missing.append(files.uri)
        for child in children or ():
            if child.name.startswith(".") or not _is_wanted(child, only):
                continue
            if child.is_folder or _suffix(child.name) in kind.suffixes:
                _add(inputs, problems, kind, files, child, below.get(child))
    return RawListing(inputs=inputs, problems=problems, roots_missing=tuple(missing))


def _all_below(files: Files) -> dict[Child, dict[str, FileStat]]:
    """Return what lies in a root, each with all files below it, from one listing."""
    found: dict[Child, dict[str, FileStat]] = {}
    for path, stat in files.walk(""):
        name, slash, _ = path.partition("/")
        child = Child(name=name, is_folder=bool(slash), stat=None if slash else stat)
        found.setdefault(child, {})[path] = stat
    return found


def list_one(path: Path, kinds: Iterable[RawKind]) -> RawListing:
    """List a single file or folder on disk, wherever it lies, as the only raw input.

    Where several kinds take such a file or folder, it is of the one whose folder it lies in, else
    of the first that finds its own files in it.

    Raises:
        InputError: If it does not exist, or is of no known kind.
    """
    if not path.exists():
        raise InputError("no such file or folder", where=str(path))
    inputs: dict[tuple[str, str], RawInput] = {}
    problems: dict[tuple[str, str], ResonareError] = {}
    full = path.absolute()
    child = Child(name=full.name, is_folder=full.is_dir())
    fitting = [k for k in kinds if child.is_folder or _suffix(child.name) in k.suffixes]
    fitting.sort(key=lambda kind: kind.folder != full.parent.name)
    for kind in fitting:
        _add(inputs, problems, kind, LocalFiles(full.parent), child)
        if inputs:
            return RawListing(inputs=inputs)
    if fitting:
        return RawListing(problems=dict(list(problems.items())[:1]))
    raise InputError(
        f"a file with the ending {path.suffix or 'none'!r} is no known input",
        where=str(path),
        expected=", ".join(kind.expected for kind in kinds),
    )


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _is_wanted(child: Child, only: str | None) -> bool:
    names = (child.name, PurePosixPath(child.name).stem)
    return only is None or only in (unicodedata.normalize("NFC", name) for name in names)


def _add(
    inputs: dict[tuple[str, str], RawInput],
    problems: dict[tuple[str, str], ResonareError],
    kind: RawKind,
    files: Files,
    child: Child,
    below: Mapping[str, FileStat] | None = None,
) -> None:
    # A name that is no UTF-8 can be shown, but not written anywhere as it is.
    shown = child.name.encode(errors="surrogateescape").decode(errors="backslashreplace")
    address = (kind.folder, shown)
    try:
        key = partition_key(child.name, is_file=not child.is_folder)
        address = (kind.folder, key)
        if child.is_folder:
            visible = _visible(files, child.name, below)
            entries = _members(kind, files, child.name, visible)
        else:
            entries = visible = _single(files, child)
    except ResonareError as error:
        problems[address] = error
        return
    if (twin := inputs.pop(address, None)) is not None:
        problems[address] = InputError(
            f"two raw inputs have the name {key!r}: {twin.where} and {files.locate(child.name)}",
            expected="one",
            remedy="Rename or remove one of them",
        )
    elif address not in problems:
        beside = _matching(visible, kind.attachments).items()
        attachments = {p: stat for p, stat in beside if stat.is_own and p not in entries}
        inputs[address] = RawInput(
            kind=kind, key=key, files=files, entries=entries, attachments=attachments
        )


def _single(files: Files, child: Child) -> dict[str, FileStat]:
    stat = child.stat or files.stat(child.name)
    if stat is None:
        raise InputError("vanished while it was listed", where=files.locate(child.name))
    return {child.name: stat}


def _visible(
    files: Files, folder: str, below: Mapping[str, FileStat] | None
) -> dict[str, FileStat]:
    """Return the files of a folder, hidden ones apart, from a listing of it where there is one."""
    listed = files.walk(folder) if below is None else below.items()
    return {path: stat for path, stat in listed if "/." not in path}


def _members(
    kind: RawKind, files: Files, folder: str, visible: Mapping[str, FileStat]
) -> dict[str, FileStat]:
    """Return the files of a folder that count."""
    sets = [
        MemberSet(signs=(item,), files=(item,)) if isinstance(item, str) else item
        for item in kind.members
    ]
    # Most of what lies in an export is images: all else is a short list to look through.
    known = tuple(name for item in sets for name in (*item.signs, *item.files))
    candidates = _matching(visible, known)
    for item in sets:
        if _matching(candidates, item.signs):
            return _matching(candidates, item.files)
    signs = " or ".join(sign for item in sets for sign in item.signs)
    raise InputError(
        f"the folder holds {len(visible)} files but none of {signs}",
        where=files.locate(folder),
        expected=kind.expected,
    )


def _matching(files: Mapping[str, FileStat], patterns: tuple[str, ...]) -> dict[str, FileStat]:
    """Return the files whose names match any of the patterns, whatever their case."""
    matches = _compiled(patterns).match
    return {p: stat for p, stat in files.items() if matches(p.rpartition("/")[2].lower())}


@lru_cache
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)) or "(?!)")  # none: matches nothing
