"""Results that somebody downloaded by hand → the cache, by the key that their custom_id is.

What may come in: lines whose custom_id is a key (64 hexadecimal digits); where the input files are
given, only those whose request has that very key at the configured endpoint.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from resonare_pipeline.completions.batches.checking import (
    InputFile,
    require_file,
)
from resonare_pipeline.completions.batches.lines import OutputLine, judge_line, read_output
from resonare_pipeline.completions.cache.store import Answered, Cache, Record
from resonare_pipeline.completions.environment import Provider
from resonare_pipeline.completions.pricing import price_of
from resonare_pipeline.completions.requests import CHAT_URL
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import FingerprintError, InputError, SettingsError
from resonare_pipeline.fingerprint import fingerprint

CHUNK = 500  # lines that are stored together
SAMPLES = 16  # numbers of answers to one prompt that are looked for

_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True, kw_only=True)
class Imported:
    """What importing came to; every line that is not blank is counted once.

    Attributes:
        stored: Answers that are new in the cache.
        known: Answers to what the cache has answered already, in these files or before.
        failed: Lines without an answer.
        foreign: Lines whose custom_id is no key.
        unasked: Lines whose request is in no input file, or has another key at this endpoint.
        malformed: Lines that are no results.
        cost_usd: Of the answers that are new, at a batch's prices.
        unpriced: Those of them whose cost is not known.
    """

    stored: int = 0
    known: int = 0
    failed: int = 0
    foreign: int = 0
    unasked: int = 0
    malformed: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0


def require_importable(settings: CompletionsSettings) -> None:
    """Refuse a provider whose answers are never in an OpenAI batch's files.

    Raises:
        SettingsError: For the mock, whose answers are never kept, and for Anthropic.
    """
    if settings.provider is not Provider.OPENAI:
        raise SettingsError(
            f"nothing of the provider {settings.provider} is imported",
            where="completions.provider",
            expected="openai: an OpenAI-compatible endpoint",
        )


def asked_models(inputs: Sequence[Path], settings: CompletionsSettings) -> dict[str, str]:
    """Return key → model of the requests in input files whose custom_id is their key.

    Raises:
        InputError: For a file that is none of a batch's requests.
    """
    name = settings.endpoint_name()
    found: dict[str, str] = {}
    for path in inputs:
        for request in InputFile(path).checked():
            if request.url == CHAT_URL and _has_key(request.custom_id, request.body, name):
                found[request.custom_id] = request.model
    return found


def _has_key(custom_id: str, body: dict[str, Any], endpoint: str) -> bool:
    """Tell whether an id is the key of a body, as `CompletionRequest.key` makes it."""
    if not _KEY.fullmatch(custom_id):
        return False
    try:
        keys = [fingerprint([Provider.OPENAI, endpoint, body, sample]) for sample in range(SAMPLES)]
    except FingerprintError:
        return False
    return custom_id in keys


def import_results(
    cache: Cache,
    settings: CompletionsSettings,
    outputs: Sequence[Path],
    asked: dict[str, str] | None,
) -> Imported:
    """Put the answers of output files into the cache.

    Args:
        cache: What is there already stays as it is.
        settings: Whose answers they are, and prices.
        outputs: Files as the provider gives them: output and error files.
        asked: Key → model of what may come in; None: every key.

    Raises:
        InputError: For a file that is no output file.
        CacheError: If the cache cannot be used.
    """
    told = Imported()
    for path in outputs:
        lines = _usable(_read(path, told), asked, told)
        while chunk := list(islice(lines, CHUNK)):
            _store(cache, settings, chunk, asked, told)
    return told


def _read(path: Path, told: Imported) -> Iterator[OutputLine]:
    require_file(path)
    is_none = True
    with path.open("rb") as stream:
        for number, text in enumerate(stream, 1):
            if not text.strip():
                continue
            line = read_output(text)
            if line is None or (line.response is None and line.error is None):
                _refuse_input(text, path, number)
                told.malformed += 1
            else:
                is_none = False
                yield line
    if is_none:
        raise InputError("no result in it", where=str(path), expected="a batch's output file")


def _refuse_input(text: bytes, path: Path, number: int) -> None:
    """Refuse an input file, which somebody has taken for its output."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if isinstance(found, dict) and "body" in found and "response" not in found:
        raise InputError(
            "it is a request, as input files hold",
            where=f"{path}, line {number}",
            expected="a result: custom_id, and a response or an error",
            remedy="Name the output file first, and this one with --input",
        )


def _usable(
    lines: Iterable[OutputLine], asked: dict[str, str] | None, told: Imported
) -> Iterator[OutputLine]:
    for line in lines:
        if not _KEY.fullmatch(line.custom_id):
            told.foreign += 1
        elif asked is not None and line.custom_id not in asked:
            told.unasked += 1
        else:
            yield line


def _store(
    cache: Cache,
    settings: CompletionsSettings,
    lines: Sequence[OutputLine],
    asked: dict[str, str] | None,
    told: Imported,
) -> None:
    known = cache.find([line.custom_id for line in lines]).keys()
    new: dict[str, Answered] = {}
    for line in lines:
        answered = _answered(line, settings, (asked or {}).get(line.custom_id, ""))
        if answered is None:
            told.failed += 1
        elif line.custom_id in known or line.custom_id in new:
            told.known += 1
        else:
            new[line.custom_id] = answered
    if new:
        cache.store(list(new.values()))
    told.stored += len(new)
    told.cost_usd += sum(item.cost_usd or 0.0 for item in new.values())
    told.unpriced += sum(item.cost_usd is None for item in new.values())


def _answered(line: OutputLine, settings: CompletionsSettings, model: str) -> Answered | None:
    """Return a line's answer as the cache keeps it; None if it holds none."""
    judged = judge_line(line, model=model)
    completion = judged.completion
    if completion is None or (not model and not completion.model):
        return None
    price = price_of(model or completion.model, settings)
    cost = None
    if price is not None and (judged.is_counted or price.is_free):
        cost = price.cost_usd(completion.usage, batch=True)
    return Answered(
        key=line.custom_id,
        record=Record(completion=completion, failure=judged.failure, detail=judged.detail),
        provider=Provider.OPENAI,
        endpoint=settings.endpoint_name(),
        cost_usd=cost,
    )
