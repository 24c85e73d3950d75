"""The requests that records would make, for estimates: exact in number, later prompts guessed.

A turn that follows one that is to be filled is asked for with the answer to that one, which is not
there yet; text of the length that answers are assumed to have stands in its place.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.records.filling import Choices
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.prompts import ASSISTANT, Prompt
from resonare_pipeline.records.reasons import UnusableRecordError
from resonare_pipeline.records.understanding import understand

WORD = " word"  # one token


def requests_of(
    prompt: Prompt, choices: Choices, *, assumed_tokens: int
) -> Iterator[CompletionRequest]:
    """Yield a record's requests, in order.

    Args:
        assumed_tokens: Length of an answer that is not there yet.
    """
    messages = [turn.message for turn in prompt.turns]
    for number in prompt.empty:
        yield CompletionRequest(
            model=choices.model,
            messages=tuple(messages[:number]),
            tools=prompt.tools,
            parameters=dict(choices.parameters),
            sample=choices.sample,
        )
        messages[number] = {"role": ASSISTANT, "content": WORD * assumed_tokens}


class Counting:
    """Goes through records as filling them would, and counts.

    Attributes:
        records: All that were looked at.
        to_fill: Those with a turn to be filled.
        unusable: Those that would be left out.
    """

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self.records = 0
        self.to_fill = 0
        self.unusable = 0

    def requests(
        self, records: Iterable[Record], *, assumed_tokens: int
    ) -> Iterator[CompletionRequest]:
        """Yield the requests of all records."""
        choices = self._choices
        for record in islice(records, choices.first, choices.last):
            self.records += 1
            prompt = self._prompt(record)
            if prompt is None or (choices.skip_existing and prompt.has_answer):
                continue
            self.to_fill += bool(prompt.empty)
            yield from requests_of(prompt, choices, assumed_tokens=assumed_tokens)

    def _prompt(self, record: Record) -> Prompt | None:
        try:
            if record.problem is None:
                return understand(record.text, has_padding=self._choices.has_padding)
        except UnusableRecordError:
            pass
        self.unusable += 1
        return None
