"""Other processes of this machine that share the work of one, in a pool until they are dismissed.

Processes are spawned, so they inherit neither threads nor locks, and once, so that what they import
and load is paid for once. They ignore an interrupt, which is the parent's to handle, and end when
the parent is gone. A process that hands work out also does some: it never waits while it could.
What may not live here: what the work is.
"""

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import ParamSpec, TypeVar

from resonare_pipeline.artifacts.arrow import prepare_arrow
from resonare_pipeline.errors import StageError

Context = TypeVar("Context")
Argument = TypeVar("Argument")
Result = TypeVar("Result")
Given = ParamSpec("Given")

# Each holds up to 170 MB: what it imports, a tokenizer's tables, messages. With one of them a run
# stays within 600 MB in all, so more are for people to ask for, however many CPUs there are.
UNASKED_WORKERS = 1
GC_THRESHOLDS = (50_000, 20, 20)  # work is columns and lists of strings, hardly any cycles
AHEAD = 4  # jobs a worker has before it: some tens of milliseconds, for which its feeder is busy
WAITING = 5  # results a worker that may wait for an earlier one; each is a megabyte or two

_lock = threading.Lock()
_pools: dict[int, ProcessPoolExecutor] = {}  # one at most, by its size


def unasked_workers() -> int:
    """Return how many processes work beside this one where nobody asks for a number.

    The same on every machine, so that memory is, too; 0 in a daemon process, which may not start
    others.
    """
    return 0 if multiprocessing.current_process().daemon else UNASKED_WORKERS


def _pool(workers: int) -> ProcessPoolExecutor:
    with _lock:
        if workers not in _pools:
            _dismiss()
            resource_tracker.ensure_running()  # whose start would end the holding of interrupts
            spawn = multiprocessing.get_context("spawn")
            _pools[workers] = ProcessPoolExecutor(
                workers, mp_context=spawn, initializer=_begin_worker
            )
        return _pools[workers]


def _dismiss() -> None:
    while _pools:
        _pools.popitem()[1].shutdown(wait=False, cancel_futures=True)


def dismiss_workers() -> None:
    """End all workers; who needs some later starts them anew.

    For the last stage that has use for them: they hold more memory than all that comes after it.
    """
    with _lock:
        _dismiss()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    # A process that is started inside begins with interrupts held back, too, until it ignores them.
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare_arrow()
    gc.freeze()  # what is imported stays
    gc.set_threshold(*GC_THRESHOLDS)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # without this, workers of a killed process would wait for ever
        os._exit(1)


class Lane:
    """Work handed out by one stage.

    Args:
        workers: 0 works in this process.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._out: deque[Future[object]] = deque()

    @property
    def has_room(self) -> bool:
        """Whether a worker will take the next call, and not this process."""
        while self._out and self._out[0].done():
            self._out.popleft()
        return len(self._out) < self.workers * AHEAD

    def call(
        self, function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> "Future[Result]":
        """Hand a call to a worker, or make it here if all have enough to do.

        Args:
            function: Importable by its name, where there are workers.
        """
        if not self.has_room:
            return _made_here(function, *args, **kwargs)
        pool = _pool(self.workers)
        try:
            with _interrupts_held():
                future = pool.submit(function, *args, **kwargs)
        except BrokenProcessPool as error:
            raise _died() from error
        self._out.append(future)  # type: ignore[arg-type]  # only asked whether it is done
        return future

    def result(self, future: "Future[Result]") -> Result:
        """Wait for a call's result, and return it or raise what the call raised.

        Raises:
            StageError: If a worker died.
        """
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise _died() from error

    def close(self) -> None:
        """Take back what was handed out and not begun, and wait until nothing of it is running."""
        wait([future for future in self._out if not future.cancel()])
        self._out.clear()


def done(result: Result) -> "Future[Result]":
    """Return a future that holds a result already."""
    future: Future[Result] = Future()
    future.set_result(result)
    return future


def _made_here(
    function: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
) -> "Future[Result]":
    future: Future[Result] = Future()
    try:
        future.set_result(function(*args, **kwargs))
    except Exception as error:  # noqa: BLE001  # raised again by whoever asks for the result
        future.set_exception(error)
    return future


def _died() -> StageError:
    with _lock:
        _pools.clear()  # the next stage may start anew
    return StageError(
        "a worker process died, perhaps for want of memory",
        expected="workers that live as long as the run",
        remedy="Run again; messages.workers=0 and tokenizer.workers=0 keep to one process",
    )


def map_in_order(
    function: Callable[[Argument], Result],
    jobs: Iterable[tuple[Context, Argument]],
    *,
    workers: int,
) -> Iterator[tuple[Context, Result]]:
    """Apply a function to each job's argument and yield (context, result) in the order of the jobs.

    Lazy: a bounded number of jobs is in flight.

    Args:
        function: Importable by its name, when there are workers.
        jobs: (what stays here, what is sent) pairs.
        workers: 0 works in this process.
    """
    lane = Lane(workers)
    waiting: deque[tuple[Context, Future[Result]]] = deque()
    try:
        for context, argument in jobs:
            waiting.append((context, lane.call(function, argument)))
            while waiting and (waiting[0][1].done() or len(waiting) > WAITING * workers):
                context, future = waiting.popleft()
                yield context, lane.result(future)
        while waiting:
            context, future = waiting.popleft()
            yield context, lane.result(future)
    finally:
        lane.close()
