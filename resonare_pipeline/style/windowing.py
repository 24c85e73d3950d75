"""The stages that cut messages into windows and into episodes."""

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.style.episodes import find_episodes
from resonare_pipeline.style.lines import lines_of
from resonare_pipeline.style.settings import EpisodeSettings, WindowSettings
from resonare_pipeline.style.streaming import read_pieces
from resonare_pipeline.style.tables import (
    EPISODES,
    EPISODES_FILE,
    WINDOWS,
    WINDOWS_FILE,
    episodes_batch,
    windows_batch,
)
from resonare_pipeline.style.windows import find_windows

MINUTE_SECONDS = 60


def write_windows(
    messages: Artifact, out: OutputDraft, settings: WindowSettings, progress: Progress = silent
) -> None:
    """Write the sliding windows of messages that stand by chat and time."""
    gap = settings.max_gap_seconds
    read = 0
    with out.table(WINDOWS_FILE, WINDOWS) as table:
        for piece in read_pieces(messages, max_gap_seconds=gap):
            lines = lines_of(piece, max_gap_seconds=gap)
            table.add_batch(windows_batch(lines, find_windows(lines, settings.bounds())))
            read += len(piece)
            progress(read, messages.entry.rows, "messages")
    out.report(rows=table.count, metadata={"messages": read})


def write_episodes(
    messages: Artifact, out: OutputDraft, settings: EpisodeSettings, progress: Progress = silent
) -> None:
    """Write the episodes of messages that stand by chat and time.

    Messages of stretches that are too short are counted as `too_short`, by chat.
    """
    gap = settings.time_gap_minutes * MINUTE_SECONDS
    read = held = spoken = 0
    with out.table(EPISODES_FILE, EPISODES) as table:
        for piece in read_pieces(messages, max_gap_seconds=gap):
            lines = lines_of(piece, max_gap_seconds=gap)
            episodes = find_episodes(
                lines, least=settings.min_episode_length, most=settings.max_episode_length
            )
            table.add_batch(episodes_batch(lines, episodes))
            read += len(piece)
            spoken += len(lines)
            held += int((episodes.ends - episodes.starts).sum())
            progress(read, messages.entry.rows, "messages")
    metadata = {"messages": read, "with_text": spoken, "messages_in_episodes": held}
    out.report(rows=table.count, metadata=metadata)
