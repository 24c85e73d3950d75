"""The tokenizer that decides how long a conversation is.

The tokens of a conversation are `len(apply_chat_template(messages, tokenize=True,
add_generation_prompt=False))` where the tokenizer has a chat template; else OpenAI's rule. Choosing
and loading live here; how a stage arranges text, and what it does with counts, may not.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Protocol

from pydantic import Field

from resonare_pipeline.counting import RANKS_NAME, RANKS_SHA256, O200kTokenizer
from resonare_pipeline.huggingface import folder_ingredients, load_folder, tokenizer_folder
from resonare_pipeline.settings import EXECUTION, Section

Messages = Sequence[Mapping[str, Any]]
"""A conversation as templates take it: mappings with `role`, `content` and perhaps `name`."""


class TokenizerSettings(Section):
    """Which tokenizer counts."""

    section: ClassVar[str] = "tokenizer"

    model_id: str = ""
    """Local folder of a tokenizer, or a model id on the Hugging Face Hub; its chat template is
    counted too. Empty: OpenAI's o200k_base, which ships with the project and needs no network."""

    trust_remote_code: bool = False
    """Run Python code that comes with the model, which can do anything you can. Default: no."""

    workers: Annotated[int | None, EXECUTION, Field(ge=0)] = None
    """Processes beside the run itself that count with o200k_base. Unset: one, where there are
    enough messages to be worth it, which keeps a run within 600 MB of memory on any machine; 0:
    none. Each more takes up to 170 MB, and helps where it has a CPU for itself, up to about three;
    set messages.workers to the same."""


class Tokenizer(Protocol):
    """Counts tokens; `portable` tells whether it can be sent to other processes."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    @property
    def portable(self) -> bool:
        """Whether other processes should share the counting."""
        ...

    def count_texts(self, texts: Sequence[str]) -> list[int]:
        """Count each text by itself, with no special tokens added."""
        ...

    def line_counts(self, lines: Sequence[str], separator: str) -> tuple[list[int], list[int]]:
        """Count lines alone, and with the separator that joins them to the next."""
        ...

    def count_conversations(self, conversations: Sequence[Messages]) -> list[int]:
        """Count whole conversations exactly, as a trainer would see them."""
        ...

    def count_conversation(self, messages: Messages) -> int:
        """Count one whole conversation exactly."""
        ...

    def splits_between(self, before: str, after: str) -> bool:
        """Tell whether counts of two neighbouring texts are known to add up."""
        ...


def load_tokenizer(settings: TokenizerSettings) -> Tokenizer:
    """Return the tokenizer that the settings name; a model's is loaded once a process.

    Raises:
        TokenizerError: If it cannot be found or loaded.
    """
    if not settings.model_id:
        return O200kTokenizer()
    ingredients = tuple(sorted(tokenizer_ingredients(settings).items()))
    return _loaded(settings.model_id, settings.trust_remote_code, ingredients)


@functools.lru_cache(maxsize=2)  # a run uses one; a second spares a comparison's reloading
def _loaded(
    model_id: str,
    trust_remote_code: bool,  # noqa: FBT001  # positional, so that the cache has one key for it
    ingredients: tuple[tuple[str, str], ...],  # noqa: ARG001  # files that changed load again
) -> Tokenizer:
    return load_folder(model_id, trust_remote_code=trust_remote_code)


def tokenizer_ingredients(settings: TokenizerSettings) -> dict[str, str]:
    """Return file name → SHA-256 of every file that decides the counts, for fingerprints.

    Imports no transformers; the default opens no file either, since its ranks are checked against
    this hash when they are read.

    Raises:
        TokenizerError: If the tokenizer cannot be found.
    """
    if not settings.model_id:
        return {RANKS_NAME: RANKS_SHA256}
    trust = settings.trust_remote_code
    folder = tokenizer_folder(settings.model_id, trust_remote_code=trust)
    return folder_ingredients(folder, trust_remote_code=trust)
