"""The dataset group: conversations of every source → one dataset, and a page about it.

What makes them is imported where it is called: a plan need not wait for the redactor's patterns.
"""

from assets.tokenizing import tokenizer_files
from resonare_pipeline.artifacts.manifest import CheckEntry
from resonare_pipeline.datasets.columns import COLUMNS
from resonare_pipeline.datasets.layout import DELIVERED, REPORT_FILE
from resonare_pipeline.datasets.report.settings import ReportSettings
from resonare_pipeline.datasets.report.template import report_ingredients
from resonare_pipeline.datasets.settings import DatasetSettings, MixtureSettings
from resonare_pipeline.datasets.sources import ConversationAsset, find_sources
from resonare_pipeline.linked_people import PeopleSettings
from resonare_pipeline.planning.graph import Check, Output, SettingsOf, StageRun, asset
from resonare_pipeline.privacy.settings import PrivacySettings
from resonare_pipeline.rows import EXAMPLES
from resonare_pipeline.tokenizers import TokenizerSettings

STYLE_EXAMPLES = "style_examples"
CONVERSATIONS = (
    ConversationAsset(
        asset="chat_conversations",
        file="train.jsonl",
        people="chats",
        people_file="chats.parquet",
        messages="messages",
        messages_file="messages.parquet",
    ),
    ConversationAsset(
        asset=STYLE_EXAMPLES,
        file="train.jsonl",
        people="chats",
        people_file="chats.parquet",
        messages="messages",
        messages_file="messages.parquet",
        group="style",
    ),
    ConversationAsset(asset="filled_conversations", file="train.jsonl"),
)


def _is_included(settings: SettingsOf) -> bool:
    return MixtureSettings.model_validate(settings[MixtureSettings]).include


def _wants(asset: str, settings: SettingsOf) -> bool:
    mixture = MixtureSettings.model_validate(settings[MixtureSettings])
    return asset != STYLE_EXAMPLES or mixture.style_examples


def _verify_dataset(run: StageRun) -> list[CheckEntry]:
    from resonare_pipeline.datasets.checks import check_dataset

    return check_dataset(run.outputs["dataset"].staged())


@asset(
    group="dataset",
    inputs=tuple(dict.fromkeys(name for source in CONVERSATIONS for name in source.inputs)),
    settings=(DatasetSettings, PrivacySettings, TokenizerSettings),
    settings_by_partition=(MixtureSettings, PrivacySettings, PeopleSettings),
    includes=_is_included,
    wants=_wants,
    files=tokenizer_files,
    distributions=(
        "msgspec",
        "numpy",
        "phonenumbers",
        "py3langid",
        "pyarrow",
        "pyyaml",
        "regex",
        "tiktoken",
        "tokenizers",
        "transformers",
    ),
    outputs=(
        Output(
            asset="dataset",
            description="Examples of every source, redacted, mixed and split, in the Hub's layout.",
            schema=EXAMPLES,
            columns=COLUMNS,
            kinds=("dataset", "parquet"),
            deliver=DELIVERED,
        ),
    ),
    checks=(
        Check(
            name="no_leaks",
            asset="dataset",
            description="No root and no equal conversation stands in two splits.",
        ),
        Check(
            name="unique_rows",
            asset="dataset",
            description="No copy of an example stands twice.",
        ),
        Check(
            name="counts",
            asset="dataset",
            description="The files hold as many rows and tokens as the summary says.",
        ),
        Check(
            name="openai_rules",
            asset="dataset",
            description="Every line of the files for OpenAI keeps its published rules.",
        ),
    ),
    verify=_verify_dataset,
)
def dataset(run: StageRun) -> None:
    """Mix, redact, deduplicate and split the conversations of every ready source."""
    from resonare_pipeline.datasets.making import Choices, make_dataset

    sources = find_sources(CONVERSATIONS, run.gathered)
    make_dataset(
        sources,
        Choices(
            dataset=run.get(DatasetSettings),
            mixtures={s.name: run.get(MixtureSettings, s.name) for s in sources},
            privacy={s.name: run.get(PrivacySettings, s.name) for s in sources},
            general_privacy=run.get(PrivacySettings),
            tokenizer=run.get(TokenizerSettings),
            absent=run.absent,
            people={s.name: run.get(PeopleSettings, s.name) for s in sources},
        ),
        run.outputs["dataset"],
        progress=run.progress,
    )


def _report_files(settings: SettingsOf) -> dict[str, str]:  # noqa: ARG001  # one of a family
    return report_ingredients()


@asset(
    group="dataset",
    inputs=("dataset", "messages", "enriched_messages", "blocks"),
    reads_dropped=("messages", "enriched_messages", "blocks"),
    compares="dataset",
    settings=(ReportSettings,),
    settings_by_partition=(MixtureSettings,),
    includes=_is_included,
    files=_report_files,
    distributions=("jinja2", "markupsafe", "msgspec", "numpy", "pyarrow"),
    outputs=(
        Output(
            asset="dataset_report",
            description="One page of HTML: figures, charts, samples, and what changed.",
            kinds=("report", "html"),
            deliver=(REPORT_FILE,),
        ),
    ),
)
def dataset_report(run: StageRun) -> None:
    """Show a dataset on one page that a person reads."""
    from resonare_pipeline.datasets.report.writing import write_report

    write_report(
        run.inputs["dataset"],
        run.previous,
        run.dropped,
        run.outputs["dataset_report"],
        kept={
            name: sum(artifact.entry.rows for artifact in partitions.values())
            for name, partitions in run.gathered.items()
        },
        settings=run.get(ReportSettings),
    )


STAGES = (dataset, dataset_report)
