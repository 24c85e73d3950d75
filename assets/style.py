"""The style group: messages → how you write, windows, episodes → examples that teach it.

What makes them is imported where it is called: a plan need not wait for it.
"""

from functools import partial

from assets.chats import CHAT_EXPORTS
from assets.columns import EPISODE_COLUMNS, WINDOW_COLUMNS
from resonare_pipeline.planning.graph import Output, SettingsOf, StageRun, asset
from resonare_pipeline.plotting.font import plot_ingredients
from resonare_pipeline.style.files import PLOT_FILES
from resonare_pipeline.style.settings import (
    EpisodeSettings,
    StyleExamplesSettings,
    TextingStyleSettings,
    WindowSettings,
)
from resonare_pipeline.style.tables import EPISODES, WINDOWS

style_asset = partial(asset, group="style", raw=CHAT_EXPORTS)


def _plot_files(settings: SettingsOf) -> dict[str, str]:  # noqa: ARG001  # one of a family
    return plot_ingredients()


@style_asset(
    inputs=("enriched_messages",),
    settings=(TextingStyleSettings,),
    files=_plot_files,
    distributions=("emoji", "msgspec", "numpy", "pillow", "pyarrow", "regex"),
    outputs=(
        Output(
            asset="texting_style",
            description="How you write: lengths, bursts, emoji, hours, words, and with whom.",
            kinds=("report", "json"),
            deliver=("style.json", "style.md", *PLOT_FILES),
        ),
    ),
)
def texting_style(run: StageRun) -> None:
    """Describe how the owner of an export writes."""
    from resonare_pipeline.style.texting import write_style

    write_style(
        run.inputs["enriched_messages"],
        run.outputs["texting_style"],
        run.get(TextingStyleSettings),
        progress=run.progress,
    )


@style_asset(
    inputs=("enriched_messages",),
    settings=(WindowSettings,),
    distributions=("numpy", "pyarrow"),
    outputs=(
        Output(
            asset="conversation_windows",
            description="What was said, and the owner's answer; never across a silence.",
            schema=WINDOWS,
            columns=WINDOW_COLUMNS,
            kinds=("table", "parquet"),
        ),
    ),
)
def conversation_windows(run: StageRun) -> None:
    """Slide a window over each conversation, up to every answer of the owner."""
    from resonare_pipeline.style.windowing import write_windows

    write_windows(
        run.inputs["enriched_messages"],
        run.outputs["conversation_windows"],
        run.get(WindowSettings),
        run.progress,
    )


@style_asset(
    inputs=("enriched_messages",),
    settings=(EpisodeSettings,),
    distributions=("numpy", "pyarrow"),
    outputs=(
        Output(
            asset="dialogue_episodes",
            description="What was said between two silences, and what kind of talk it was.",
            schema=EPISODES,
            columns=EPISODE_COLUMNS,
            kinds=("table", "parquet"),
        ),
    ),
)
def dialogue_episodes(run: StageRun) -> None:
    """Part each chat into episodes at its silences."""
    from resonare_pipeline.style.windowing import write_episodes

    write_episodes(
        run.inputs["enriched_messages"],
        run.outputs["dialogue_episodes"],
        run.get(EpisodeSettings),
        run.progress,
    )


@style_asset(
    inputs=("conversation_windows", "dialogue_episodes", "texting_style"),
    settings=(StyleExamplesSettings,),
    distributions=("msgspec", "numpy", "pyarrow", "regex"),
    outputs=(
        Output(
            asset="style_examples",
            description="Examples of the owner's style: instruction, input and output.",
            kinds=("dataset", "json"),
            deliver=("examples.jsonl", "train.jsonl"),
        ),
    ),
)
def style_examples(run: StageRun) -> None:
    """Make training examples of windows, bursts, and how the owner adapts to people."""
    from resonare_pipeline.style.example_files import write_style_examples

    write_style_examples(
        run.inputs["conversation_windows"],
        run.inputs["dialogue_episodes"],
        run.inputs["texting_style"],
        run.outputs["style_examples"],
        run.get(StyleExamplesSettings),
        progress=run.progress,
    )


STAGES = (texting_style, conversation_windows, dialogue_episodes, style_examples)
