"""The chats group: an export → chats and messages → blocks → conversations, and statistics."""

from functools import partial

from assets.columns import (
    BLOCK_COLUMNS,
    BLOCK_LINEAGE,
    CHAT_COLUMNS,
    ENRICHED_LINEAGE,
    MESSAGE_COLUMNS,
)
from assets.enriching import ENRICHING, heeds, shows_images, sources_of, template_files
from assets.tokenizing import tokenizer_files
from resonare_pipeline.artifacts.manifest import CheckEntry
from resonare_pipeline.chats.blocks import BlocksSettings, make_blocks
from resonare_pipeline.chats.conversations import (
    ConversationSettings,
    check_conversations,
    make_conversations,
)
from resonare_pipeline.chats.enriching import EnrichedMessagesSettings, enrich_messages
from resonare_pipeline.chats.exports import MessagesSettings
from resonare_pipeline.chats.forgetting import ForgetSettings
from resonare_pipeline.chats.images.finding import IMAGE_FILES
from resonare_pipeline.chats.inventory import InventoryFile, read_inventory, write_inventory
from resonare_pipeline.chats.reading.export import read_export
from resonare_pipeline.chats.signal.tables import SIGNAL_MESSAGES, SIGNAL_TABLES
from resonare_pipeline.chats.statistics.charts import PLOT_FILES
from resonare_pipeline.chats.statistics.writing import write_statistics
from resonare_pipeline.linked_people import PeopleSettings
from resonare_pipeline.planning.graph import Check, Output, SettingsOf, StageRun, asset
from resonare_pipeline.planning.raw import MemberSet, RawKind
from resonare_pipeline.plotting.font import plot_ingredients
from resonare_pipeline.privacy.kinds import DISTRIBUTIONS
from resonare_pipeline.privacy.settings import PrivacySettings
from resonare_pipeline.rows import BLOCKS, CHATS, MESSAGES
from resonare_pipeline.tokenizers import TokenizerSettings

CHAT_EXPORTS = RawKind(
    folder="chats",
    partitions="chat_exports",
    suffixes=(".json", ".csv"),
    members=(
        "result*.json",
        MemberSet(signs=SIGNAL_MESSAGES, files=SIGNAL_TABLES),
        "*.json",
        "*.txt",
        "chat.md",
    ),
    expected="a Telegram export as JSON (result.json, or the folder that holds it), or a folder of "
    "Signal's tables as CSV (signal.csv or message.csv, with recipient.csv and thread.csv)",
    attachments=IMAGE_FILES,
    item="export",
)

chats_asset = partial(asset, group="chats", raw=CHAT_EXPORTS)


@chats_asset(
    reads_raw=True,
    outputs=(
        Output(
            asset="chat_export",
            description="The files of one raw export and their hashes. The content is not copied.",
            kinds=("source", "json"),
        ),
    ),
)
def chat_export(run: StageRun) -> None:
    """Identify a raw export by the hashes of its files."""
    files = [
        InventoryFile(name=name, size=stat.size, sha256=run.raw_hashes[name])
        for name, stat in run.raw.entries.items()
    ]
    write_inventory(files, run.outputs["chat_export"])


@chats_asset(
    inputs=("chat_export",),
    settings=(MessagesSettings, ForgetSettings),
    distributions=("msgspec", "pyarrow"),
    outputs=(
        Output(
            asset="chats",
            description="One row per chat of the export, with its participants.",
            schema=CHATS,
            columns=CHAT_COLUMNS,
            kinds=("table", "parquet"),
        ),
        Output(
            asset="messages",
            description="One row per message, by chat and time; times are UTC.",
            schema=MESSAGES,
            columns=MESSAGE_COLUMNS,
            kinds=("table", "parquet"),
        ),
    ),
)
def chat_tables(run: StageRun) -> None:
    """Read an export into chats and messages, in one pass."""
    files = read_inventory(run.inputs["chat_export"], run.raw.open)
    read_export(
        files,
        run.outputs["chats"],
        run.outputs["messages"],
        run.get(MessagesSettings),
        forget=run.get(ForgetSettings),
        progress=run.progress,
    )


@chats_asset(
    inputs=("messages",),
    settings=ENRICHING,
    heeds=heeds,
    reads_attachments=shows_images,
    files=template_files,
    distributions=("pyarrow", *DISTRIBUTIONS),
    outputs=(
        Output(
            asset="enriched_messages",
            description="The messages that go on, with what their links say and their images show "
            "if that is asked for. With no rule set, the very files of `messages`.",
            schema=MESSAGES,
            columns=MESSAGE_COLUMNS,
            lineage=ENRICHED_LINEAGE,
            kinds=("table", "parquet"),
        ),
    ),
)
def enriched_messages(run: StageRun) -> None:
    """Choose messages by time and sender, link people, add links and images, and redact."""
    enrich_messages(
        run.inputs["messages"],
        run.outputs["enriched_messages"],
        run.get(EnrichedMessagesSettings),
        privacy=run.get(PrivacySettings),
        people=run.get(PeopleSettings),
        forget=run.get(ForgetSettings),
        sources=sources_of(run),
        unfinished=run.unfinished.get("enriched_messages"),
        progress=run.progress,
    )


@chats_asset(
    inputs=("chats", "enriched_messages"),
    settings=(BlocksSettings, ConversationSettings, TokenizerSettings),
    files=tokenizer_files,
    distributions=("pyarrow", "regex", "tiktoken", "tokenizers", "transformers"),
    outputs=(
        Output(
            asset="blocks",
            description="Runs of messages without a long silence, each within the token bounds.",
            schema=BLOCKS,
            columns=BLOCK_COLUMNS,
            lineage=BLOCK_LINEAGE,
            kinds=("table", "parquet"),
        ),
    ),
)
def blocks(run: StageRun) -> None:
    """Cut each chat into blocks whose rendered conversation keeps within the token bounds."""
    make_blocks(
        run.inputs["enriched_messages"],
        run.inputs["chats"],
        run.outputs["blocks"],
        blocks=run.get(BlocksSettings),
        conversations=run.get(ConversationSettings),
        tokenizer=run.get(TokenizerSettings),
        progress=run.progress,
    )


def _verify_conversations(run: StageRun) -> list[CheckEntry]:
    return check_conversations(
        run.outputs["chat_conversations"].staged(),
        run.inputs["blocks"],
        blocks=run.get(BlocksSettings),
        conversations=run.get(ConversationSettings),
        tokenizer=run.get(TokenizerSettings),
    )


@chats_asset(
    inputs=("chats", "enriched_messages", "blocks"),
    settings=(BlocksSettings, ConversationSettings, TokenizerSettings),
    files=tokenizer_files,
    distributions=("msgspec", "pyarrow", "tiktoken", "tokenizers", "transformers"),
    outputs=(
        Output(
            asset="chat_conversations",
            description="One conversation per block, roles assigned: train.jsonl.",
            kinds=("dataset", "json"),
            deliver=("train.jsonl", "processed.json"),
        ),
    ),
    checks=(
        Check(
            name="token_bounds",
            asset="chat_conversations",
            description="Every conversation has between the minimum and maximum of tokens.",
        ),
        Check(
            name="roles",
            asset="chat_conversations",
            description="Roles stand in the order that the conversation's shape asks for.",
        ),
        Check(
            name="no_empty_turns",
            asset="chat_conversations",
            description="No turn is empty.",
        ),
        Check(
            name="unique_ids",
            asset="chat_conversations",
            description="No example or block stands twice.",
        ),
    ),
    verify=_verify_conversations,
)
def chat_conversations(run: StageRun) -> None:
    """Render each block as a conversation for training."""
    make_conversations(
        run.inputs["enriched_messages"],
        run.inputs["chats"],
        run.inputs["blocks"],
        run.outputs["chat_conversations"],
        blocks=run.get(BlocksSettings),
        conversations=run.get(ConversationSettings),
        tokenizer=run.get(TokenizerSettings),
        progress=run.progress,
    )


def _plot_files(settings: SettingsOf) -> dict[str, str]:  # noqa: ARG001  # one of a family
    return plot_ingredients()


@chats_asset(
    inputs=("chats", "messages", "enriched_messages", "blocks"),
    reads_dropped=("messages", "enriched_messages", "blocks"),
    settings=(BlocksSettings,),
    files=_plot_files,
    distributions=("msgspec", "pillow", "pyarrow"),
    outputs=(
        Output(
            asset="chat_statistics",
            description="Counts by chat, participant, time and block: JSON, Markdown and plots.",
            kinds=("report", "json"),
            deliver=("statistics.json", "statistics.md", *PLOT_FILES),
        ),
    ),
)
def chat_statistics(run: StageRun) -> None:
    """Count what an export holds and what became of it."""
    write_statistics(
        run.inputs["chats"],
        run.inputs["enriched_messages"],
        run.inputs["blocks"],
        run.outputs["chat_statistics"],
        bounds=run.get(BlocksSettings),
        dropped=run.dropped,
    )


STAGES = (chat_export, chat_tables, enriched_messages, blocks, chat_conversations, chat_statistics)
