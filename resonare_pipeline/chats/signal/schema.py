"""Which CSV files of a dump hold what, and where the columns stand that are read of one.

The names that columns had over the years stand in `signal_columns`. No rows are read here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import PurePosixPath

from resonare_pipeline.chats.exports import ExportFile
from resonare_pipeline.chats.signal.tables import MESSAGE_TABLES
from resonare_pipeline.errors import InputError
from resonare_pipeline.signal_columns import Names, name_in

SMS = "sms"  # its ids are counted apart from those of mms
EXPECTED = (
    "Signal's tables as CSV (signal.csv or message.csv, with recipient.csv and thread.csv beside "
    "it), or a Telegram export as JSON (result.json)"
)
REMEDY = (
    "signalbackup-tools writes them from a backup, table by table: "
    "signalbackup-tools BACKUP PASSPHRASE --exportcsv message=message.csv"
)

Pick = Callable[[Sequence[str]], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns that are read stand in one file.

    Attributes:
        pick: Takes the fields of one row, in the order of the names; absent ones are empty.
        present: Names of the columns that the file has.
    """

    pick: Pick
    present: frozenset[str]


def find_columns(
    header: Sequence[str], known: Mapping[str, Names], *, needed: Iterable[str], where: str
) -> Columns:
    """Return where the columns of a file stand.

    Args:
        header: Names of its columns.
        known: What is read → the names that it had, the newest first.
        needed: What there must be.
        where: The file, for messages.

    Raises:
        InputError: If a column is missing, with its names.
    """
    places: dict[str, int] = {}
    for what, names in known.items():
        if (found := name_in(header, names)) is not None:
            places[what] = header.index(found)
    missing = [" or ".join(known[what]) for what in needed if what not in places]
    if missing:
        raise InputError(
            f"this CSV has no column {', '.join(missing)}; it has {_listed(header)}"
            if header
            else "the file is empty: not even the names of columns stand in it",
            where=where,
            expected=EXPECTED,
            remedy=REMEDY,
        )
    return Columns(_picker([places.get(what) for what in known]), frozenset(places))


def _picker(places: list[int | None]) -> Pick:
    # An empty field behind the last one stands for all columns that are absent.
    take: Pick = itemgetter(*[-1 if place is None else place for place in places])
    return lambda row: take([*row, ""])


def _listed(header: Sequence[str]) -> str:
    names = [name[:40] for name in header if name]
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "") if names else "none"


@dataclass(frozen=True, slots=True)
class Dump:
    """The CSV files that belong together: those of one folder.

    Attributes:
        messages: Tables of messages, in order.
        others: Name of the table → file.
    """

    messages: tuple[ExportFile, ...]
    others: Mapping[str, ExportFile]


def is_csv(file: ExportFile) -> bool:
    """Tell whether a file is one of CSV, by its name."""
    return file.name.lower().endswith(".csv")


def table_of(file: ExportFile) -> str:
    """Return the table that a file holds, by its name."""
    return PurePosixPath(file.name).stem.lower()


def dumps(files: Iterable[ExportFile]) -> list[Dump]:
    """Part the files of an export by their folders, in the order of their names.

    A file that is alone holds messages whatever its name is. Of two files of messages with the
    same bytes one counts: a dump may name the table twice.

    Raises:
        InputError: If a folder has no table of messages.
    """
    folders: dict[str, dict[str, ExportFile]] = {}
    for file in sorted(files, key=lambda file: file.name):
        folder = str(PurePosixPath(file.name).parent)
        folders.setdefault(folder, {}).setdefault(table_of(file), file)
    return [_dump(folder, tables) for folder, tables in folders.items()]


def _dump(folder: str, tables: dict[str, ExportFile]) -> Dump:
    found = {name: tables[name] for name in MESSAGE_TABLES if name in tables}
    if not found and len(tables) == 1:
        found = dict(tables)
    if not found:
        names = ", ".join(sorted(file.name for file in tables.values())[:10])
        raise InputError(
            f"no table of messages among {names}", where=folder, expected=EXPECTED, remedy=REMEDY
        )
    messages = {file.sha256: file for file in reversed(found.values())}
    others = {name: file for name, file in tables.items() if name not in found}
    return Dump(tuple(reversed(messages.values())), others)
