"""Ctrl-C and SIGTERM while a model is asked: nothing more is sent, and what is paid for is kept."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from resonare_pipeline.completions.engine import Engine

TERMINATION_SECONDS = 10.0  # who sends SIGTERM kills a while later; 10 s is the least of usual ones


@contextmanager
def stopping_gently(engine: Engine, say: Callable[[int], None]) -> Iterator[None]:
    """Let the first signal stop the current task when what is under way is answered and stored.

    SIGTERM waits for ten seconds at most. The second signal stops it at once.

    Args:
        engine: Which is not asked for anything new from then on.
        say: Is told how many requests are waited for.
    """
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is None:
        raise RuntimeError("no task runs")
    drains: list[asyncio.Task[None]] = []

    async def drain(seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await engine.drain()
        task.cancel()

    def stop(seconds: float | None) -> None:
        if drains:
            task.cancel()
            return
        drains.append(loop.create_task(drain(seconds)))
        if engine.under_way:
            say(engine.under_way)

    loop.add_signal_handler(signal.SIGINT, stop, None)
    loop.add_signal_handler(signal.SIGTERM, stop, TERMINATION_SECONDS)
    try:
        yield
    finally:
        for each in drains:
            each.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
