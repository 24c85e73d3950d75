"""Accounts: what is spent together, under one cap. The sums stand in the cache's database."""

from dataclasses import dataclass

UNATTENDED = "unattended"
"""Name of the account of all runs that nobody has started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is spent together, under one cap.

    Attributes:
        name: At most 64 characters.
        cap_usd: Most that may be spent on it.
        seconds: In any so many seconds; None: ever.
        setting: What sets the cap, for messages.
    """

    name: str
    cap_usd: float
    setting: str
    seconds: float | None = None
