"""Which model answers, where, with what parameters, and how fast and dearly it may be asked."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from resonare_pipeline.completions.batch_settings import BatchSettings, Mode
from resonare_pipeline.completions.environment import (
    Provider,
    endpoint_name,
    settings_from_environment,
)
from resonare_pipeline.completions.requests import require_parameters
from resonare_pipeline.settings import EXECUTION

Count = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0)]


class CompletionsSettings(BatchSettings):
    """Which model answers, and how it is asked."""

    section: ClassVar[str] = "completions"

    model: str = ""
    """Model, as the endpoint calls it. Default: the variable `MODEL`."""

    provider: Provider = Provider.OPENAI
    """`openai` (any OpenAI-compatible endpoint), `anthropic`, or `mock`: no model at all, answers
    that are made up from the request. Default: the variable `DEFAULT_LLM_PROVIDER`, else openai."""

    base_url: Annotated[str, EXECUTION] = ""
    """Where the endpoint is. Default: the variable `BASE_URL`, else the provider's own. What it is
    part of is `endpoint_id`."""

    endpoint_id: str = ""
    """Name of the endpoint in keys of the cache. Empty: host and path of `base_url`. Set it to the
    old name when a proxy moves, and nothing is paid for again."""

    temperature: Annotated[float, Field(ge=0)] | None = None
    """Randomness of answers; unset: the endpoint's own default."""

    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of probability that words are drawn from; unset: the endpoint's own default."""

    max_tokens: Count | None = None
    """Most tokens of an answer; unset: the endpoint's own default. Models that reason want
    `parameters = {max_completion_tokens = …}` instead."""

    parameters: dict[str, Any] = {}  # noqa: RUF012  # pydantic copies it
    """Further fields of the request's body, such as `reasoning_effort`, `stop` or `top_k`; not
    `model`, `messages`, `tools` or `stream`, and `n` is 1."""

    concurrency: Annotated[Count, EXECUTION] = 32
    """Most requests at a time; fewer while the endpoint says that there are too many."""

    requests_per_minute: Annotated[Count | None, EXECUTION] = None
    """Most requests in any `window_seconds`; unset: as the endpoint announces."""

    tokens_per_minute: Annotated[Count | None, EXECUTION] = None
    """Most tokens, of prompts and answers, in any `window_seconds`; unset: as it announces."""

    window_seconds: Annotated[Seconds, EXECUTION] = 60.0
    """Length of the window that the endpoint's limits hold for."""

    timeout_seconds: Annotated[Seconds, EXECUTION] = 600.0
    """Longest wait for one answer."""

    connect_timeout_seconds: Annotated[Seconds, EXECUTION] = 10.0
    """Longest wait for a connection."""

    retries: Annotated[int, EXECUTION, Field(ge=0)] = 8
    """How often a request is sent again after 429, 5xx, 408, 409, any other
    status that says nothing of the request, or a broken connection."""

    max_cost_usd: Annotated[Dollars | None, EXECUTION] = None
    """Most that one `resonare fill`, or one run with all its record sets, may cost, in US dollars;
    unset: no cap. What would cost more is refused before it is sent. Needs a model whose price is
    known."""

    max_unattended_cost_usd: Annotated[Dollars, EXECUTION] = 0.0
    """Most that all runs together that nobody started by hand may cost in any 24 hours, in US
    dollars, over all processes that share the cache. Default: nothing is paid for unattended."""

    assumed_output_tokens: Annotated[Count, EXECUTION] = 512
    """Length of an answer in estimates, where no maximum is set."""

    input_usd_per_million: Annotated[Dollars | None, EXECUTION] = None
    """Price of a million prompt tokens; unset: as `completions/prices.json` says."""

    output_usd_per_million: Annotated[Dollars | None, EXECUTION] = None
    """Price of a million tokens of answers; both prices are set or neither."""

    @field_validator("parameters")
    @classmethod
    def _are_parameters(cls, value: dict[str, Any]) -> dict[str, Any]:
        require_parameters(value, where="completions.parameters")
        return value

    def identity(self) -> dict[str, Any]:
        """Return what decides answers; the endpoint enters by its name, not by its address."""
        return super().identity() | {"endpoint_id": self.endpoint_name()}

    @property
    def in_batches(self) -> bool:
        """Whether requests travel in batches; the mock answers at once."""
        return self.mode is Mode.BATCH and self.provider is not Provider.MOCK

    def endpoint_name(self) -> str:
        """Return the endpoint's name in keys of the cache, the same wherever one is made."""
        return self.endpoint_id or endpoint_name(self.provider, self.base_url)

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], *, weaker: Mapping[str, Any], stronger: Mapping[str, Any]
    ) -> dict[str, str]:
        """Read the variables of the table in `completions.environment`, by the provider's names."""
        return settings_from_environment(environ, weaker=weaker, stronger=stronger)

    def request_parameters(self) -> dict[str, Any]:
        """Return the fields of a body beside model, messages and tools."""
        named = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
        }
        set_ones = {name: value for name, value in named.items() if value is not None}
        return set_ones | self.parameters
