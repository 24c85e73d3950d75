"""The cache as coroutines use it: what many of them want at once is one visit to the database.

One thread does the visits. A visit begins as soon as everybody who could want something does, and
a moment after the first did otherwise; so commits are shared, and nobody waits for long.
"""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from resonare_pipeline.completions.cache.store import ALIVE_SECONDS, Answered, Cache, Record
from resonare_pipeline.errors import ResonareError

Result = TypeVar("Result")

GATHER_SECONDS = 0.02  # short beside any model's answer, long beside a visit
VISIT_AT_MOST = 500  # keys
ASK_AGAIN_SECONDS = 0.5  # how often an answer that another process is waiting for is looked for

Lookup = tuple[str, asyncio.Future[Record | None]]
Waiting = asyncio.Future[Record | None] | asyncio.Future[None]
Deposit = tuple[Answered, asyncio.Future[None]]


class Clerk:
    """Carries look-ups, claims and answers between an event loop and the cache.

    Args:
        cache: The cache; it is closed with the clerk.
        since: Older answers do not count (seconds since 1970).
        busy: Tells how many coroutines could come to want something.
    """

    def __init__(self, cache: Cache, *, since: float, busy: Callable[[], int]) -> None:
        self._cache = cache
        self._since = since
        self._busy = busy
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cache")
        self._lookups: list[Lookup] = []
        self._deposits: list[Deposit] = []
        self._released: list[str] = []
        self._is_closing = False
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Begin to work."""
        await self._on_thread(self._cache.sweep)
        await self._on_thread(self._cache.beat)
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._beat())]

    async def close(self, *, held_usd: float = 0.0) -> None:
        """Write down what is left, give all claims back, and close the cache; see `Cache.close`."""
        self._is_closing = True
        self._wake.set()
        try:
            # Not cancelled: what it has taken to the database must get there.
            await asyncio.gather(*self._tasks[:1], return_exceptions=True)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            await self._on_thread(lambda: self._cache.close(held_usd=held_usd))
            self._thread.shutdown()

    async def look_up(self, key: str) -> Record | None:
        """Return what is stored of a key, or None if it is now this process's to ask.

        Waits while another process is asking.
        """
        while True:
            future: asyncio.Future[Record | None] = asyncio.get_running_loop().create_future()
            self._lookups.append((key, future))
            self._wake.set()
            try:
                return await future
            except _HeldElsewhere:
                await asyncio.sleep(ASK_AGAIN_SECONDS)

    async def store(self, answered: Answered) -> None:
        """Return when an answer is safely stored."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._deposits.append((answered, future))
        self._wake.set()
        await future

    def release(self, key: str) -> None:
        """Give a claim back without an answer."""
        self._released.append(key)
        self._wake.set()

    async def draw(self, wanted_usd: float) -> float:
        """Draw an amount from the accounts; see `spending.draw`."""
        return await self._on_thread(lambda: self._cache.draw(wanted_usd))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(ALIVE_SECONDS / 6)
            with contextlib.suppress(ResonareError):  # the next visit will say what is wrong
                await self._on_thread(self._cache.beat)

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            await self._gather()
            self._wake.clear()
            await self._visit()
            if self._lookups or self._deposits or self._released:
                self._wake.set()
            elif self._is_closing:
                return

    async def _gather(self) -> None:
        """Wait for others, unless nobody is left who could come."""
        await asyncio.sleep(0)
        if len(self._lookups) + len(self._deposits) < min(self._busy(), VISIT_AT_MOST):
            await asyncio.sleep(GATHER_SECONDS)

    async def _visit(self) -> None:
        lookups, self._lookups = self._lookups[:VISIT_AT_MOST], self._lookups[VISIT_AT_MOST:]
        deposits, self._deposits = self._deposits, []
        released, self._released = self._released, []
        keys = list(dict.fromkeys(key for key, _ in lookups))
        answered = [item for item, _ in deposits]
        try:
            own, found = await self._on_thread(lambda: self._visited(keys, answered, released))
        except BaseException as error:
            waiting: list[Waiting] = [future for _, future in lookups]
            waiting += [future for _, future in deposits]
            for future in waiting:
                _fail(future, error)
            if not isinstance(error, Exception):
                raise
            return
        for _, stored in deposits:
            if not stored.done():
                stored.set_result(None)
        for key, future in lookups:
            _tell(key, future, own, found)

    def _visited(
        self, keys: list[str], answered: list[Answered], released: list[str]
    ) -> tuple[set[str], dict[str, Record]]:
        """Do one visit, on the thread."""
        if answered or released:
            self._cache.store(answered, released)
        if not keys:
            return set(), {}
        found = self._cache.find(keys, since=self._since)
        missing = [key for key in keys if key not in found]
        if not missing:
            return set(), found
        own, meanwhile = self._cache.claim(missing, since=self._since)
        return own, found | meanwhile

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class _HeldElsewhere(Exception):  # noqa: N818  # not an error: somebody else is asking
    pass


def _tell(
    key: str, future: asyncio.Future[Record | None], own: set[str], found: dict[str, Record]
) -> None:
    if future.done():
        return
    if key in found:
        future.set_result(found[key])
    elif key in own:
        future.set_result(None)
    else:
        future.set_exception(_HeldElsewhere())


def _fail(future: Waiting, error: BaseException) -> None:
    """Tell whoever waits what went wrong."""
    if future.done():
        return
    if isinstance(error, Exception):
        future.set_exception(error)
    else:
        future.cancel()
