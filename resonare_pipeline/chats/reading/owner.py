"""Who exported the chats: the one person whose side of every chat is known to be complete.

The export may say so; otherwise it is inferred, and how is told with the result. No reading and no
writing here.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from resonare_pipeline.chats.reading.order import ChatPlan
from resonare_pipeline.chats.reading.parsed import Sender
from resonare_pipeline.errors import SettingsError

LISTED_IDS = 20  # participants named in an error: a family, not a public group
PERSONAL_CHAT = "personal_chat"
_PEOPLE = ("telegram:user", "telegram:name:", "signal:")


class OwnerBasis(StrEnum):
    """What an owner is known or inferred from."""

    PERSONAL_INFORMATION = "personal_information"
    OTHER_THAN_CHAT = "other_than_chat"
    SENT_MESSAGES = "sent_messages"
    SETTING = "setting"
    MOST_ACTIVE = "most_active"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The person who exported the chats."""

    sender_id: str | None
    name: str | None
    basis: OwnerBasis


def find_owner(
    plans: Sequence[ChatPlan], senders: Sequence[Sender], *, stated: Owner | None, setting: str
) -> Owner:
    """Return the owner.

    Args:
        plans: All chats that are taken.
        senders: What the plans' tallies point into.
        stated: The owner as the export itself names it.
        setting: Sender id or name from the settings; empty for none.

    Raises:
        SettingsError: If the setting is needed and names nobody, or several people.
    """
    counts = _counts(plans, senders)
    if stated is not None:
        return (
            stated
            if stated.name or stated.sender_id is None
            else _owner(stated.sender_id, stated.basis, senders)
        )
    if (other := _other_than_chat(plans, senders)) is not None:
        return _owner(other, OwnerBasis.OTHER_THAN_CHAT, senders)
    if setting:
        return _owner(_named(setting, senders, counts), OwnerBasis.SETTING, senders)
    # The other side of a personal chat wrote in it, but cannot have exported it.
    peers = {plan.peer for plan in plans if plan.kind == PERSONAL_CHAT}
    candidates = {sender: count for sender, count in counts.items() if sender not in peers}
    people = {sender: count for sender, count in candidates.items() if sender.startswith(_PEOPLE)}
    ranked = people or candidates
    if not ranked:
        return Owner(sender_id=None, name=None, basis=OwnerBasis.NONE)
    best = min(ranked, key=lambda sender: (-ranked[sender], sender))
    return _owner(best, OwnerBasis.MOST_ACTIVE, senders)


def _counts(plans: Iterable[ChatPlan], senders: Sequence[Sender]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for plan in plans:
        for code, (count, _) in plan.tallies.items():
            if (sender := senders[code].id) is not None:
                counts[sender] += count
    return counts


def _owner(sender: str, basis: OwnerBasis, senders: Sequence[Sender]) -> Owner:
    return Owner(sender_id=sender, name=name_of(sender, senders), basis=basis)


def name_of(sender: str, senders: Sequence[Sender]) -> str | None:
    """Return the alphabetically first of a sender's names, which does not depend on any order."""
    return min((said.name for said in senders if said.id == sender and said.name), default=None)


def _other_than_chat(plans: Sequence[ChatPlan], senders: Sequence[Sender]) -> str | None:
    """Return the one sender of a personal chat who is not whom the chat is with."""
    if len(plans) != 1 or plans[0].kind != PERSONAL_CHAT:
        return None
    counts = _counts(plans, senders)
    others = [sender for sender in counts if sender != plans[0].peer]
    return others[0] if len(others) == 1 else None


def _named(setting: str, senders: Sequence[Sender], counts: Counter[str]) -> str:
    found: set[str | None] = {sender for sender in counts if sender == setting}
    if not found:
        found = {said.id for said in senders if said.id in counts and said.name == setting}
    people = sorted(sender for sender in found if sender is not None)
    if len(people) == 1:
        return people[0]
    ids = people or sorted(counts)
    listed = ", ".join(ids[:LISTED_IDS]) + (", …" if len(ids) > LISTED_IDS else "")
    raise SettingsError(
        f"{setting!r} is the name of {len(found)} participants"
        if found
        else f"none of the {len(counts)} participants has the id or name {setting!r}",
        where="messages.owner",
        expected=f"one of {listed}" if ids else "a participant",
        remedy="Set messages.owner to the id of the person who exported the chats",
    )
