"""The way from entries of exports to rows of the dataset: how many are left, and what was left out.

Two parts, since what is counted changes on the way: messages, then examples.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from resonare_pipeline.datasets.summary import Summary

Counts = Mapping[str, int]

DUPLICATE = "duplicate"  # stands in the name of every reason that tells of one

EXPLANATIONS: Mapping[str, str] = {
    "service": "joined, left, called, pinned: no message of a person",
    "unsupported": "a kind of entry that is not read",
    "no_date": "without a time",
    "unreadable": "damaged",
    "duplicate": "the same again",
    "chat_kind": "in a kind of chat that is not read",
    "old_revision": "what an edited message said before",
    "deleted": "taken back by whoever wrote it",
    "view_once": "to be seen once",
    "story": "a story, which is no message to anybody",
    "scheduled": "not sent yet",
    "draft": "never sent",
    "not_sent": "sending failed",
    "blocked": "by somebody whom the owner has blocked",
    "before_since": "before the first day that counts",
    "after_until": "after the last day that counts",
    "excluded_sender": "by a person who is left out",
    "no_persona": "in a chat that the persona takes no part in",
    "no_text": "nothing to read, such as a photo",
    "no_reply": "nobody answered before a long silence",
    "trimmed_before_user": "an answer with no message before it",
    "trimmed_after_assistant": "a message with no answer after it",
    "over_max_tokens": "longer than the maximum",
    "below_min_tokens": "shorter than the minimum",
    "trimmed_at_cut": "at a cut between two blocks",
    "too_few_tokens": "shorter than the minimum",
    "too_many_tokens": "longer than the maximum",
    "too_few_turns": "fewer turns than the minimum",
    "no_answer": "nothing in it is trained on",
    "sensitive_word": "holds a word that the settings leave out",
    "outside_time": "on the other side of the time that parts the splits",
    "over_limit": "beyond the most examples of its source",
    "unweighted": "not drawn, for a weight below 1",
    "empty_content": "a turn without text",
    "role": "a role or key that is not allowed",
    "answer_not_last": "the last turn is not the assistant’s",
    "forgotten": "of a person who is left out of everything",
    "not_plain": "holds calls of tools, or more than text",
    "file_full": "the file is as large as it may be",
}
"""Reason → what it means to a person; other reasons speak for themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What was left out for one reason."""

    reason: str
    items: int

    @property
    def explanation(self) -> str:
        """What the reason means, if it does not speak for itself."""
        return EXPLANATIONS.get(self.reason, "")

    @property
    def is_duplicate(self) -> bool:
        """Whether it was left out for being there already."""
        return DUPLICATE in self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is left after a step, and what it left out, most first; a weight may add copies."""

    name: str
    left: int
    losses: tuple[Loss, ...] = ()
    added: int = 0

    @property
    def lost(self) -> int:
        """All that it left out."""
        return sum(loss.items for loss in self.losses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Steps of one unit, each of what the one before it left."""

    unit: str
    steps: tuple[Step, ...]

    @property
    def greatest(self) -> int:
        """The most that there is at any step, to draw by."""
        return max((step.left for step in self.steps), default=0)


def message_funnel(kept: Counts, dropped: Mapping[str, Counts]) -> Funnel:
    """Return the way of messages into blocks.

    Args:
        kept: `messages`, `enriched_messages` → rows, over all partitions.
        dropped: `messages`, `enriched_messages`, `blocks` → reason → items.
    """
    read = kept.get("messages", 0)
    going_on = kept.get("enriched_messages", 0)
    of_reading, of_rules, of_blocks = (
        _losses(dropped.get(asset, {})) for asset in ("messages", "enriched_messages", "blocks")
    )
    steps = (
        Step(name="entries in the exports", left=read + _total(of_reading)),
        Step(name="messages read", left=read, losses=of_reading),
        Step(name="within the rules of time and sender", left=going_on, losses=of_rules),
        Step(name="in blocks", left=going_on - _total(of_blocks), losses=of_blocks),
    )
    return Funnel(unit="messages", steps=steps if read or of_reading else ())


def example_funnel(summary: Summary, distinct: int) -> Funnel:
    """Return the way of examples into the dataset.

    Args:
        distinct: Rows of the dataset that are no copies by weight.
    """
    offered = sum(source.read for source in summary.sources.values())
    steps = [
        Step(name="offered by the sources", left=offered),
        Step(name="taken", left=distinct, losses=_losses(summary.dropped)),
    ]
    if summary.examples != distinct:
        copies = summary.examples - distinct
        steps.append(Step(name="with copies by weight", left=summary.examples, added=copies))
    return Funnel(unit="examples", steps=tuple(steps))


def _losses(reasons: Counts) -> tuple[Loss, ...]:
    found = [Loss(reason=reason, items=items) for reason, items in reasons.items() if items]
    return tuple(sorted(found, key=lambda loss: (-loss.items, loss.reason)))


def _total(losses: tuple[Loss, ...]) -> int:
    return sum(loss.items for loss in losses)
