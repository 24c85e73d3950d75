"""Images → what they show, by a vision model through the completions engine.

Each image is asked for once, however many messages show it: its request holds its very bytes, so
the cache of answers knows it by them. Images under way are bounded by number and by bytes.
"""

import asyncio
import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from resonare_pipeline.chats.foreign_texts import cut, in_brackets
from resonare_pipeline.chats.images.finding import ImageFile, image_type
from resonare_pipeline.chats.images.settings import ImagesSettings
from resonare_pipeline.completions.accounts import Account
from resonare_pipeline.completions.capping import (
    accounts_of,
    capped_by,
    require_caps,
    require_model,
)
from resonare_pipeline.completions.environment import CACHE_FILE, Provider
from resonare_pipeline.completions.estimating import estimate
from resonare_pipeline.completions.lookup import LookUp, cached_answers
from resonare_pipeline.completions.reach import Reach
from resonare_pipeline.completions.requests import Completer, CompletionRequest, Failure, Outcome
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import (
    InputChangedError,
    SettingsError,
    StageError,
    UnansweredError,
)
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.templates import render

TEMPLATE = "chats/describe_image.jinja"
DEFAULT_MODEL = "default"  # what servers of a single model take for it
MOST_HELD_BYTES = 32 << 20  # of images under way; each is held about three times, as it is sent
LOOKED_UP_TOGETHER = 8

FEWEST_REFUSED = 3  # all of so many images refused: it is the model, and not the images

TOO_LARGE = "too_large"
NOT_AN_IMAGE = "not_an_image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewing:
    """Who is shown images, and under what conditions.

    Attributes:
        completions: Whose model, parameters, limits and caps hold.
        open: Opens a file by its path below the raw root.
        environ: Keys and addresses.
        folder: The project's.
        unattended: Nobody has started this; a cap of its own holds then.
        account: Name of the run, which shares a cap with its other stages.
    """

    images: ImagesSettings
    completions: CompletionsSettings
    open: Callable[[str], BinaryIO]
    environ: Mapping[str, str]
    folder: Path
    unattended: bool = False
    account: str = ""

    @property
    def default_db(self) -> Path:
        """Where the cache of answers is, if no database is named."""
        return self.folder / CACHE_FILE

    @property
    def accounts(self) -> tuple[Account, ...]:
        """What is spent together with other stages, and other runs."""
        return accounts_of(self.completions, unattended=self.unattended, run=self.account)

    def prompt(self) -> str:
        """Return what the model is told beside each image, as the template has it now.

        Raises:
            SettingsError: If the template cannot be used.
        """
        return render(TEMPLATE, language=self.images.language)

    @property
    def settings(self) -> CompletionsSettings:
        """The settings of asking, with the model that sees."""
        model = self.images.model or self.completions.model
        return self.completions.model_copy(update={"model": model})


@dataclass(slots=True, kw_only=True)
class Described:
    """What came of showing images.

    Attributes:
        texts: SHA-256 → what the image shows.
        left: Reason → images that stay as they are for good.
        waiting: Reason → images that asking again may describe.
        cached: Answers that were there already.
        cost_usd: Of what was sent now, as far as prices are known.
        unpriced: Requests that were sent for a price that is not known.
    """

    texts: dict[str, str] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    cached: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0


def describe_images(
    images: Iterable[ImageFile], viewing: Viewing, *, progress: Progress = silent
) -> Described:
    """Return what images show. Those of the same bytes are asked for once.

    Raises:
        UnansweredError: If asking again may bring answers that are not there, and that is not
            allowed; those that are there stay in the cache.
        BudgetError: If it would cost more than it may; nothing is sent then.
        StageError: If every image was refused for good, or the endpoint takes no request.
        SettingsError: If the endpoint's address, key or model is missing, or it is the mock.
        InputChangedError: If a file is not what it was when it was hashed.
    """
    unique = list({image.sha256: image for image in images}.values())
    described = Described()
    if not unique:
        return described
    if viewing.completions.provider is Provider.MOCK:
        raise SettingsError(
            "the mock sees no images",
            where="enriched_messages.describe_images",
            expected="a provider with a model that does",
            remedy="Set DEFAULT_LLM_PROVIDER, or describe_images = false",
        )
    require_model(viewing.settings)
    reading = _Reading(viewing, viewing.prompt())
    if viewing.accounts:
        _require_caps(unique, reading)
    asyncio.run(_describe_all(unique, reading, described, progress))
    _require_answers(described, len(unique), viewing.images)
    return described


def image_request(viewing: Viewing, prompt: str, content: bytes, kind: str) -> CompletionRequest:
    """Return the request for one image.

    Format: OpenAI's image parts, the image in a data URL (RFC 2397).
    """
    url = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    image = {"url": url, "detail": viewing.images.detail}
    parts = [
        {"type": "text", "text": prompt},
        {"type": "image_url", "image_url": image},
    ]
    settings = viewing.settings
    return CompletionRequest(
        model=settings.model or DEFAULT_MODEL,
        messages=({"role": "user", "content": parts},),
        parameters=settings.request_parameters(),
    )


class _Reading(NamedTuple):
    """What makes a request of a file.

    Attributes:
        prompt: The same for all images, however long that takes.
    """

    viewing: Viewing
    prompt: str

    def request(self, image: ImageFile) -> CompletionRequest | str:
        """Return the request for an image, or why it is not shown.

        Raises:
            InputChangedError: If it is not what it was when it was hashed.
        """
        most = self.viewing.images.max_bytes
        with self.viewing.open(image.path) as stream:
            content = stream.read(most + 1)
        if len(content) > most:
            return TOO_LARGE
        if hashlib.sha256(content).hexdigest() != image.sha256:
            raise InputChangedError(
                "an image changed while it was being read", where=image.path, remedy="Run again"
            )
        kind = image_type(content)
        if kind is None:
            return NOT_AN_IMAGE
        return image_request(self.viewing, self.prompt, content, kind)


def _require_caps(images: list[ImageFile], reading: _Reading) -> None:
    viewing = reading.viewing
    with ExitStack() as stack:
        look_up = stack.enter_context(
            cached_answers(viewing.settings, viewing.environ, default_db=viewing.default_db)
        )
        expected = estimate(_unanswered(images, reading, look_up), viewing.settings)
    require_caps(
        expected, viewing.accounts, viewing.environ, default_db=viewing.default_db, batch=False
    )


def _unanswered(
    images: list[ImageFile], reading: _Reading, look_up: LookUp
) -> Iterator[CompletionRequest]:
    """Yield the requests that the cache has no answer to."""
    for start in range(0, len(images), LOOKED_UP_TOGETHER):
        some = [reading.request(image) for image in images[start : start + LOOKED_UP_TOGETHER]]
        requests = [request for request in some if isinstance(request, CompletionRequest)]
        for request, outcome in zip(requests, look_up(requests), strict=True):
            if outcome is None:
                yield request


async def _describe_all(
    images: list[ImageFile], reading: _Reading, described: Described, progress: Progress
) -> None:
    from resonare_pipeline.completions.opening import open_engine  # and SQLAlchemy: 0.3 s

    viewing = reading.viewing
    settings = capped_by(viewing.settings, viewing.accounts)
    engine = open_engine(
        settings, viewing.environ, default_db=viewing.default_db, accounts=viewing.accounts
    )
    reach = Reach()
    under_way: dict[asyncio.Task[None], int] = {}
    async with engine:
        try:
            for number, image in enumerate(images):
                request = await asyncio.to_thread(reading.request, image)
                progress(number, len(images), "images")
                if isinstance(request, str):
                    described.left[request] += 1
                    continue
                size = _size(request)
                while under_way and (
                    len(under_way) >= settings.concurrency
                    or sum(under_way.values()) + size > MOST_HELD_BYTES
                ):
                    await _some_done(under_way)
                asked = _describe(image, request, engine, viewing, described, reach)
                under_way[asyncio.create_task(asked)] = size
            while under_way:
                await _some_done(under_way)
            reach.require()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)


def _size(request: CompletionRequest) -> int:
    return len(request.messages[0]["content"][1]["image_url"]["url"])


async def _some_done(under_way: dict[asyncio.Task[None], int]) -> None:
    """Wait until one or more are done; what they raise is raised."""
    done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        under_way.pop(task)
        task.result()


async def _describe(
    image: ImageFile,
    request: CompletionRequest,
    completer: Completer,
    viewing: Viewing,
    described: Described,
    reach: Reach,
) -> None:
    outcome = await completer.complete(request)
    reach.note(outcome)
    described.cost_usd += outcome.cost_usd or 0.0
    described.unpriced += outcome.cost_usd is None
    described.cached += outcome.cached
    text = cut(in_brackets(_text(outcome)), viewing.images.max_characters)
    if outcome.failure is not None:
        kind = described.waiting if outcome.failure.is_retryable else described.left
        kind[outcome.failure.value] += 1
    elif text:
        described.texts[image.sha256] = text
    else:
        described.left["empty"] += 1


def _text(outcome: Outcome) -> str:
    content = outcome.completion.message.get("content") if outcome.completion else None
    return content if isinstance(content, str) else ""


def _require_answers(described: Described, total: int, settings: ImagesSettings) -> None:
    if described.waiting and not settings.allow_partial:
        reasons = ", ".join(f"{reason} {count}" for reason, count in described.waiting.items())
        raise UnansweredError(
            f"{described.waiting.total()} of {total} images are not described yet: {reasons}",
            where="enriched_messages",
            remedy=f"{len(described.texts)} descriptions are kept; run again to ask only for the "
            f"rest, or set {settings.section}.allow_partial = true to go on without them",
        )
    refused = described.left[Failure.INVALID.value]
    if refused == total >= FEWEST_REFUSED and not settings.allow_partial:
        raise StageError(
            f"the endpoint refused every one of {total} images",
            where="enriched_messages",
            expected="a model that sees images",
            remedy=f"Set images.model, or {settings.section}.allow_partial = true if it does",
        )
