"""Signals that ask a run to stop, noticed whoever else handles them meanwhile.

Dagster puts its own handlers in place while a run goes on; what arrives between two of its looks is
lost with them. The operating system's note of every signal, on a pipe, is not.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_ASKING = {signal.SIGINT, signal.SIGTERM}


class Interrupts:
    """The signals that came since the block began."""

    def __init__(self, reader: int) -> None:
        self._reader = reader

    def raise_if_asked(self) -> None:
        """Raise KeyboardInterrupt if a signal asked to stop, since last asked.

        Raises:
            KeyboardInterrupt: Then.
        """
        try:
            numbers = os.read(self._reader, 4096)
        except BlockingIOError:
            return
        if _ASKING.intersection(numbers):
            raise KeyboardInterrupt


@contextmanager
def noted_interrupts() -> Iterator[Interrupts]:
    """Note signals inside the block; SIGTERM interrupts as Ctrl-C does. Main thread only."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    former = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    terminating = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield Interrupts(reader)
    finally:
        signal.signal(signal.SIGTERM, terminating)
        signal.set_wakeup_fd(former)
        os.close(writer)
        os.close(reader)
