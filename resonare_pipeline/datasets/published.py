"""The dataset artifact as a publication: what of it goes out, whether it may, what is recorded."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import partial

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.datasets.destination import PublishSettings, access
from resonare_pipeline.datasets.layout import HUB_PATTERNS
from resonare_pipeline.datasets.listing import HubFile
from resonare_pipeline.datasets.publishing import publish
from resonare_pipeline.datasets.summary import SUMMARY_FILE, Summary, decode_summary
from resonare_pipeline.errors import PublishError
from resonare_pipeline.progress import Progress, silent

PUBLISHED_FILE = "published.json"
DEFAULT_ENDPOINT = "https://huggingface.co"  # as huggingface_hub has it, which is slow to import


class PublishedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a revision."""

    size: int
    sha256: str


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """Where a dataset can be read.

    Attributes:
        endpoint: Address of the Hub.
        revision: The commit at which the repository holds these files.
        files: Path in the repository → file.
    """

    repo_id: str
    endpoint: str
    url: str
    branch: str
    revision: str
    files: dict[str, PublishedFile]


def hub_ingredients(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a publication depends on beside its settings: which Hub is meant."""
    return {"hub": (environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")}


def hub_files(dataset: Artifact) -> list[HubFile]:
    """Return the files of a dataset that may be published."""
    return [
        HubFile(
            path_in_repo=file.name,
            size=file.size,
            sha256=file.sha256,
            open=partial(dataset.open, file.name),
        )
        for file in dataset.entry.files
        if any(fnmatchcase(file.name, pattern) for pattern in HUB_PATTERNS)
    ]


def read_summary(dataset: Artifact) -> Summary:
    """Return what a dataset says of itself."""
    with dataset.open(SUMMARY_FILE) as stream:
        return decode_summary(stream.read())


def refusal(summary: Summary, settings: PublishSettings) -> PublishError | None:
    """Return why a dataset must not be published; None if it may."""
    if not summary.examples:
        return PublishError(
            "the dataset has no examples",
            remedy="resonare show dataset_report, or the summary beside it, says what was left out",
        )
    if summary.mock_examples:
        return PublishError(
            f"{summary.mock_examples} examples hold answers of the mock provider",
            expected="answers of a model",
            remedy="Fill these records by a model, or leave their sources out of the dataset "
            "(mixture.include = false)",
        )
    if not summary.redacted and not settings.allow_unredacted:
        return PublishError(
            "redaction is off, or leaves some kind or source out, so names, addresses and numbers "
            "would go out as they were written",
            expected="a redacted dataset",
            remedy="Turn it on (privacy.redact = true), or publish all the same "
            "(--force-unredacted, published_dataset.allow_unredacted = true)",
        )
    return None


def publish_dataset(
    dataset: Artifact,
    out: OutputDraft,
    settings: PublishSettings,
    *,
    environ: Mapping[str, str],
    progress: Progress = silent,
) -> None:
    """Let the repository hold the dataset, and write down at which revision it does.

    Args:
        environ: Environment variables; token and address of the Hub are taken from there.

    Raises:
        SettingsError: If the settings name no repository.
        PublishError: If the dataset must not be published, or the Hub refuses or cannot be asked.
    """
    if error := refusal(read_summary(dataset), settings):
        raise error
    files = hub_files(dataset)
    hub = access(environ)
    published = publish(files, settings, token=hub.token, endpoint=hub.endpoint, progress=progress)
    publication = Publication(
        repo_id=settings.repo_id,
        endpoint=published.endpoint,
        url=published.url,
        branch=settings.branch,
        revision=published.revision,
        files={
            file.path_in_repo: PublishedFile(size=file.size, sha256=file.sha256) for file in files
        },
    )
    with out.open(PUBLISHED_FILE) as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(publication), indent=1) + b"\n")
    out.report(
        rows=len(files),
        metadata={
            "url": published.url,
            "revision": published.revision,
            "committed": published.committed,
            "files": {change.value: count for change, count in published.counts.items()},
        },
    )


def read_publication(artifact: Artifact) -> Publication:
    """Return what `publish_dataset` has written."""
    with artifact.open(PUBLISHED_FILE) as stream:
        return msgspec.json.decode(stream.read(), type=Publication)
