"""Running the lines of a batch: each is answered as the same body is online."""

import hashlib
import random
import time
from typing import Any, BinaryIO

import msgspec

from tests.fake_openai.answers import (
    STATUS,
    answer,
    canonical,
    error,
    failure,
    output_tokens,
    prompt_tokens,
    refusal,
    unread,
)
from tests.fake_openai.fates import Struck
from tests.fake_openai.files import Files
from tests.fake_openai.journal import Entry, Journal
from tests.fake_openai.scanning import READ_LINE, Line
from tests.fake_openai.script import Fate, Fault, Play, Script
from tests.fake_openai.sheets import Sheet

UNFIT = frozenset({Fault.HANG, Fault.DISCONNECT})
"""Faults of connections, which lines have not."""

UNDONE = {
    "batch_expired": "This request could not be executed before the completion window expired.",
    "batch_cancelled": "This batch was cancelled before this request executed.",
}


class Result(msgspec.Struct):
    """What became of one line: an HTTP status and body, and what the journal says of it."""

    status: int
    body: bytes
    outcome: str = "ok"
    tokens: int = 0


class Floor:
    """What the works of all batches share: rules as they go on, journal, files, lines in total."""

    def __init__(self, script: Script, journal: Journal, files: Files, started: float) -> None:
        self.journal = journal
        self.files = files
        self.started = started
        self.lines_run = 0
        self.use(script, Play(script.rules, script.seed))

    def use(self, script: Script, play: Play) -> None:
        """Run lines by another script from now on."""
        self.script = script
        self.plays = (Play(script.batches.rules, script.seed), play)


class Work:
    """The lines of one batch, as far as they were run.

    Attributes:
        done: Lines that were run.
        completed: Of these, how many are answered by HTTP 200.
        failed: Lines in the error file.
        usage: Tokens in and out.
    """

    def __init__(self, batch: str, stream: BinaryIO, floor: Floor, fates: Struck) -> None:
        self.done = self.completed = self.failed = 0
        self.usage = [0, 0]
        self._batch = batch
        self._stream = stream
        self._floor = floor
        self._fates = fates
        self._drawn = random.Random(f"{floor.script.seed}:{batch}")  # noqa: S311  # no secret
        self.output = Sheet(floor.files.draft(), fates, self._drawn)
        self.errors = Sheet(floor.files.draft(), fates, self._drawn)

    def run(self, until: int, most: int) -> bool:
        """Run lines up to a number, but only so many at a time; tell whether some are left."""
        for _ in range(min(most, until - self.done)):
            line = READ_LINE.decode(self._stream.readline())
            self._written(line, self._answered(line.body))
            self.done += 1
        return self.done < until

    def close(self, total: int, undone: str | None) -> None:
        """End both files.

        Args:
            total: Lines of the batch.
            undone: The code of what stands for each line that was not run; None: nothing does.
        """
        if undone:
            said = {"code": undone, "message": UNDONE[undone]}
            for number in range(self.done, total):
                line = READ_LINE.decode(self._stream.readline())
                self.errors.write(self._line(line, number, None, said))
                self.failed += 1
        self.output.close()
        self.errors.close()

    def drop(self) -> None:
        """Leave both files as they are."""
        self.output.drop()
        self.errors.drop()

    def _written(self, line: Line, result: Result) -> None:
        response = {
            "status_code": result.status,
            "request_id": f"req_{self._batch[6:14]}{self.done:06}",
            "body": msgspec.Raw(result.body),
        }
        good = result.status == 200
        sheet = self.output if good else self.errors
        self.completed += good
        self.failed += not good
        raw = self._line(line, self.done, response, None)
        sheet.write(raw[: len(raw) // 2] if result.outcome == Fault.MALFORMED else raw)

    def _line(
        self, line: Line, number: int, response: dict[str, Any] | None, said: dict[str, str] | None
    ) -> bytes:
        value = {
            "id": f"batch_req_{self._batch[6:14]}{number:06}",
            "custom_id": line.custom_id,
            "response": response,
            "error": said,
        }
        return msgspec.json.encode(value)

    def _answered(self, raw: msgspec.Raw) -> Result:
        try:
            body = msgspec.json.decode(raw)
            refused = refusal(body, self._floor.script)
            asked = canonical(body)
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
            asked, refused = bytes(raw), unread()
        result = Result(*refused, outcome="refused") if refused else self._judged(asked, body)
        self._floor.lines_run += 1
        self._floor.journal.add(
            Entry(
                at=time.monotonic() - self._floor.started,
                body=hashlib.sha256(asked).hexdigest(),
                status=result.status,
                outcome=result.outcome,
                tokens=result.tokens,
                kind="line",
                batch=self._batch,
            )
        )
        return result

    def _judged(self, asked: bytes, body: dict[str, Any]) -> Result:
        fault = self._fault(asked)
        if fault in STATUS:
            return Result(*failure(fault), outcome=fault)
        said = answer(asked, body, self._floor.script, fault)
        spent = prompt_tokens(body), output_tokens(body, self._floor.script)
        self.usage[0] += spent[0]
        self.usage[1] += spent[1]
        outcome: str = fault or "ok"
        if self._strikes(Fate.ERROR_WITHIN):
            outcome, found = Fate.ERROR_WITHIN, error("Scripted", kind="server_error")
        elif self._strikes(Fate.NO_CHOICES):
            outcome, found = Fate.NO_CHOICES, _without_choices(said)
        else:
            found = msgspec.json.encode(said)
        return Result(200, found, outcome, sum(spent))

    def _fault(self, asked: bytes) -> Fault | None:
        if self._strikes(Fate.LINES_FAIL):
            return self._fates[Fate.LINES_FAIL].fault
        for play in self._floor.plays:
            rule = play.strike(asked, unfit=UNFIT, drawn=self._drawn)
            if rule:
                return rule.fault
        return None

    def _strikes(self, fate: Fate) -> bool:
        rule = self._fates.get(fate)
        return rule is not None and self._drawn.random() < rule.share


def _without_choices(said: dict[str, Any]) -> bytes:
    """Return a chat completion in the shape of the Responses API."""
    text = said["choices"][0]["message"]["content"]
    content = [{"type": "output_text", "text": text, "annotations": []}]
    message = {"type": "message", "id": "msg_1", "role": "assistant", "content": content}
    value = {
        "id": "resp_1",
        "object": "response",
        "created_at": said["created"],
        "status": "completed",
        "model": said["model"],
        "output": [message | {"status": "completed"}],
    }
    return msgspec.json.encode(value)
