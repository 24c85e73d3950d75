"""The settings of the style group."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from resonare_pipeline.errors import ResonareError
from resonare_pipeline.settings import Section
from resonare_pipeline.style.bursts import BURST_GAP_SECONDS, LEAST_BURST, MOST_BURST
from resonare_pipeline.style.clock import zone_of
from resonare_pipeline.style.episodes import EPISODE_GAP_MINUTES, LEAST_EPISODE, MOST_EPISODE
from resonare_pipeline.style.strategies import Strategy
from resonare_pipeline.style.windows import WINDOW_GAP_SECONDS, WindowBounds

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class TextingStyleSettings(Section):
    """How your style is described."""

    section: ClassVar[str] = "texting_style"

    time_zone: str = "UTC"
    """IANA name of the zone in which hours and days are told, such as Europe/Berlin."""

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            zone_of(name)
        except ResonareError as error:
            raise ValueError(str(error)) from error
        return name


class WindowSettings(Section):
    """Sliding windows: what was said, and your answer."""

    section: ClassVar[str] = "conversation_windows"

    window_size: Count = 5
    """Most messages of context."""

    stride: Count = 1
    """Of the windows between two silences every so many-th is taken."""

    min_window_messages: Count = 3
    """Fewest messages of a window, your answer included."""

    min_message_length: Annotated[int, Field(ge=0)] = 5
    """Fewest characters of your answer; context may be shorter."""

    max_gap_seconds: Seconds = WINDOW_GAP_SECONDS
    """Seconds of silence; a longer one ends every context."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.bounds()
        return self

    def bounds(self) -> WindowBounds:
        """Return the bounds of windows."""
        return WindowBounds(
            size=self.window_size,
            stride=self.stride,
            least=self.min_window_messages,
            least_characters=self.min_message_length,
        )


class EpisodeSettings(Section):
    """Episodes: what lies between two silences."""

    section: ClassVar[str] = "dialogue_episodes"

    time_gap_minutes: Seconds = EPISODE_GAP_MINUTES
    """Minutes of silence; a longer one begins a new episode."""

    min_episode_length: Count = LEAST_EPISODE
    """Fewest messages of an episode."""

    max_episode_length: Count = MOST_EPISODE
    """Most messages of an episode; a longer one is cut into parts of nearly one length."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_episode_length > self.max_episode_length:
            raise ValueError("min_episode_length must not be over max_episode_length")
        return self


class StyleExamplesSettings(Section):
    """Training examples of your style."""

    section: ClassVar[str] = "style_examples"

    strategies: tuple[Strategy, ...] = (
        Strategy.CONVERSATIONAL,
        Strategy.BURST,
        Strategy.ADAPTIVE,
    )
    """What examples are made of: conversational, burst, adaptive, completion, qa."""

    max_examples: Annotated[int | None, Field(ge=1)] = None
    """Most examples, drawn by hash. Unset: all."""

    balance_examples: bool = True
    """Whether every strategy gets an equal part of max_examples, as far as it has so many."""

    seed: int = 0
    """Decides what max_examples draws, and where messages are cut for completion."""

    min_message_length: Annotated[int, Field(ge=0)] = 5
    """Fewest characters of the message that an example ends with."""

    max_time_between_messages: Seconds = BURST_GAP_SECONDS
    """Seconds between two messages of a burst."""

    min_burst_size: Annotated[int, Field(ge=2)] = LEAST_BURST
    """Fewest messages of a burst."""

    max_burst_size: Annotated[int, Field(ge=2)] = MOST_BURST
    """Most messages of a burst; a longer one is cut into parts of nearly one length."""

    min_style_difference: Share = 0.5
    """Of adaptive examples: how far a partner's mean length is from your usual one, 0 to 1."""

    min_conversations_per_partner: Count = 20
    """Of adaptive examples: fewest conversations with a partner."""

    min_adaptation_level: Share = 0.0
    """Of adaptive examples: how far you go towards the partner, 0 to 1."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.min_burst_size > self.max_burst_size:
            raise ValueError("min_burst_size must not be over max_burst_size")
        if not self.strategies:
            raise ValueError(f"no strategy; name some of {', '.join(Strategy)}")
        return self
