"""Ids of chats and people of Signal, made from the numbers in its database.

Threads and recipients are counted apart, so that the ids of people carry what they are of; the id
of a chat is that of its thread. The numbers are those of one phone: the same numbers in the dump of
another are other people.
"""

from resonare_pipeline.chats.signal.values import whole

SOURCE = "signal:"
USER = "signal:user"
SELF = "signal:self"  # the owner, where a dump does not say which recipient that is
# The oldest dumps have numbers of phones there, which have more digits and must go no further.
MOST_RECIPIENTS = 1_000_000


def chat_id(thread: int) -> str:
    """Return the id of a thread as a chat."""
    return f"{SOURCE}{thread}"


def sender_id(recipient: int) -> str:
    """Return the id of a recipient as a sender."""
    return f"{USER}{recipient}"


def recipient_of(text: str) -> int | None:
    """Return the number of a recipient from a field; None for anything else."""
    number = whole(text)
    return number if number is not None and 0 < number < MOST_RECIPIENTS else None


def recipient_of_id(person_id: str) -> int | None:
    """Return the number of the recipient that an id of a person means, short or whole."""
    if not person_id.startswith(SOURCE):
        return None
    return recipient_of(person_id.removeprefix(USER).removeprefix(SOURCE))
