"""What a dataset takes, what it leaves out, and how it is split. Rules live elsewhere."""

import datetime as dt
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from resonare_pipeline.settings import Section

Fraction = Annotated[float, Field(ge=0, lt=1)]


class MixtureSettings(Section):
    """What the dataset takes of one source; `[partition."chats/alice".mixture]` for one export."""

    section: ClassVar[str] = "mixture"

    include: bool = True
    """Whether a source goes into the dataset. Default: yes."""

    style_examples: bool = False
    """Whether a source's `style_examples` go into the dataset as well, beside whole conversations.
    Default: no."""

    weight: Annotated[float, Field(ge=0, le=100)] = 1.0
    """How often each example of the train split is taken: 2 twice, 0.5 every other one (always the
    same). Of validation and test examples a weight below 1 takes as many, one above 1 takes each
    once. Default: 1."""

    max_examples: Annotated[int | None, Field(ge=1)] = None
    """Most examples of one source before weights, drawn by hash. Unset: all."""


class DatasetSettings(Section):
    """How sources become one dataset."""

    section: ClassVar[str] = "dataset"

    name: str = "Conversations"
    """Title on the dataset card."""

    license: str = "other"
    """Licence on the dataset card, as the Hub names it (mit, cc-by-4.0, …). Default: other."""

    require_all: bool = False
    """Refuse to make the dataset while any source is not ready. Default: make it of those that are,
    and name the others."""

    seed: int = 0
    """Decides the order of examples, the draw by `max_examples` and weights, and the splits."""

    validation_fraction: Fraction | None = None
    """Part of the roots (chats, books, …) held out for validation. Unset: 0.1, and it may turn out
    empty where there are few roots; a number that leaves the split empty is an error."""

    test_fraction: Fraction | None = None
    """Part of the roots held out for testing. Unset: none."""

    train_before: dt.datetime | None = None
    """A time (UTC where no zone is given) for a split that respects time: examples of the train
    split end before it, those of validation and test start from it on, what falls on the other side
    is left out. Unset: time plays no part."""

    min_tokens: Annotated[int, Field(ge=0)] = 0
    """Fewest tokens of an example, as it is after redaction."""

    max_tokens: Annotated[int | None, Field(ge=1)] = None
    """Most tokens of an example, as it is after redaction. Unset: any number."""

    min_turns: Annotated[int, Field(ge=1)] = 2
    """Fewest turns of an example, the system's left aside."""

    shard_megabytes: Annotated[int, Field(ge=1, le=5_000)] = 250
    """Text in one Parquet shard, in million bytes before compression."""

    openai_usd_per_million_tokens: Annotated[float, Field(ge=0)] = 3.0
    """Price of training on OpenAI, for the estimate; the default is that of gpt-4o-mini-2024-07-18
    as published in 2025."""

    openai_epochs: Annotated[int | None, Field(ge=1, le=50)] = None
    """Epochs for the estimate. Unset: what OpenAI chooses by the number of examples."""

    openai_max_tokens: Annotated[int, Field(ge=1)] = 65_536
    """Training context of the model; longer examples are cut off by OpenAI, and counted so."""

    @model_validator(mode="after")
    def _something_is_left_to_train(self) -> Self:
        if self.validation_part + self.test_part >= 1:
            raise ValueError("validation_fraction and test_fraction leave nothing to train on")
        return self

    @property
    def validation_part(self) -> float:
        """The fraction that is meant."""
        return 0.1 if self.validation_fraction is None else self.validation_fraction

    @property
    def test_part(self) -> float:
        """The fraction that is meant."""
        return self.test_fraction or 0.0
