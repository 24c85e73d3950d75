"""Stages begun before the orchestrator asks for them, while it is still being imported.

A thread makes stages in the order of the graph, as `make` would, until the first of them is asked
for; what it has begun by then it finishes, and whoever asks is given that. What a stage is and when
it is a hit is decided where it always is.
"""

import contextvars
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock, Thread

from resonare_pipeline.planning.graph import Stage
from resonare_pipeline.planning.made import Listener, Made, current_listener, listening, with_ahead
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import Workspace
from resonare_pipeline.progress import Progress


class _CalledOffError(Exception):
    """Nobody will ask any more; ends the thread."""


class _Thread:
    """Makes stages of one partition, and hands over what it has made."""

    def __init__(
        self, workspace: Workspace, stages: Sequence[Stage], partition: str | None, *, force: bool
    ) -> None:
        self._workspace = workspace
        self._stages = stages
        self._partition = partition
        self._force = force
        self._begun: dict[str, Future[Made]] = {}
        self._lock = Lock()
        self._asked = False
        self._called_off = False
        context = contextvars.copy_context()
        self._thread = Thread(target=lambda: context.run(self._run), name="stages ahead")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Give up what nobody has asked for, and wait until that is cleared away."""
        self._called_off = self._asked = True
        self._thread.join()

    def take(self, stage: Stage, partition: str | None) -> Made | None:
        """Return a stage that was begun, when it is made; None if it was not begun.

        Raises:
            ResonareError: As the stage says.
        """
        with self._lock:
            self._asked = True
            future = self._begun.pop(stage.name, None) if partition == self._partition else None
        return None if future is None else future.result()

    def _run(self) -> None:
        listener = current_listener()
        for stage in self._stages:
            future: Future[Made] = Future()
            with self._lock:
                if self._asked:
                    return
                self._begun[stage.name] = future
            try:
                with listening(self._watched(listener)):
                    made = make(self._workspace, stage, self._partition, force=self._force)
            except BaseException as error:  # noqa: BLE001  # raised again by whoever asks
                future.set_exception(error)
                return
            future.set_result(made)

    def _watched(self, listener: Listener | None) -> Listener:
        """Return a listener that passes on what it hears, and ends what was called off."""

        def started(stage: Stage, partition: str | None) -> Progress:
            inner = listener.started(stage, partition) if listener else None

            def progress(done: int, total: int, unit: str) -> None:
                if self._called_off:
                    raise _CalledOffError
                if inner:
                    inner(done, total, unit)

            return progress

        def made(item: Made) -> None:
            if listener:
                listener.made(item)

        return Listener(started=started, made=made)


@contextmanager
def stages_ahead(
    workspace: Workspace, stages: Sequence[Stage], partition: str | None, *, force: bool
) -> Iterator[None]:
    """Make stages of one partition beside the block, until the block asks for the first of them."""
    ahead = _Thread(workspace, stages, partition, force=force)
    ahead.start()
    try:
        with with_ahead(ahead):
            yield
    finally:
        ahead.end()
