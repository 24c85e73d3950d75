"""Which ids share a phone's number, in the raw exports as they lie there. No number is returned."""

from collections.abc import Collection
from functools import partial

from resonare_pipeline.chats.exports import ExportFile
from resonare_pipeline.chats.phone_numbers import phones
from resonare_pipeline.planning.raw import RawKind, RawListing


def same_phones(listing: RawListing, kinds: Collection[RawKind]) -> list[list[str]]:
    """Return groups of sender ids that share a number, in order.

    Args:
        listing: All raw inputs.
        kinds: Those that are exports of chats.
    """
    found: dict[str, set[str]] = {}
    for raw in (raw for raw in listing.inputs.values() if raw.kind in kinds):
        for name, stat in raw.entries.items():
            file = ExportFile(name=name, size=stat.size, sha256="", open=partial(raw.open, name))
            for person, number in phones(file):
                found.setdefault(number, set()).add(person)
    return sorted(sorted(people) for people in found.values() if len(people) > 1)
