"""What records still need of a model, for rounds of batches: each one's next request."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.records.items import Record
from resonare_pipeline.records.requesting import Counting, LookUp
from resonare_pipeline.records.walking import Choices


def next_requests(
    opening: Callable[[], AbstractContextManager[Iterable[Record]]],
    choices: Choices,
    look_up: LookUp,
) -> Iterator[CompletionRequest]:
    """Yield the next request of every record that lacks one's answer.

    Args:
        opening: Opens the records anew.
        choices: What is asked of whom.
        look_up: Tells what is answered, and what is failed for good.

    Raises:
        InputError: If the records cannot be read.
    """
    counting = Counting(choices=choices, assumed_tokens=None, look_up=look_up)
    with opening() as records:
        yield from counting.requests(records)
