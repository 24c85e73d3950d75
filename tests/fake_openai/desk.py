"""All batches, brought up to the time of the server's clock whenever somebody looks.

Nothing runs in the background. What happened since the last look is worked through in the order
of its times, a slice of lines at a time, so that other requests are answered meanwhile.
"""

import asyncio
import hashlib
import math

from tests.fake_openai.batches import COUNTED, Batch
from tests.fake_openai.clock import Clock
from tests.fake_openai.fates import Struck
from tests.fake_openai.files import Files, StoredFile
from tests.fake_openai.scanning import Problem, Scan, too_many_tokens
from tests.fake_openai.script import Fate
from tests.fake_openai.sheets import Sheet
from tests.fake_openai.working import Floor, Work

SLICE_LINES = 250
"""Lines worked through before other requests are let in: some 5 ms."""


class Desk:
    """Batches by id, in the order of their creation.

    Attributes:
        fullest: The most enqueued prompt tokens by model, refused batches included.
        retrievals: How often a batch was asked for.
        listings: How often the list was.
    """

    def __init__(self, clock: Clock, files: Files, floor: Floor) -> None:
        self.fullest: dict[str, int] = {}
        self.retrievals = self.listings = 0
        self._clock = clock
        self._files = files
        self._floor = floor
        self._all: dict[str, Batch] = {}
        self._live: list[Batch] = []
        self._lock = asyncio.Lock()

    async def create(
        self, file: StoredFile, endpoint: str, metadata: dict[str, str] | None, fates: Struck
    ) -> Batch:
        """Make a batch of a file."""
        await self.settle()
        async with self._lock:
            script = self._floor.script
            stream = file.path.open("rb")
            scan = Scan(stream, file.size, endpoint, script)
            while scan.step(SLICE_LINES):
                await asyncio.sleep(0)
            name = f"{script.seed}:{len(self._all)}"
            batch = Batch(
                id=f"batch_{hashlib.sha256(name.encode()).hexdigest()[:32]}",
                number=len(self._all),
                endpoint=endpoint,
                input_file_id=file.id,
                metadata=metadata,
                created_at=self._clock.now(),
                script=script.batches,
                fates=fates,
                stream=stream,
                scan=scan,
            )
            self._all[batch.id] = batch
            self._live.append(batch)
            model = scan.model or ""
            held = self._enqueued(model, before=batch) + scan.tokens
            self.fullest[model] = max(self.fullest.get(model, 0), held)
            return batch

    async def settle(self) -> None:
        """Work through all that has happened until now."""
        async with self._lock:
            now = self._clock.now()
            while self._live:
                batch = min(self._live, key=lambda one: (one.due(), one.number))
                then = batch.due()
                if then > now:
                    break
                await self._change(batch, then)
                self._live = [one for one in self._live if one.due() < math.inf]
            for batch in self._live:
                if batch.status == "in_progress":
                    await self._run(batch, now)

    async def cancel(self, batch: Batch) -> bool:
        """Cancel a batch, if it can be."""
        await self.settle()
        if batch.status not in COUNTED and batch.status != "cancelling":
            return False
        if batch.status != "cancelling":
            batch.enter("cancelling", self._clock.now())
        return True

    def find(self, batch_id: str) -> Batch | None:
        """Return a batch by its id."""
        return self._all.get(batch_id)

    def all(self) -> list[Batch]:
        """Return all batches, the newest first."""
        return list(reversed(self._all.values()))

    def listed(self) -> list[Batch]:
        """Return what a listing shows, the newest first, and count the listing."""
        self.listings += 1
        found = []
        for batch in reversed(self._all.values()):
            late = batch.fates.get(Fate.LISTED_LATE)
            batch.passed_over += 1
            hidden = late is not None and batch.passed_over <= late.count
            if not hidden and Fate.VANISHES not in batch.fates:
                found.append(batch)
        return found

    def state(self) -> dict[str, int]:
        """Return counts."""
        found: dict[str, int] = {"batches": len(self._all), "lines_run": self._floor.lines_run}
        for batch in self._all.values():
            name = f"batches_{batch.status}"
            found[name] = found.get(name, 0) + 1
        found |= {f"fullest_enqueued:{model}": most for model, most in self.fullest.items()}
        return found | {"retrievals": self.retrievals, "listings": self.listings}

    def close(self) -> None:
        """Let go of input files."""
        for batch in self._all.values():
            batch.stream.close()
            if batch.work:
                batch.work.drop()

    async def _change(self, batch: Batch, then: float) -> None:
        """Let a batch go on to its next status."""
        match batch.status:
            case "validating" if then >= batch.expires_at:
                self._end(batch, "expired", then)
            case "validating":
                self._validated(batch, then)
            case "in_progress":
                await self._run(batch, then)
                self._ran(batch, then)
            case "finalizing":
                self._end(batch, "completed", then)
            case "cancelling":
                self._end(batch, "cancelled", then)

    def _validated(self, batch: Batch, then: float) -> None:
        batch.problems = batch.found_wrong() or self._too_much(batch)
        if batch.problems:
            batch.enter("failed", then)
            batch.stream.close()
        elif Fate.STATUS in batch.fates:
            batch.enter(batch.fates[Fate.STATUS].code or "paused", then)
        else:
            batch.enter("in_progress", then)
            batch.work = Work(batch.id, batch.stream, self._floor, batch.fates)

    def _too_much(self, batch: Batch) -> list[Problem]:
        model = batch.scan.model or ""
        limit = batch.script.enqueued_tokens.get(model)
        held = self._enqueued(model, before=batch) + batch.scan.tokens
        if limit is None or held <= limit:
            return []
        return [too_many_tokens(model, limit)]

    def _enqueued(self, model: str, *, before: Batch) -> int:
        """Return the enqueued tokens of batches that were made before one."""
        return sum(
            one.scan.tokens
            for one in self._live
            if one.number < before.number and one.status in COUNTED and one.scan.model == model
        )

    async def _run(self, batch: Batch, then: float) -> None:
        wanted = batch.wanted(then)
        while batch.work and batch.work.run(wanted, SLICE_LINES):
            await asyncio.sleep(0)

    def _ran(self, batch: Batch, then: float) -> None:
        """Let a batch go on that has stopped to run."""
        if Fate.CANCELLED in batch.fates:
            batch.enter("cancelling", then)
            self._end(batch, "cancelled", then)
        elif Fate.EXPIRED in batch.fates or then >= batch.expires_at:
            self._end(batch, "expired", then)
        else:
            batch.enter("finalizing", then)

    def _end(self, batch: Batch, status: str, then: float) -> None:
        """Write the files of a batch and let it rest."""
        batch.enter(status, then)
        undone = {"expired": "batch_expired", "cancelled": "batch_cancelled"}.get(status)
        if batch.work:
            batch.work.close(batch.scan.total, undone)
            batch.output = self._kept(batch, batch.work.output, "output", then)
            batch.errors = self._kept(batch, batch.work.errors, "error", then)
        batch.stream.close()

    def _kept(self, batch: Batch, sheet: Sheet, kind: str, then: float) -> StoredFile | None:
        if not sheet.lines:
            sheet.path.unlink()
            return None
        name = f"{batch.id}_{kind}.jsonl"
        kept = self._files.keep(sheet.path, name, "batch_output", now=then)
        vanishes = Fate.OUTPUT_VANISHES if kind == "output" else Fate.ERRORS_VANISH
        kept.gone = vanishes in batch.fates
        broken = batch.fates.get(Fate.DOWNLOAD_BROKEN)
        kept.breaks = broken.count if broken else 0
        return kept
