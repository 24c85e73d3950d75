"""What is no text in a prompt: how many there are, and how many tokens each can take at most.

Source of the bounds: OpenAI's guide to images (tiles: a base, and so much for each of at most eight
tiles of 512 pixels in 768 x 2048; patches: at most 1,536, times a model's factor) and Anthropic's
(at most about 1,600 tokens up to the models of 2026-02, more for later ones). What they do not
bound in their documents is not bounded here: sounds, files, images of other models.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from resonare_pipeline.completions.pricing import plain_name
from resonare_pipeline.completions.requests import CompletionRequest

TOKENS_PER_MEDIUM = 2_000  # for estimates: a guess, more than most pictures take

_TILES = 8
MOST_IMAGE_TOKENS: Mapping[str, tuple[int, int]] = {
    "gpt-4o": (85, 85 + _TILES * 170),
    "gpt-4o-mini": (2_833, 2_833 + _TILES * 5_667),
    "gpt-4.1": (1_536, 1_536),  # billed by tiles or by patches, whichever is more
    "gpt-4.1-mini": (2_489, 2_489),
    "gpt-4.1-nano": (3_779, 3_779),
    "claude-opus-4-1": (1_600, 1_600),
    "claude-opus-4-5": (1_600, 1_600),
    "claude-opus-4-6": (1_600, 1_600),
    "claude-sonnet-4-5": (1_600, 1_600),
    "claude-sonnet-4-6": (1_600, 1_600),
    "claude-haiku-4-5": (1_600, 1_600),
}
"""Model → most tokens of an image with `detail` low, and of any other."""


def count_media(request: CompletionRequest) -> int:
    """Return how many parts of a prompt are no text."""
    return sum(1 for _ in _media(request))


def most_media_tokens(request: CompletionRequest) -> int | None:
    """Return the most tokens that all that is no text can take; None if nothing bounds them."""
    bounds = MOST_IMAGE_TOKENS.get(plain_name(request.model))
    total = 0
    for part in _media(request):
        if bounds is None or part.get("type") != "image_url":
            return None
        image = part.get("image_url")
        is_low = isinstance(image, dict) and image.get("detail") == "low"
        total += bounds[0] if is_low else bounds[1]
    return total


def _media(request: CompletionRequest) -> Iterator[dict[str, Any]]:
    for message in request.messages:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict) and "text" not in part:
                yield part
