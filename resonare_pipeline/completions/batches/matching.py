"""The provider's lines by the id of their request, whatever their order, number or damage.

Lines stay in the files that were downloaded; what is held of each is 16 bytes of its id, and where
it stands. Nothing is assumed of bodies but where they tell what was billed, so that lines of every
endpoint are understood.
"""

from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec

from resonare_pipeline.completions.answers import describe_error
from resonare_pipeline.completions.batches.batch import Batch, State
from resonare_pipeline.completions.batches.checking import short_id
from resonare_pipeline.completions.batches.collecting import LACKING, LOST
from resonare_pipeline.completions.batches.lines import OK, OutputLine, judge_line, read_output
from resonare_pipeline.completions.batches.setbacks import Setback
from resonare_pipeline.completions.requests import Failure, Usage

INPUT_TOKENS = ("prompt_tokens", "input_tokens")  # of chat completions; of responses
OUTPUT_TOKENS = ("completion_tokens", "output_tokens")


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the provider's.

    Attributes:
        text: As it stands in the file, without its end.
        is_answer: It was answered by HTTP 200, and not by an error within.
        setback: Why it is no answer; nothing for one that is.
        usage: What was billed, if it tells.
    """

    text: bytes
    is_answer: bool
    setback: Setback
    usage: Usage | None = None


class Results:
    """All lines of some output and error files; used within `with`.

    Attributes:
        repeated: Further lines of a request; an answer wins over an error, else the first counts.
        malformed: Lines that are no results.
        lost: Batches of which the provider has lost a file.
    """

    def __init__(self) -> None:
        self.repeated = 0
        self.malformed = 0
        self.lost: set[str] = set()
        self._files: list[BinaryIO] = []
        self._at: dict[bytes, tuple[int, int, int, bool]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for stream in self._files:
            stream.close()

    @property
    def left(self) -> int:
        """How many lines nobody took."""
        return len(self._at)

    def take_in(self, path: Path) -> None:
        """Read a file that was downloaded."""
        stream = path.open("rb")
        self._files.append(stream)
        start = 0
        for text in stream:
            place = (len(self._files) - 1, start, len(text))
            start += len(text)
            if not text.strip():
                continue
            line = read_output(text)
            if line is None:
                self.malformed += 1
                continue
            self._note(short_id(line.custom_id), place, is_answer=is_answer(line))

    def _note(self, name: bytes, place: tuple[int, int, int], *, is_answer: bool) -> None:
        known = self._at.get(name)
        if known is not None:
            self.repeated += 1
            if known[3] or not is_answer:
                return
        self._at[name] = (*place, is_answer)

    def take(self, custom_id: str) -> Match | None:
        """Return the line of a request, and hold it no longer; None if there is none."""
        place = self._at.pop(short_id(custom_id), None)
        if place is None:
            return None
        stream = self._files[place[0]]
        stream.seek(place[1])
        text = stream.read(place[2]).strip()
        line = read_output(text)
        assert line is not None  # noqa: S101  # it was read before
        usage = _usage(line) if place[3] else None
        setback = Setback(failure=None) if place[3] else setback_of(line)
        return Match(text=text, is_answer=place[3], setback=setback, usage=usage)


def is_answer(line: OutputLine) -> bool:
    """Tell whether a line was answered by HTTP 200, and not by an error within."""
    response = line.response
    if response is None or response.status_code != OK:
        return False
    return isinstance(response.body, dict) and not response.body.get("error")


def setback_of(line: OutputLine) -> Setback:
    """Return why a line is no answer."""
    response = line.response
    if response is not None and response.status_code == OK:
        return Setback(failure=Failure.SERVER, detail=describe_error(response.body))
    judged = judge_line(line, model="")
    return Setback(failure=judged.failure or Failure.SERVER, detail=judged.detail)


def _usage(line: OutputLine) -> Usage | None:
    """Read what an answer was billed for: OpenAI's `usage`, in its several spellings."""
    body = line.response.body if line.response else None
    usage = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(usage, dict):
        return None
    prompt = _count(usage, INPUT_TOKENS)
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details")
    cached = _count(details, ("cached_tokens",)) if isinstance(details, dict) else 0
    if prompt is None:
        return None
    return Usage(
        input_tokens=prompt,
        output_tokens=_count(usage, OUTPUT_TOKENS) or 0,
        cached_tokens=min(cached or 0, prompt),
    )


def _count(found: dict[str, Any], names: tuple[str, ...]) -> int | None:
    values = (found.get(name) for name in names)
    return next((value for value in values if isinstance(value, int) and value >= 0), None)


def lacking_of(batch: Batch, said: str | None, *, is_lost: bool) -> Setback:
    """Return why a request has no line at all; no failure: it was not run, and nothing is amiss.

    Args:
        batch: That it is in.
        said: What the provider's validation found wrong with this line.
        is_lost: The provider has lost a file of the batch.
    """
    if said is not None:
        return Setback(failure=Failure.INVALID, detail=said)
    if batch.state is State.DROPPED:
        return Setback(failure=None, detail=batch.detail or "its batch was never made")
    if batch.status == "failed":
        return Setback(failure=None, detail=f"nothing of its batch was run: {batch.detail}")
    if is_lost:
        return Setback(
            failure=Failure.SERVER,
            detail="the provider has lost a file, which it may have been in",
        )
    if batch.detail:
        return Setback(failure=Failure.SERVER, detail=batch.detail)
    return LACKING.get(batch.status, LOST)
