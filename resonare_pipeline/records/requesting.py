"""The requests that records still need, for estimates: exact in number, later prompts guessed.

A turn that follows one that is to be filled is asked for with the answer to that one. If that is in
the cache it is taken from there; else text of the length that answers are assumed to have stands in
its place.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from resonare_pipeline.completions.lookup import LookUp, nothing_known
from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.prompts import Message, Prompt
from resonare_pipeline.records.reasons import RECORD_ERRORS, UnusableRecordError
from resonare_pipeline.records.understanding import prompt_of
from resonare_pipeline.records.walking import Choices, Walk

WORD = " word"  # one token
CHUNK_RECORDS = 256  # looked up together
MARK_BYTES = 16  # of a request's hash; many millions of requests have no two alike by chance


@dataclass(slots=True, kw_only=True)
class Counting:
    """Goes through records as filling them would, and counts.

    Attributes:
        assumed_tokens: Length of answers that are not there yet; None: what follows one is not
            asked for either.
        records: All that were looked at.
        to_fill: Those with a turn to be filled.
        unusable: Those that would be left out.
        known: Requests whose answers are in the cache.
        repeated: Requests that will share the answer of an identical one.
    """

    choices: Choices
    assumed_tokens: int | None
    look_up: LookUp = nothing_known
    records: int = 0
    to_fill: int = 0
    unusable: int = 0
    known: int = 0
    repeated: int = 0
    _chunk: list[Walk] = field(default_factory=list)
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
                self._chunk.append(Walk(prompt))
            if len(self._chunk) == CHUNK_RECORDS:
                yield from self._asked()
        yield from self._asked()

    def _prompt(self, record: Record) -> Prompt | None:
        try:
            return prompt_of(record, has_padding=self.choices.has_padding)
        except (UnusableRecordError, *RECORD_ERRORS):
            self.unusable += 1
            return None

    def _asked(self) -> Iterator[CompletionRequest]:
        """Yield the requests of a chunk, turn after turn of all its records."""
        walks, self._chunk = self._chunk, []
        while walks:
            requests = [walk.request(self.choices) for walk in walks]
            found = self.look_up(requests)
            going: list[Walk] = []
            for walk, request, outcome in zip(walks, requests, found, strict=True):
                if outcome is None:
                    yield from self._new(request)
                    yield from self._guessed(walk)
                    continue
                self.known += 1
                if outcome.failure is None and outcome.completion is not None:
                    going += [walk] if _goes_on(walk, outcome.completion.message) else []
            walks = going

    def _guessed(self, walk: Walk) -> Iterator[CompletionRequest]:
        """Yield the requests that will follow one whose answer is not there yet."""
        while self.assumed_tokens is not None:
            walk.guess(WORD * self.assumed_tokens)
            if walk.turn is None:
                return
            yield from self._new(walk.request(self.choices))

    def _new(self, request: CompletionRequest) -> Iterator[CompletionRequest]:
        """Yield a request unless an identical one was: it is paid for once."""
        told = msgspec.json.encode((request.messages, request.tools))  # all else is the same
        mark = hashlib.blake2b(told, digest_size=MARK_BYTES).digest()
        if mark in self._yielded:
            self.repeated += 1
            return
        self._yielded.add(mark)
        yield request


def _goes_on(walk: Walk, message: Message) -> bool:
    """Put a known answer into a record's turns, and tell whether another is to be asked for."""
    try:
        walk.put(message)
    except (UnusableRecordError, *RECORD_ERRORS):
        return False  # the record will be left out
    return walk.turn is not None and not walk.lacks_results()
