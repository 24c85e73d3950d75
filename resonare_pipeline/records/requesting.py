"""The requests that records still need, for estimates: exact in number, later prompts guessed.

A turn that follows one that is to be filled is asked for with the answer to that one. If that is in
the cache it is taken from there; else text of the length that answers are assumed to have stands in
its place.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec

from resonare_pipeline.completions.environment import Provider
from resonare_pipeline.completions.requests import CompletionRequest, Outcome
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.records.filling import Choices
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.prompts import ASSISTANT, Answer, Message, Prompt
from resonare_pipeline.records.reasons import UnusableRecordError
from resonare_pipeline.records.understanding import prompt_of

WORD = " word"  # one token
CHUNK_RECORDS = 256  # looked up together
MARK_BYTES = 16  # of a request's hash; many millions of requests have no two alike by chance

LookUp = Callable[[Sequence[CompletionRequest]], Sequence[Outcome | None]]
"""Tells what is known of requests without asking anybody."""


def nothing_known(requests: Sequence[CompletionRequest]) -> list[Outcome | None]:
    """Know no answer."""
    return [None] * len(requests)


@contextmanager
def cached_answers(
    settings: CompletionsSettings, environ: Mapping[str, str], *, default_db: Path
) -> Iterator[LookUp]:
    """Open the cache for looking things up; one that is not there yet is not made.

    Raises:
        CacheError: If it cannot be read.
    """
    # Not at the top: who only plans need not wait for SQLAlchemy.
    from resonare_pipeline.completions.cache.places import cache_url
    from resonare_pipeline.completions.cache.store import Cache

    url = cache_url(environ, default_db)
    is_absent = url.drivername == "sqlite" and not Path(url.database or "").exists()
    if settings.provider is Provider.MOCK or is_absent:
        yield nothing_known
        return
    name = settings.endpoint_name()
    cache = Cache(url)

    def look_up(requests: Sequence[CompletionRequest]) -> list[Outcome | None]:
        keys = [request.key(settings.provider, name) for request in requests]
        found = cache.find(keys)
        return [
            Outcome(key=key, completion=found[key].completion, failure=found[key].failure)
            if key in found
            else None
            for key in keys
        ]

    try:
        yield look_up
    finally:
        cache.close()


@dataclass(slots=True)
class _Walk:
    """How far a record's turns are known."""

    prompt: Prompt
    messages: list[Message]
    left: list[int]


@dataclass(slots=True, kw_only=True)
class Counting:
    """Goes through records as filling them would, and counts.

    Attributes:
        records: All that were looked at.
        to_fill: Those with a turn to be filled.
        unusable: Those that would be left out.
        known: Requests whose answers are in the cache.
        repeated: Requests that will share the answer of an identical one.
    """

    choices: Choices
    assumed_tokens: int
    look_up: LookUp = nothing_known
    records: int = 0
    to_fill: int = 0
    unusable: int = 0
    known: int = 0
    repeated: int = 0
    _chunk: list[_Walk] = field(default_factory=list)
    _yielded: set[bytes] = field(default_factory=set)

    def requests(self, records: Iterable[Record]) -> Iterator[CompletionRequest]:
        """Yield the requests that are still to be sent."""
        choices = self.choices
        for record in islice(records, choices.first, choices.last):
            self.records += 1
            prompt = self._prompt(record)
            if prompt is None or (choices.skip_existing and prompt.has_answer):
                continue
            if prompt.empty:
                self.to_fill += 1
                messages = [turn.message for turn in prompt.turns]
                self._chunk.append(_Walk(prompt, messages, prompt.empty))
            if len(self._chunk) == CHUNK_RECORDS:
                yield from self._asked()
        yield from self._asked()

    def _prompt(self, record: Record) -> Prompt | None:
        try:
            return prompt_of(record, has_padding=self.choices.has_padding)
        except UnusableRecordError:
            self.unusable += 1
            return None

    def _asked(self) -> Iterator[CompletionRequest]:
        """Yield the requests of a chunk, turn after turn of all its records."""
        walks, self._chunk = self._chunk, []
        while walks:
            found = self.look_up([self._request(walk) for walk in walks])
            going: list[_Walk] = []
            for walk, outcome in zip(walks, found, strict=True):
                if outcome is None:
                    yield from self._unknown(walk)
                    continue
                self.known += 1
                if outcome.failure is None and outcome.completion is not None:
                    going += [walk] if _goes_on(walk, outcome.completion.message) else []
            walks = going

    def _unknown(self, walk: _Walk) -> Iterator[CompletionRequest]:
        while walk.left:
            request = self._request(walk)
            if self._is_new(request):
                yield request
            else:
                self.repeated += 1
            content = WORD * self.assumed_tokens
            walk.messages[walk.left.pop(0)] = {"role": ASSISTANT, "content": content}

    def _is_new(self, request: CompletionRequest) -> bool:
        told = msgspec.json.encode((request.messages, request.tools))  # all else is the same
        mark = hashlib.blake2b(told, digest_size=MARK_BYTES).digest()
        if mark in self._yielded:
            return False
        self._yielded.add(mark)
        return True

    def _request(self, walk: _Walk) -> CompletionRequest:
        choices = self.choices
        return CompletionRequest(
            model=choices.model,
            messages=tuple(walk.messages[: walk.left[0]]),
            tools=walk.prompt.tools,
            parameters=dict(choices.parameters),
            sample=choices.sample,
        )


def _goes_on(walk: _Walk, message: Message) -> bool:
    """Put a known answer into a record's turns, and tell whether another is to be asked for."""
    try:
        answer = Answer.of(message, walk.left[0])
    except UnusableRecordError:
        return False  # the record will be left out
    walk.messages[walk.left.pop(0)] = answer.as_message()
    return bool(walk.left)
