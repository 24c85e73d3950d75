"""The records group: conversations with empty turns → prompts → answers → the same, filled."""

from functools import partial

from assets.columns import (
    BATCH_FILE_COLUMNS,
    COMPLETION_COLUMNS,
    PROMPT_COLUMNS,
    REQUEST_COLUMNS,
)
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.planning.graph import Output, StageRun, asset
from resonare_pipeline.planning.raw import RawKind
from resonare_pipeline.records.asking import Asking
from resonare_pipeline.records.batch_files import make_batch_files
from resonare_pipeline.records.completing import make_completions
from resonare_pipeline.records.conversations import make_conversations
from resonare_pipeline.records.prompting import make_prompts, make_requests
from resonare_pipeline.records.sets import (
    PromptRecordsSettings,
    RecordCompletionsSettings,
    SetFile,
    set_files,
)
from resonare_pipeline.records.tables import BATCH_FILES, COMPLETIONS, PROMPTS, REQUESTS

RECORD_SETS = RawKind(
    folder="records",
    partitions="record_sets",
    suffixes=(".json", ".jsonl", ".parquet"),
    members=("*.[jp][sa]*",),  # all three endings at once
    expected="conversations as JSON, JSON lines or Parquet (a file, or a folder of them)",
    item="record set",
)

records_asset = partial(asset, group="records", raw=RECORD_SETS)


def _files(run: StageRun) -> list[SetFile]:
    sizes = {name: stat.size for name, stat in run.raw.entries.items()}
    return set_files(sizes, run.raw_hashes, run.raw.open)


@records_asset(
    reads_raw=True,
    settings=(PromptRecordsSettings,),
    distributions=("msgspec", "pyarrow"),
    outputs=(
        Output(
            asset="prompt_records",
            description="One row per usable record: its conversation as a model is sent it, and "
            "which turns are to be filled.",
            schema=PROMPTS,
            columns=PROMPT_COLUMNS,
            kinds=("table", "parquet"),
        ),
    ),
)
def prompt_records(run: StageRun) -> None:
    """Read a set of records, whatever their shape, as prompts."""
    settings = run.get(PromptRecordsSettings)
    make_prompts(_files(run), run.outputs["prompt_records"], settings, progress=run.progress)


@records_asset(
    inputs=("prompt_records",),
    settings=(CompletionsSettings,),
    distributions=("pyarrow", "tiktoken"),
    outputs=(
        Output(
            asset="record_requests",
            description="The first request of each record: its key and its tokens.",
            schema=REQUESTS,
            columns=REQUEST_COLUMNS,
            kinds=("table", "parquet"),
        ),
    ),
)
def record_requests(run: StageRun) -> None:
    """Say what will be asked of the model, and what that would take."""
    settings = run.get(CompletionsSettings)
    make_requests(run.inputs["prompt_records"], run.outputs["record_requests"], settings)


@records_asset(
    inputs=("record_requests", "prompt_records"),
    settings=(CompletionsSettings,),
    distributions=("msgspec", "pyarrow"),
    outputs=(
        Output(
            asset="record_batch_files",
            description="The same requests as input files for OpenAI's Batch API, for those who "
            "upload by hand; `resonare batch import` takes the results.",
            schema=BATCH_FILES,
            columns=BATCH_FILE_COLUMNS,
            kinds=("json",),
            deliver=("batch_*.jsonl",),
        ),
    ),
)
def record_batch_files(run: StageRun) -> None:
    """Write the first requests as batch input files."""
    settings = run.get(CompletionsSettings)
    prompts, requests = run.inputs["prompt_records"], run.inputs["record_requests"]
    make_batch_files(prompts, requests, run.outputs["record_batch_files"], settings)


@records_asset(
    inputs=("record_requests", "prompt_records"),
    settings=(CompletionsSettings, RecordCompletionsSettings),
    distributions=("msgspec", "pyarrow"),
    outputs=(
        Output(
            asset="record_completions",
            description="What came of each request. Committed when none is left to be asked.",
            schema=COMPLETIONS,
            columns=COMPLETION_COLUMNS,
            kinds=("table", "parquet"),
        ),
    ),
    may_wait=True,
)
def record_completions(run: StageRun) -> None:
    """Ask the model for each empty turn; later ones see earlier answers."""
    asking = Asking(
        completions=run.get(CompletionsSettings),
        stage=run.get(RecordCompletionsSettings),
        environ=run.environ,
        folder=run.folder,
        unattended=run.unattended,
        campaign=f"{RECORD_SETS.folder}/{run.partition}",
        patient=run.patient,
        account=run.account,
    )
    out = run.outputs["record_completions"]
    make_completions(run.inputs["prompt_records"], out, asking, progress=run.progress)


@records_asset(
    reads_raw=True,
    inputs=("prompt_records", "record_completions"),
    distributions=("msgspec", "pyarrow"),
    outputs=(
        Output(
            asset="filled_conversations",
            description="One conversation per record, and the set's own files with the answers in "
            "their places.",
            kinds=("dataset", "json"),
            deliver=("train.jsonl", "filled*"),
        ),
    ),
)
def filled_conversations(run: StageRun) -> None:
    """Put the answers where they belong."""
    make_conversations(
        _files(run),
        run.inputs["prompt_records"],
        run.inputs["record_completions"],
        run.outputs["filled_conversations"],
        progress=run.progress,
    )


STAGES = (
    prompt_records,
    record_requests,
    record_batch_files,
    record_completions,
    filled_conversations,
)
