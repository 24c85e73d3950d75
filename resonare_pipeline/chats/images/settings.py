"""How images are described."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from resonare_pipeline.settings import Section


class ImagesSettings(Section):
    """How images of messages are described, where `enriched_messages.describe_images` is set."""

    section: ClassVar[str] = "images"

    model: str = ""
    """Model that sees images, as the endpoint of `[completions]` calls it. Default: the model of
    `[completions]`."""

    language: str = "English"
    """Language of descriptions, in words that the model understands."""

    detail: Literal["low", "high", "auto"] = "low"
    """How closely OpenAI's models look: `low` is 512 × 512 pixels, and the cheapest."""

    max_bytes: Annotated[int, Field(ge=1)] = 5_000_000
    """Largest image that is described, in bytes; a larger one is left as it is."""

    max_characters: Annotated[int, Field(ge=1)] = 500
    """Longest description, in characters; a longer one is cut at a word."""

    allow_partial: bool = False
    """Go on although some images could not be described now, which asking again may change.
    Default: the stage fails then; what was answered is kept, and the next run asks for the rest."""
