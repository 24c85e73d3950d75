"""The tables of a dump of Signal, onto the spool.

They are read twice: what points at a message may stand before it, and who the owner is stands in
no single row. Between the two only keys are looked at.
"""

from collections.abc import Callable, Sequence

from resonare_pipeline.chats.exports import ExportFile, MessagesSettings
from resonare_pipeline.chats.reading.findings import Findings
from resonare_pipeline.chats.reading.owner import Owner, OwnerBasis
from resonare_pipeline.chats.reading.sorting import LIMITS, Limits
from resonare_pipeline.chats.reading.spool import Spool
from resonare_pipeline.chats.signal.facts import Facts
from resonare_pipeline.chats.signal.ids import SELF, sender_id
from resonare_pipeline.chats.signal.message_rows import open_messages
from resonare_pipeline.chats.signal.messages import Messages
from resonare_pipeline.chats.signal.people import People, read_people
from resonare_pipeline.chats.signal.schema import REMEDY, Dump, dumps
from resonare_pipeline.chats.signal.survey import Survey
from resonare_pipeline.chats.signal.threads import spans
from resonare_pipeline.errors import InputError

READINGS = 2  # of tables of messages


def bytes_to_read(files: Sequence[ExportFile]) -> int:
    """Return how many bytes are read of some files, what is read twice counted twice."""
    found = dumps(files)
    tables = [file for dump in found for file in dump.messages * READINGS]
    return sum(file.size for file in [*tables, *(f for d in found for f in d.others.values())])


def read_dumps(
    files: Sequence[ExportFile],
    spool: Spool,
    settings: MessagesSettings,
    *,
    on_read: Callable[[int], None] = lambda _: None,
    limits: Limits = LIMITS,
) -> list[Findings]:
    """Put all messages of an export onto the spool.

    Args:
        files: CSV files; those of one folder are one dump.
        spool: Where messages go.
        settings: Which chats are taken, and who the owner is where no dump tells.
        on_read: Told how many bytes were read.
        limits: How much is held in memory while rows are brought together.

    Raises:
        InputError: If a table is missing, lacks a column, or is broken beyond reading on.
        InputChangedError: If the bytes are not those that were listed.
    """
    found = [
        _read_dump(dump, number, spool, settings, on_read, limits)
        for number, dump in enumerate(dumps(files))
    ]
    if not spool.spans:
        warnings = [warning for one in found for warning in one.warnings]
        tables = [file.name for dump in dumps(files) for file in dump.messages]
        raise InputError(
            "no table of messages has a row that can be read: "
            + ("; ".join(warnings) or "nothing follows the names of columns"),
            where=", ".join(tables),
            expected="a row for each message",
            remedy=REMEDY,
        )
    return found


def _read_dump(
    dump: Dump,
    number: int,
    spool: Spool,
    settings: MessagesSettings,
    on_read: Callable[[int], None],
    limits: Limits,
) -> Findings:
    people = read_people(dump.others, on_read)
    survey = Survey(people, spool.new_path, limits)
    findings = Findings()
    for file in dump.messages:
        with open_messages(file, on_read=on_read) as table:
            survey.add(table)
            findings.warnings += [f"{file.name}: {warning}" for warning in table.warnings]
    owner = survey.owner(settings.owner)
    facts = Facts(spool.new_path, limits)
    facts.read(dump.others, on_read)
    facts.join(survey.keys(), survey.quotes(), owner)
    chats = spans(survey.threads, people, owner=owner, kinds=settings.chat_kinds, dump=number)
    hidden = people.blocked if settings.exclude_blocked else ()
    messages = Messages(
        spool, chats, people, owner, facts.by_row(), facts.reactions, hidden, limits
    )
    for file in dump.messages:
        with open_messages(file, on_read=on_read) as table:
            messages.add(table)
    messages.finish()
    spool.spans += chats.values()
    if messages.lost:
        findings.warnings.append(f"{messages.lost} rows that name no thread were left out")
    findings.owner = _owner(people, owner, has_sent=survey.votes.has_sent)
    return findings


def _owner(people: People, owner: int | None, *, has_sent: bool) -> Owner:
    """Return the owner as the dump tells it: who sent what was sent, and nobody else."""
    if owner is None:
        basis = OwnerBasis.SENT_MESSAGES if has_sent else OwnerBasis.NONE
        return Owner(sender_id=SELF if has_sent else None, name=None, basis=basis)
    basis = OwnerBasis.SENT_MESSAGES if has_sent else OwnerBasis.SETTING
    return Owner(sender_id=sender_id(owner), name=people.name(owner), basis=basis)
