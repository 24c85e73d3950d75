"""What raw inputs there are: one partition each, with names, sizes and versions of their files.

Nothing is read but directory entries; hashing is the business of the stage that needs the content.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from resonare_pipeline.artifacts.files import Files, FileStat, LocalFiles, storage_errors
from resonare_pipeline.errors import InputError, ResonareError, StoreError, UnknownPartitionError

LISTED_KEYS = 20  # names shown in a message before it becomes unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class RawKind:
    """A kind of raw input.

    Attributes:
        folder: Its folder below the raw root, and the first part of a partition's full name.
        partitions: Name of the Dagster partitions definition.
        suffixes: Endings of single files that are an input by themselves.
        members: Patterns of file names inside a folder that is one input; the first that matches
            anything decides.
        expected: What a person should put there, for messages.
    """

    folder: str
    partitions: str
    suffixes: tuple[str, ...]
    members: tuple[str, ...]
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawInput:
    """One raw input: a file, or a folder of files.

    Attributes:
        key: The partition key.
        entries: Path below the root of `files` → stat, of the files that count.
    """

    kind: RawKind
    key: str
    files: Files
    entries: Mapping[str, FileStat]

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
    """

    inputs: Mapping[tuple[str, str], RawInput] = field(default_factory=dict)
    problems: Mapping[tuple[str, str], ResonareError] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was found."""
        return not self.inputs and not self.problems

    def keys(self, kind: RawKind) -> list[str]:
        """Return the partition keys of one kind, those with problems included, in order."""
        names = {*self.inputs, *self.problems}
        return sorted(key for folder, key in names if folder == kind.folder)

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
        InputError: For a name that cannot be a key.
    """
    key = unicodedata.normalize("NFC", PurePosixPath(name).stem if is_file else name)
    if not key or "/" in key or key.startswith(".") or any(map(_is_unprintable, key)):
        raise InputError(
            f"the name {name!r} cannot name a partition",
            expected="UTF-8 without a slash, a leading dot or control characters",
            remedy="Rename it",
        )
    return key


def _is_unprintable(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs")  # controls; bytes that are no UTF-8


def list_raw(root: Path, kinds: Iterable[RawKind], *, only: str | None = None) -> RawListing:
    """List the raw inputs below a root folder, or those of one key alone.

    Hidden names are passed over, and so are files of other endings. A folder that is absent has no
    inputs.

    Raises:
        StoreError: If a folder cannot be read.
    """
    inputs: dict[tuple[str, str], RawInput] = {}
    problems: dict[tuple[str, str], ResonareError] = {}
    for kind in kinds:
        for path in _children(root / kind.folder):
            if only is not None and only not in _possible_keys(path):
                continue
            if path.is_dir() or path.suffix.lower() in kind.suffixes:
                _add(inputs, problems, kind, path)
    return RawListing(inputs=inputs, problems=problems)


def list_one(path: Path, kinds: Iterable[RawKind]) -> RawListing:
    """List a single file or folder, wherever it lies, as the only raw input.

    Raises:
        InputError: If it does not exist, or is of no known kind.
    """
    if not path.exists():
        raise InputError("no such file or folder", where=str(path))
    inputs: dict[tuple[str, str], RawInput] = {}
    problems: dict[tuple[str, str], ResonareError] = {}
    for kind in kinds:
        if path.is_dir() or path.suffix.lower() in kind.suffixes:
            _add(inputs, problems, kind, path.absolute())
            return RawListing(inputs=inputs, problems=problems)
    raise InputError(
        f"a file with the ending {path.suffix or 'none'!r} is no known input",
        where=str(path),
        expected=", ".join(kind.expected for kind in kinds),
    )


def _possible_keys(path: Path) -> set[str]:
    return {unicodedata.normalize("NFC", name) for name in (path.name, path.stem)}


def _children(folder: Path) -> Iterator[Path]:
    with storage_errors(str(folder)):
        try:
            found = sorted(folder.iterdir())
        except FileNotFoundError:
            return
        except NotADirectoryError:
            raise StoreError("not a folder", where=str(folder)) from None
    yield from (path for path in found if not path.name.startswith("."))


def _add(
    inputs: dict[tuple[str, str], RawInput],
    problems: dict[tuple[str, str], ResonareError],
    kind: RawKind,
    path: Path,
) -> None:
    address = (kind.folder, path.name)
    try:
        key = partition_key(path.name, is_file=not path.is_dir())
        address = (kind.folder, key)
        entries = _members(kind, path) if path.is_dir() else _single(path)
    except ResonareError as error:
        problems[address] = error
        return
    if (twin := inputs.pop(address, None)) is not None:
        problems[address] = InputError(
            f"two raw inputs have the name {key!r}: {twin.where} and {path}",
            expected="one",
            remedy="Rename or remove one of them",
        )
    elif address not in problems:
        inputs[address] = RawInput(
            kind=kind, key=key, files=LocalFiles(path.parent), entries=entries
        )


def _single(path: Path) -> dict[str, FileStat]:
    stat = LocalFiles(path.parent).stat(path.name)
    if stat is None:
        raise InputError("vanished while it was listed", where=str(path))
    return {path.name: stat}


def _members(kind: RawKind, folder: Path) -> dict[str, FileStat]:
    files = dict(LocalFiles(folder.parent).walk(folder.name))
    visible = {path: stat for path, stat in files.items() if "/." not in path}
    for pattern in kind.members:
        chosen = {
            path: stat
            for path, stat in visible.items()
            if fnmatch(PurePosixPath(path).name.lower(), pattern)
        }
        if chosen:
            return chosen
    raise InputError(
        f"the folder holds {len(visible)} files but none of {' or '.join(kind.members)}",
        where=str(folder),
        expected=kind.expected,
    )
