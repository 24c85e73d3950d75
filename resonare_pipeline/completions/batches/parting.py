"""Parts of an input file: which of its lines go into which batch, within the limits.

One model and one url a part, lines in their order. Parts are planned before anything is written, so
that a file of any size is parted in a small memory.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import msgspec

from resonare_pipeline.completions.batches.checking import (
    ANSWERED_URLS,
    SHORT_URLS,
    InputFile,
    KnownRequest,
    Request,
)
from resonare_pipeline.completions.estimating import prompt_tokens
from resonare_pipeline.completions.pricing import price_of
from resonare_pipeline.completions.requests import CHAT_URL, CompletionRequest, Usage
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import InputChangedError, InputError

PROMPT_FIELDS = ("instructions", "input", "prompt", "tools", "messages", "text", "response_format")
"""Fields of bodies that are no chat's, and that a model reads."""

LIMIT_FIELDS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a part holds at most.

    Attributes:
        tokens: Tells how many prompt tokens, by model; None: any number.
    """

    lines: int
    bytes: int
    tokens: Callable[[str], int | None]


class Part(msgspec.Struct, kw_only=True):
    """Lines of a file: all of one model and url between two numbers, both included.

    Attributes:
        tokens: Of prompts, by o200k.
        output_tokens: As answers are taken to be long.
    """

    model: str
    url: str
    first: int
    last: int
    lines: int = 0
    bytes: int = 0
    tokens: int = 0
    output_tokens: int = 0

    @property
    def group(self) -> tuple[str, str]:
        """What lines of one part have in common."""
        return self.model, self.url

    def cost_usd(self, settings: CompletionsSettings) -> float | None:
        """Return what it will probably cost as a batch; None if nobody knows."""
        price = price_of(self.model, settings)
        if price is None or self.url not in (*ANSWERED_URLS, *SHORT_URLS):
            return None
        usage = Usage(input_tokens=self.tokens, output_tokens=self.output_tokens)
        return price.cost_usd(usage, batch=True)


def plan_parts(
    requests: Iterable[Request],
    limits: Limits,
    *,
    where: Path,
    assumed_output_tokens: int,
    left_out: Callable[[Request], bool] = lambda request: False,  # noqa: ARG005
) -> list[Part]:
    """Plan the parts of a file, in the order of their first lines.

    A line that has more tokens than a part may have is a part by itself.

    Args:
        requests: Of the file.
        limits: Of each part.
        where: The file, for messages.
        assumed_output_tokens: Length of an answer whose request does not bound it.
        left_out: Tells the requests that go into no part.

    Raises:
        InputError: For a line that is larger than a part may be.
    """
    parts: list[Part] = []
    opened: dict[tuple[str, str], Part] = {}
    for request in requests:
        group = (request.model, request.url)
        if left_out(request):
            opened.pop(group, None)  # a part has no lines between its own that are not its own
            continue
        if request.size > limits.bytes:
            raise InputError(
                f"the line has {request.size:,} bytes, and a batch's file {limits.bytes:,} at most",
                where=f"{where}, line {request.number}",
            )
        tokens = body_tokens(request)
        part = opened.get(group)
        if part is None or _is_full(part, request, tokens, limits):
            part = Part(model=group[0], url=group[1], first=request.number, last=request.number)
            opened[group] = part
            parts.append(part)
        part.last = request.number
        part.lines += 1
        part.bytes += request.size
        part.tokens += tokens
        part.output_tokens += _output_tokens(request, assumed_output_tokens)
    return parts


def _is_full(part: Part, request: Request, tokens: int, limits: Limits) -> bool:
    most = limits.tokens(part.model)
    return (
        part.lines + 1 > limits.lines
        or part.bytes + request.size > limits.bytes
        or (most is not None and part.tokens + tokens > most)
    )


def body_tokens(request: Request) -> int:
    """Count the tokens of a request's prompt with o200k."""
    from resonare_pipeline.counting import count_text  # brings pyarrow

    body = request.body
    messages, tools = body.get("messages"), body.get("tools") or []
    if request.url == CHAT_URL and _are_objects(messages) and _are_objects(tools):
        more = {n: v for n, v in body.items() if n not in ("model", "messages", "tools")}
        asked = CompletionRequest(
            model=request.model, messages=tuple(messages or ()), tools=tuple(tools), parameters=more
        )
        return prompt_tokens(asked)
    values = (body[name] for name in PROMPT_FIELDS if body.get(name))
    return sum(count_text(text) for text in map(_as_text, values))


def _are_objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _output_tokens(request: Request, assumed: int) -> int:
    if request.url not in ANSWERED_URLS:
        return 0
    bounds = [request.body.get(name) for name in LIMIT_FIELDS]
    longest = max((bound for bound in bounds if isinstance(bound, int)), default=assumed)
    count = request.body.get("n", 1)
    return longest * (count if isinstance(count, int) else 1)


def part_of(request: KnownRequest, parts: Sequence[Part]) -> Part | None:
    """Return the part that a line is in, the last one if there are several."""
    for part in reversed(parts):
        if part.first <= request.number <= part.last and part.group == (request.model, request.url):
            return part
    return None


def write_parts(
    file: InputFile, parts: Sequence[Part], opening: Callable[[Part], BinaryIO]
) -> None:
    """Write each part's lines, as they stand in the file.

    Args:
        file: Was read before, when the parts were planned.
        parts: None of them has a line in common with another one.
        opening: Opens what a part is written to; it is closed here. No more than one part of each
            model and url is open at a time.

    Raises:
        InputChangedError: If the file is not what it was.
    """
    digest, known = file.digest, _starting(parts)
    current: dict[tuple[str, str], tuple[Part, BinaryIO]] = {}
    with ExitStack() as stack:
        for request in _unchanged_requests(file):
            group = (request.model, request.url)
            starting = known.get((*group, request.number))
            if starting is not None:
                current[group] = starting, stack.enter_context(opening(starting))
            if group in current and request.number <= current[group][0].last:
                part, stream = current[group]
                stream.write(request.text + b"\n")
                if request.number == part.last:
                    stream.close()
    if file.digest != digest:
        raise _changed(file)


def _starting(parts: Sequence[Part]) -> dict[tuple[str, str, int], Part]:
    return {(*part.group, part.first): part for part in parts}


def _unchanged_requests(file: InputFile) -> Iterator[KnownRequest]:
    try:
        yield from file.known()
    except msgspec.DecodeError as error:
        raise _changed(file) from error


def _changed(file: InputFile) -> InputChangedError:
    return InputChangedError(
        "the file changed while it was being read",
        where=str(file.path),
        remedy="Nothing was written or sent; give the same command again",
    )


def covering(parts: Sequence[Part]) -> Callable[[Request], bool]:
    """Return what tells whether a request is in one of some parts."""
    return lambda request: any(
        part.first <= request.number <= part.last and part.group == (request.model, request.url)
        for part in parts
    )
