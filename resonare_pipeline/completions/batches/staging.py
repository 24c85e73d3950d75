"""Requests → input files within the provider's limits, each written down as a batch.

Requests stream through. A line is written only once its request is claimed for the batch, so no
request is in two files. Limits: lines, bytes and enqueued tokens of a file, one model in it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from resonare_pipeline.completions.accounts import Account
from resonare_pipeline.completions.batches.batch import Batch, State, new_batch_id
from resonare_pipeline.completions.batches.files import writing
from resonare_pipeline.completions.batches.ledger import Ledger
from resonare_pipeline.completions.batches.queueing import queue_limit
from resonare_pipeline.completions.environment import Endpoint
from resonare_pipeline.completions.estimating import (
    output_limit,
    prompt_tokens,
    require_upper_usd,
)
from resonare_pipeline.completions.pricing import BATCH_SHARE
from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.completions.settings import CompletionsSettings

CHUNK = 500  # requests that are claimed together
FILLING = 1e12  # `wait_until` of a file that is not written to its end yet


@dataclass(slots=True, kw_only=True)
class Staged:
    """What came of staging.

    Attributes:
        lines: Requests that are in new batches.
        elsewhere: Requests that are being asked already, in other batches or by other processes.
        over_cap: Requests that may not be asked, since the cap leaves no room for them.
    """

    lines: int = 0
    elsewhere: int = 0
    over_cap: int = 0


class _Line(msgspec.Struct):
    key: str
    text: bytes
    tokens: int
    upper_usd: float


@dataclass(slots=True)
class _Open:
    """A file that is being written."""

    batch: Batch
    stream: BinaryIO
    most_tokens: int | None
    lines: int = 0
    bytes: int = 0
    tokens: int = 0
    upper_usd: float = 0.0


@dataclass(slots=True, kw_only=True)
class Stager:
    """Writes the files of one round.

    Attributes:
        folder: Where files lie until they are uploaded.
        drop: Gives up a batch of which nothing ran.
        cap_usd: Most that the campaign may cost; None: no cap.
        accounts: What is spent together with other runs, each with a cap of its own.
    """

    ledger: Ledger
    settings: CompletionsSettings
    endpoint: Endpoint
    folder: Path
    drop: Callable[[Batch], None]
    cap_usd: float | None
    accounts: tuple[Account, ...]

    def stage(self, requests: Iterable[CompletionRequest]) -> Staged:
        """Write the files of a round; all requests of one model.

        Raises:
            SettingsError: If there is a cap, and nothing says what a request can cost.
            StoreError: If a file cannot be written.
            CacheError: If the ledger cannot be used.
        """
        told = Staged()
        room = self._room_usd()
        for model, some in _by_model(requests):
            room = self._stage(model, some, told, room)
        return told

    def _stage(
        self,
        model: str,
        requests: Iterator[CompletionRequest],
        told: Staged,
        room: float | None,
    ) -> float | None:
        """Write the files of one model; return the room that is left."""
        opened: _Open | None = None
        limit = queue_limit(model, self.settings, self.ledger)
        waiting: list[_Line] = []
        try:
            for chunk in _chunks(requests):
                waiting += self._lines(chunk)
                while waiting:
                    opened = opened or self._begin(model, limit)
                    taken = self._that_fit(opened, waiting)
                    if not taken:
                        self._end(opened, told)
                        opened = None
                        continue
                    waiting = waiting[len(taken) :]
                    room = self._take(opened, taken, told, room)
            if opened is not None:
                self._end(opened, told)
        finally:
            if opened is not None:
                opened.stream.close()
        return room

    def _room_usd(self) -> float | None:
        rooms = [
            account.cap_usd - used
            for account, used in zip(
                self.accounts, self.ledger.used_usd(self.accounts), strict=True
            )
        ]
        if self.cap_usd is not None:
            rooms.append(self.cap_usd - self.ledger.spent_usd())
        return min(rooms, default=None)

    def _lines(self, requests: Iterable[CompletionRequest]) -> list[_Line]:
        lines: dict[str, _Line] = {}
        for request in requests:
            key = request.key(self.endpoint.provider, self.endpoint.name)
            if key not in lines:
                tokens = prompt_tokens(request)
                upper = self._upper_usd(request, tokens)
                lines[key] = _Line(key, request.batch_line(key), tokens, upper)
        return list(lines.values())

    def _upper_usd(self, request: CompletionRequest, tokens: int) -> float:
        if self.cap_usd is None and not self.accounts:
            return 0.0
        provider = self.endpoint.provider
        limit = output_limit(request)
        upper = require_upper_usd(request, self.settings, provider, limit, tokens=tokens)
        return BATCH_SHARE * upper

    def _begin(self, model: str, most_tokens: int | None) -> _Open:
        name = new_batch_id()
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        path = (self.folder / f"{name}.jsonl").resolve()
        batch = Batch(
            batch=name,
            campaign=self.ledger.campaign,
            endpoint=self.endpoint.name,
            model=model,
            state=State.STAGED,
            path=str(path),
            staged_at=self.ledger.clock(),
            wait_until=FILLING,
        )
        self.ledger.add(batch)
        with writing(path):
            return _Open(batch, path.open("wb"), most_tokens)

    def _that_fit(self, opened: _Open, waiting: list[_Line]) -> list[_Line]:
        """Return the first lines that a file still takes; an empty one takes at least one."""
        settings = self.settings
        taken: list[_Line] = []
        count, size, tokens = opened.lines, opened.bytes, opened.tokens
        for line in waiting[:CHUNK]:
            count, size, tokens = count + 1, size + len(line.text), tokens + line.tokens
            is_over = count > settings.batch_lines or size > settings.batch_bytes
            is_over |= opened.most_tokens is not None and tokens > opened.most_tokens
            if is_over and (opened.lines or taken):
                break
            taken.append(line)
        return taken

    def _take(
        self, opened: _Open, lines: list[_Line], told: Staged, room: float | None
    ) -> float | None:
        """Claim lines and write those that are this batch's now; return the room that is left."""
        if room is not None:
            fitting: list[_Line] = []
            for line in lines:
                if line.upper_usd <= room + 1e-9:
                    room -= line.upper_usd
                    fitting.append(line)
            told.over_cap += len(lines) - len(fitting)
            lines = fitting
        own, elsewhere = self.ledger.claim(opened.batch.batch, [line.key for line in lines])
        told.elsewhere += elsewhere
        with writing(Path(opened.batch.path)):
            for line in lines:
                if line.key not in own:
                    room = None if room is None else room + line.upper_usd
                    continue
                own.discard(line.key)  # once, though it stand twice in a round
                opened.stream.write(line.text)
                opened.lines += 1
                opened.bytes += len(line.text)
                opened.tokens += line.tokens
                opened.upper_usd += line.upper_usd
        return room

    def _end(self, opened: _Open, told: Staged) -> None:
        with writing(Path(opened.batch.path)):
            opened.stream.close()
        # Should others have drawn meanwhile what was there, nothing of the batch is asked.
        has_room = self.ledger.draw(opened.batch.batch, self.accounts, opened.upper_usd)
        told.lines += opened.lines * has_room
        told.over_cap += opened.lines * (not has_room)
        self.ledger.change(
            opened.batch,
            lines=opened.lines,
            bytes=opened.bytes,
            tokens=opened.tokens,
            reserved_usd=opened.upper_usd,
            wait_until=0.0,
        )
        if not (opened.lines and has_room):
            self.drop(opened.batch)


def _chunks(requests: Iterator[CompletionRequest]) -> Iterator[list[CompletionRequest]]:
    while chunk := list(islice(requests, CHUNK)):
        yield chunk


def _by_model(
    requests: Iterable[CompletionRequest],
) -> Iterator[tuple[str, Iterator[CompletionRequest]]]:
    """Group a stream by model as it comes: rounds ask one model, and a change begins a new file."""
    yield from groupby(requests, key=lambda request: request.model)
