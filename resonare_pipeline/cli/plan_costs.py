"""What a plan would pay for: requests, tokens, dollars and hours.

Of record sets that lack answers, as `record_requests` has counted them; what the cache answers is
looked up by key, and batches under way are named. Of images, as many as the messages show. Where
what is counted is not made, nobody knows yet.
"""

from collections.abc import Iterator

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.chats.images.describing import Viewing
from resonare_pipeline.chats.images.expecting import expected_images
from resonare_pipeline.chats.images.finding import ImageFiles
from resonare_pipeline.chats.images.settings import ImagesSettings
from resonare_pipeline.completions.batches.watching import live_batches
from resonare_pipeline.completions.environment import CACHE_FILE
from resonare_pipeline.completions.estimating import Estimate
from resonare_pipeline.completions.lookup import known_keys
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.planning.plan import Entry, Plan
from resonare_pipeline.planning.workspace import Workspace, environment
from resonare_pipeline.records.prompting import REQUESTS_FILE

PAID_STAGE = "record_completions"
COUNTING_ASSET = "record_requests"
IMAGES_STAGE = "enriched_messages"
MESSAGES_ASSET = "messages"


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What one set or export would take.

    Attributes:
        estimate: Of all its requests; None: they are not counted yet.
        counted_by: The asset whose making tells that.
        images: The requests are for images, and these are all that there are.
        first: Records with a turn to be filled.
        answered: Those whose first turn the cache answers.
        mode: How they would be asked.
        batches: Its batches that are under way.
    """

    partition: str
    estimate: Estimate | None = None
    counted_by: str = COUNTING_ASSET
    images: bool = False
    first: int = 0
    answered: int = 0
    mode: str = ""
    batches: int = 0

    @property
    def text(self) -> str:
        """The same for people."""
        if self.estimate is None:
            return f"{self.partition}: what it costs is known when {self.counted_by} is made"
        known = self.estimate
        if self.images and not known.requests:
            return f"{self.partition}: no images to be described"
        parts = [
            f"at most {known.requests:,} images" if self.images else f"{known.requests:,} requests",
            f"about {known.input_tokens:,} tokens in, {known.output_tokens:,} out",
            f"{_dollars(known.cost_usd)} online",
        ]
        if not self.images:
            parts[-1] += f", {_dollars(known.batch_cost_usd)} in batches"
        if known.hours is not None:
            parts.append(f"at least {known.hours:.2f} hours online")
        if self.mode == "batch":
            parts.append("up to 24 hours for each round of batches")
        if self.batches:
            parts.append(f"{self.batches} batches are under way")
        if self.images:
            parts.append("without those that are answered in the cache")
        else:
            told = f"{self.answered:,} of {self.first:,}"
            parts.append(f"{told} first turns are answered in the cache")
        return f"{self.partition}: {'; '.join(parts)}"


def expected_costs(workspace: Workspace, current: Plan, entries: list[Entry]) -> list[Expected]:
    """Return what the sets and exports of a plan would take whose answers are not all there.

    Raises:
        CacheError: If the cache cannot be read.
    """
    return [
        _PAID[entry.stage.name](workspace, current, entry)
        for entry in entries
        if not entry.is_whole and not entry.error and _is_paid(entry)
    ]


def _is_paid(entry: Entry) -> bool:
    return entry.stage.name == PAID_STAGE or entry.stage.reads_attachments(entry.settings)


def _expected(workspace: Workspace, current: Plan, entry: Entry) -> Expected:
    settings = entry.settings[CompletionsSettings]
    assert isinstance(settings, CompletionsSettings)  # noqa: S101  # for the type checker
    name = str(entry.partition)
    counted = current.entry(workspace.graph.makers[COUNTING_ASSET], entry.partition).manifest
    if counted is None:
        return Expected(partition=name, mode=settings.mode)
    artifact = workspace.store.artifact(counted, COUNTING_ASSET)
    environ, default_db = environment(workspace.folder), workspace.folder / CACHE_FILE
    known = known_keys(_keys(artifact), settings, environ, default_db=default_db)
    return Expected(
        partition=name,
        estimate=msgspec.convert(artifact.entry.metadata["estimate"], Estimate),
        first=artifact.entry.rows,
        answered=known,
        mode=settings.mode,
        batches=len(live_batches(environ, default_db=default_db, campaign=f"records/{name}")),
    )


def _expected_images(workspace: Workspace, current: Plan, entry: Entry) -> Expected:
    name = f"{entry.stage.raw.folder}/{entry.partition}" if entry.stage.raw else ""
    counted = current.entry(workspace.graph.makers[MESSAGES_ASSET], entry.partition).manifest
    if counted is None or entry.raw is None:
        return Expected(partition=name, counted_by=MESSAGES_ASSET, images=True)
    images, completions = entry.settings[ImagesSettings], entry.settings[CompletionsSettings]
    viewing = Viewing(
        images=ImagesSettings.model_validate(images),
        completions=CompletionsSettings.model_validate(completions),
        open=entry.raw.open,
        environ=environment(workspace.folder),
        folder=workspace.folder,
    )
    files = ImageFiles({path: path for path in entry.raw.attachments}, entry.raw.entries)
    artifact = workspace.store.artifact(counted, MESSAGES_ASSET)
    most = None
    if entry.manifest is not None:  # it is tried again: only what could not be had is asked for
        told = entry.manifest.outputs[IMAGES_STAGE].metadata
        most = sum(told.get("images_to_be_tried_again", {}).values())
    found = expected_images(artifact, files, viewing, most=most)
    return Expected(partition=name, estimate=found, images=True, mode="online")


_PAID = {PAID_STAGE: _expected, IMAGES_STAGE: _expected_images}


def _keys(artifact: Artifact) -> Iterator[str]:
    for row in artifact.rows(REQUESTS_FILE, columns=["key"]):
        yield row["key"]


def _dollars(cost_usd: float | None) -> str:
    return "an unknown price" if cost_usd is None else f"${cost_usd:,.4f}"
