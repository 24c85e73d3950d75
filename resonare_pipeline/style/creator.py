"""The Python interface: training data from data frames of messages.

A frame is read anew by every call, and nothing of it is kept: a creator may be used for any number
of frames, in any number of processes. What is made is decided in the modules that are called here.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from resonare_pipeline.style.arguments import Path_, checked
from resonare_pipeline.style.bursts import BURST_GAP_SECONDS, LEAST_BURST, MOST_BURST
from resonare_pipeline.style.clock import zone_of
from resonare_pipeline.style.compact import compact
from resonare_pipeline.style.enhancing import ENHANCED, enhance_frame
from resonare_pipeline.style.episodes import (
    EPISODE_GAP_MINUTES,
    LEAST_EPISODE,
    MOST_EPISODE,
    find_episodes,
    render_episodes,
)
from resonare_pipeline.style.examples import (
    Adaptation,
    Example,
    burst_examples,
    conversational_examples,
)
from resonare_pipeline.style.filters import apply_filters, parse_filters
from resonare_pipeline.style.frames import FrameMessages, Reading, read_frame
from resonare_pipeline.style.lines import Lines
from resonare_pipeline.style.making import adapted_examples
from resonare_pipeline.style.passes import draw_examples, lines_in, partners_in, style_in
from resonare_pipeline.style.sampling import choose
from resonare_pipeline.style.saving import save_examples
from resonare_pipeline.style.strategies import Strategy, count_by_strategy, known_strategies
from resonare_pipeline.style.windows import (
    WINDOW_GAP_SECONDS,
    WindowBounds,
    find_windows,
    render_windows,
)

LOG = logging.getLogger(__name__)

Frame = pd.DataFrame


class TrainingDataCreator:
    """Turns messages into training data that sounds like you.

    Frames have Signal's columns or those of this project's `messages`; rows may be unsorted or
    repeated. Recipients are only asked for names, and may be left out everywhere.

    Args:
        your_recipient_id: Who you are in Signal. In frames of this project `is_owner` tells, unless
            a sender id is given as a string.
        min_message_length: Fewest characters of a message of yours that an example ends with.
            Shorter ones stay as context: an answer without its question teaches nothing.
        include_system_messages: Keep what Signal wrote itself, as far as it has a text.
        preserve_message_order: Put messages in the order of time; else they stay as they stand.
        debug: Keep counts of the last call in `debug_info`, and log them.
        time_zone: IANA name of the zone in which hours, days and dates are told.
        seed: Decides what `max_examples` draws, and where messages are cut for completion.
        max_gap_seconds: A longer silence ends every context.

    Attributes:
        debug_info: What the last call read, left out and made, as counts; empty without `debug`.
    """

    @checked
    def __init__(
        self,
        your_recipient_id: int | str = 2,
        min_message_length: int = 5,
        include_system_messages: bool = False,  # noqa: FBT001, FBT002  # a published signature
        preserve_message_order: bool = True,  # noqa: FBT001, FBT002
        debug: bool = False,  # noqa: FBT001, FBT002
        *,
        time_zone: str = "UTC",
        seed: int = 0,
        max_gap_seconds: float = WINDOW_GAP_SECONDS,
    ) -> None:
        zone_of(time_zone)
        self.your_recipient_id = your_recipient_id
        self.min_message_length = min_message_length
        self.include_system_messages = include_system_messages
        self.preserve_message_order = preserve_message_order
        self.debug = debug
        self.time_zone = time_zone
        self.seed = seed
        self.max_gap_seconds = max_gap_seconds
        self.debug_info: dict[str, Any] = {}

    @checked
    def create_conversation_windows(
        self,
        messages_df: Frame,
        window_size: int = 5,
        stride: int = 1,
        min_window_messages: int = 3,
        *,
        recipients_df: Frame | None = None,
    ) -> list[dict[str, Any]]:
        """Return sliding windows: up to `window_size` messages, and your answer to them.

        Args:
            stride: Of the windows between two silences every so many-th is taken.
            min_window_messages: Fewest messages of a window, the answer included.
        """
        bounds = self._bounds(window_size, stride=stride, least=min_window_messages)
        windows = [
            compact(window)
            for lines in self._lines(self._read(messages_df, recipients_df))
            for window in render_windows(lines, find_windows(lines, bounds))
        ]
        self._note(windows=len(windows))
        return windows

    @checked
    def segment_natural_dialogues(
        self,
        messages_df: Frame,
        time_gap_minutes: float = EPISODE_GAP_MINUTES,
        min_episode_length: int = LEAST_EPISODE,
        max_episode_length: int = MOST_EPISODE,
    ) -> list[dict[str, Any]]:
        """Return episodes: what lies between silences that are longer than the gap."""
        episodes = [
            compact(episode)
            for lines in lines_in(
                self._read(messages_df, None), max_gap_seconds=60 * time_gap_minutes
            )
            for episode in render_episodes(
                lines, find_episodes(lines, least=min_episode_length, most=max_episode_length)
            )
        ]
        self._note(episodes=len(episodes))
        return episodes

    @checked
    def analyze_personal_texting_style(
        self,
        messages_df: Frame,
        include_word_frequency: bool = False,  # noqa: FBT001, FBT002  # a published signature
        analyze_time_patterns: bool = False,  # noqa: FBT001, FBT002
    ) -> dict[str, Any]:
        """Return how you write, over all your messages with a text, short ones included."""
        messages = self._read(messages_df, None)
        return style_in(
            messages,
            words=include_word_frequency,
            times=analyze_time_patterns,
            time_zone=self.time_zone,
        )

    @checked
    def create_training_examples(
        self,
        messages_df: Frame,
        recipients_df: Frame | None = None,
        strategies: Sequence[str] = ("conversational",),
        include_twitter_content: bool = True,  # noqa: FBT001, FBT002  # a published signature
        max_examples: int | None = None,
        balance_examples: bool = True,  # noqa: FBT001, FBT002
        *,
        filters: Mapping[str, Any] | None = None,
    ) -> tuple[list[Example], dict[str, Any]]:
        """Return examples of several strategies, and your style.

        Args:
            include_twitter_content: Put what is known of a tweet in the place of its link.
            max_examples: Most examples, drawn by hash; None: all.
            balance_examples: Every strategy gets an equal part of `max_examples`, as far as it has
                so many. Nothing is left out for balance alone.
            filters: `min_message_length`, `exclude_blocked`, `date_range`.
        """
        chosen = known_strategies(strategies)
        rules = parse_filters(filters, zone_of(self.time_zone))
        frame = apply_filters(messages_df, recipients_df, rules, self.your_recipient_id)
        if include_twitter_content:
            frame = enhance_frame(frame, tweets=True, images=False)
        length = rules.min_message_length
        messages = self._read(frame, recipients_df)
        style = style_in(messages, words=True, times=True, time_zone=self.time_zone)
        draws = draw_examples(
            messages,
            chosen,
            most=max_examples,
            max_gap_seconds=self.max_gap_seconds,
            least_characters=self.min_message_length if length is None else length,
            seed=self.seed,
        )
        examples = choose(list(draws.values()), max_examples, balance=balance_examples)
        self._note(
            filtered=len(messages_df) - len(frame),
            enhanced=int(frame[ENHANCED].sum()) if ENHANCED in frame else 0,
            made={str(strategy): draw.count for strategy, draw in draws.items()},
            chosen=count_by_strategy(examples),
        )
        return examples, style

    @checked
    def create_conversational_data(
        self,
        messages_df: Frame,
        window_size: int = 5,
        include_metadata: bool = True,  # noqa: FBT001, FBT002  # a published signature
        momentum_filter: str | None = None,
        min_context_messages: int = 2,
        *,
        recipients_df: Frame | None = None,
    ) -> list[Example]:
        """Return an example for each window.

        Args:
            momentum_filter: Only windows of this momentum: rapid, moderate or slow.
            min_context_messages: Fewest messages before your answer.
        """
        bounds = self._bounds(
            window_size, least=1, least_context=min_context_messages, momentum=momentum_filter
        )
        made = [
            compact(example)
            for lines in self._lines(self._read(messages_df, recipients_df))
            for example in conversational_examples(
                lines, find_windows(lines, bounds), with_metadata=include_metadata
            )
        ]
        return self._counted(Strategy.CONVERSATIONAL, made)

    @checked
    def create_burst_sequence_data(
        self,
        messages_df: Frame,
        max_time_between_messages: float = BURST_GAP_SECONDS,
        min_burst_size: int = LEAST_BURST,
        max_burst_size: int = MOST_BURST,
    ) -> list[Example]:
        """Return an example for each burst: the last message goes on from the others.

        Args:
            max_time_between_messages: Seconds.
            max_burst_size: Longer bursts are cut into parts of nearly one length.
        """
        made = [
            compact(example)
            for lines in self._lines(self._read(messages_df, None))
            for example in burst_examples(
                lines,
                max_gap_seconds=max_time_between_messages,
                least=min_burst_size,
                most=max_burst_size,
                least_characters=self.min_message_length,
            )
        ]
        return self._counted(Strategy.BURST, made)

    @checked
    def create_adaptive_training_data(
        self,
        messages_df: Frame,
        recipients_df: Frame | None = None,
        min_style_difference: float = 0.5,
        min_conversations_per_partner: int = 20,
        *,
        min_adaptation_level: float = 0.0,
    ) -> list[Example]:
        """Return your answers to people whose style differs from how you usually write.

        Args:
            min_style_difference: 1 - min/max of their mean length and your usual one, 0 … 1.
            min_conversations_per_partner: Stretches without a long silence in which both wrote.
            min_adaptation_level: How far you must go towards them, 0 … 1.
        """
        adaptation = Adaptation(
            min_style_difference=min_style_difference,
            min_conversations=min_conversations_per_partner,
            min_level=min_adaptation_level,
        )
        messages = self._read(messages_df, recipients_df)
        partners = partners_in(messages, max_gap_seconds=self.max_gap_seconds)
        made = [
            compact(example)
            for lines in self._lines(messages)
            for example in adapted_examples(
                lines, partners, adaptation, least_characters=self.min_message_length
            )
        ]
        return self._counted(Strategy.ADAPTIVE, made)

    @checked
    def save_training_data(
        self,
        training_examples: Sequence[Example],
        output_path: Path_,
        style_analysis: Mapping[str, Any] | None = None,
        format: str = "json",  # noqa: A002  # a published signature
        validate: bool = True,  # noqa: FBT001, FBT002
        compress: bool = False,  # noqa: FBT001, FBT002
    ) -> Path:
        """Write examples, and return where; see `saving.save_examples`.

        Raises:
            ValidationError: If an example is not valid and `validate` is set; nothing is written.
        """
        return save_examples(
            training_examples,
            output_path,
            style_analysis=style_analysis,
            file_format=format,
            validate=validate,
            compress=compress,
        )

    def _read(self, frame: Frame, recipients: Frame | None) -> FrameMessages:
        reading = Reading(
            your_recipient_id=self.your_recipient_id,
            include_system=self.include_system_messages,
            in_order=self.preserve_message_order,
        )
        self.debug_info = {}
        messages = read_frame(frame, recipients, reading)
        self._note(
            rows=len(frame),
            messages=len(messages),
            your_messages=int(messages.is_owner.sum()),
            chats=len(set(messages.chats.tolist())),
            left_out=dict(reading.dropped),
        )
        return messages

    def _lines(self, messages: FrameMessages) -> Iterator[Lines]:
        return lines_in(messages, max_gap_seconds=self.max_gap_seconds)

    def _bounds(self, size: int, **others: Any) -> WindowBounds:
        return WindowBounds(size=size, least_characters=self.min_message_length, **others)

    def _counted(self, strategy: Strategy, made: list[Example]) -> list[Example]:
        self._note(made={str(strategy): len(made)})
        return made

    def _note(self, **counts: Any) -> None:
        """Keep and log counts, which are all that `debug` shows of anybody's messages."""
        if self.debug:
            self.debug_info.update(counts)
            LOG.debug("counts: %s", counts)
