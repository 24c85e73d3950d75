"""How gently hosts are asked: few at a time, with rests, and no more once they do not answer.

A host is scheme, name and port. What is known of one holds for one run.
"""

import asyncio
import random

from resonare_pipeline.chats.links.failures import NETWORK, FetchError, LinkFailure

FAILURES_IN_A_ROW = 3  # after these a host is given up for the rest of a run
LONGEST_PAUSE_SECONDS = 30.0  # that a server may ask for; one that wants more is given up
FIRST_PAUSE_SECONDS = 0.5
MOST_UNREACHED = 30  # hosts in a row; in old chats many are gone, but hardly ever so many
_AT_ONCE = frozenset(
    {
        LinkFailure.RATE_LIMITED,
        LinkFailure.NO_SUCH_HOST,
        LinkFailure.BAD_CERTIFICATE,
        LinkFailure.PRIVATE_ADDRESS,
        LinkFailure.PRIVATE_NAME,
    }
)
"""Failures that the next link of the same host would meet as well."""


class Host:
    """One host while links are read.

    Args:
        at_a_time: Most links of it that are read at a time.
    """

    def __init__(self, at_a_time: int) -> None:
        self.turns = asyncio.Semaphore(at_a_time)
        self._failures = 0
        self._given_up: FetchError | None = None
        self._rests_until = 0.0

    def require_open(self) -> None:
        """Go on if the host may be asked.

        Raises:
            FetchError: If it was given up; the reason is that of the last link.
        """
        if self._given_up is not None:
            raise FetchError(
                self._given_up.failure,
                retry_after_seconds=self._given_up.retry_after_seconds,
                was_asked=False,
            )

    async def rest(self) -> None:
        """Wait as long as the host wants to be left alone."""
        clock = asyncio.get_running_loop().time
        while (left := self._rests_until - clock()) > 0:
            await asyncio.sleep(left)

    def pause(self, seconds: float) -> None:
        """Leave the host alone for a while."""
        until = asyncio.get_running_loop().time() + seconds
        self._rests_until = max(self._rests_until, until)

    def note_answer(self) -> None:
        """Take down that the host answered."""
        self._failures = 0

    def note_failure(self, error: FetchError) -> None:
        """Take down what a link of the host failed with at last."""
        if error.is_elsewhere or error.failure not in NETWORK | _AT_ONCE:
            self._failures = 0
            return
        self._failures += 1
        if error.failure in _AT_ONCE or self._failures >= FAILURES_IN_A_ROW:
            self._given_up = error


class Row:
    """Hosts that could not be reached, one after the other, while no server answered."""

    def __init__(self) -> None:
        self._hosts: set[str] = set()
        self._heard = 0

    def grows_too_long(self, host: str, heard: int) -> bool:
        """Take down a host, and tell whether there are too many; the row then begins anew.

        Args:
            host: That could not be reached.
            heard: How many answers there have been in the run.
        """
        if heard != self._heard:
            self._hosts.clear()
            self._heard = heard
        self._hosts.add(host)
        is_long = len(self._hosts) >= MOST_UNREACHED
        if is_long:
            self._hosts.clear()
        return is_long


def pause_seconds(error: FetchError, tries: int) -> float:
    """Return how long to wait before the next try, after so many: as the server says, at least."""
    doubled = FIRST_PAUSE_SECONDS * float(2 ** (tries - 1))
    jitter: float = random.uniform(0.5, 1.5)  # noqa: S311  # only to part those who wait
    return max(error.retry_after_seconds, doubled * jitter)
