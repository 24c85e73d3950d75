"""A dataset on the Hugging Face Hub: compared first, sent in one commit, and only what changed.

A repository is private unless the settings say otherwise, and what somebody else put into it is
never touched unasked. When anything goes wrong the repository stays at the revision it had.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import Field

from resonare_pipeline.datasets.hub import DEFAULT_BRANCH, Hub, Repository
from resonare_pipeline.datasets.hub_errors import OFFLINE
from resonare_pipeline.datasets.listing import (
    Change,
    Difference,
    HubFile,
    differences,
    listing_of,
)
from resonare_pipeline.errors import PublishError, SettingsError
from resonare_pipeline.progress import Progress, silent
from resonare_pipeline.settings import EXECUTION, Section

MOST_NAMES = 5  # shown in a message


class PublishSettings(Section):
    """Where the dataset is published, and what may be."""

    section: ClassVar[str] = "published_dataset"

    repo_id: str = ""
    """Dataset repository on the Hugging Face Hub, as `user/name` or `organization/name`. It is made
    if it is not there. Empty: publishing says that a name is missing."""

    branch: str = Field(default=DEFAULT_BRANCH, min_length=1)
    """Branch of the repository that is committed to; made if it is not there."""

    private: Annotated[bool, EXECUTION] = True
    """A new repository is private; one that is public is refused. False: a new one is public. The
    visibility of a repository that is there is never changed."""

    allow_unredacted: Annotated[bool, EXECUTION] = False
    """Publish although redaction is off, so that names, addresses and numbers go out as they were
    written."""

    overwrite: Annotated[bool, EXECUTION] = False
    """Replace files of the repository that were not published from here, or were edited since."""

    commit_message: Annotated[str, EXECUTION] = Field(default="Publish the dataset", min_length=1)
    """First line of the commit."""

    upload_threads: Annotated[int, EXECUTION] = Field(default=4, ge=1, le=32)
    """How many files are sent at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How the Hub is asked.

    Attributes:
        endpoint: Its address; None: huggingface_hub's own.
    """

    token: str = field(repr=False)
    endpoint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What publishing would do.

    Attributes:
        url: Address of the repository, for people.
        exists: The repository is there.
        is_public: Everybody may read it.
    """

    url: str
    exists: bool
    is_public: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a publication came to.

    Attributes:
        url: Address of the repository, for people.
        revision: The commit at which the repository holds these files.
        committed: This call made that commit; False: all of it was there.
        counts: How many files were new, changed, unchanged and deleted; the listing apart.
    """

    repo_id: str
    endpoint: str
    url: str
    revision: str
    committed: bool
    counts: Mapping[Change, int]


def access(environ: Mapping[str, str]) -> Access:
    """Find token and address of the Hub.

    Args:
        environ: Environment variables, those of `.env` included.

    Raises:
        PublishError: If there is no token, or the Hub is not to be asked.
    """
    if environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise PublishError(OFFLINE[0], remedy=OFFLINE[1])
    token = environ.get("HF_TOKEN", "").strip()
    if not token:
        from huggingface_hub import get_token  # of whoever ran `hf auth login`

        token = get_token() or ""
    if not token:
        raise PublishError(
            "no token for the Hugging Face Hub",
            expected="HF_TOKEN in the environment or in .env",
            remedy="Make one with write access at https://huggingface.co/settings/tokens",
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise PublishError("HF_TOKEN is no token", expected="letters, digits and underscores")
    return Access(token=token, endpoint=environ.get("HF_ENDPOINT") or None)


def preview(
    files: Sequence[HubFile], settings: PublishSettings, *, token: str, endpoint: str | None
) -> Preview:
    """Compare files with the repository; nothing is made, sent or refused.

    Raises:
        SettingsError: If the settings name no repository.
        PublishError: If the Hub refuses to tell, or cannot be asked.
    """
    hub = _open(settings, token, endpoint)
    repository = hub.look()
    found = differences(
        files, repository.files if repository else {}, repository.listed if repository else {}
    )
    return Preview(
        url=hub.url,
        exists=repository is not None,
        is_public=repository.is_public if repository else not settings.private,
        differences=tuple(found),
    )


def publish(
    files: Sequence[HubFile],
    settings: PublishSettings,
    *,
    token: str,
    endpoint: str | None,
    progress: Progress = silent,
) -> Published:
    """Let a repository hold these files, with one commit if it does not yet.

    Files of an earlier publication that are not among them are deleted in the same commit. After an
    interruption at any place the repository is as it was, and the next call sends what is missing.

    Raises:
        SettingsError: If the settings name no repository.
        DamagedArtifactError: If a file is not what was written.
        PublishError: If the Hub refuses or cannot be reached, the repository is public and should
            not be, or files of somebody else are in the way.
    """
    if not files:
        raise PublishError("there is nothing to publish", where=settings.repo_id)
    hub = _open(settings, token, endpoint)
    repository = hub.look() or _made(hub, settings)
    _require_private(hub, repository, settings)
    found = differences(files, repository.files, repository.listed)
    _refuse_foreign(hub, found, settings)
    listing = listing_of(files, repository.listed)
    work = {item.path: item.change for item in found if item.change is not Change.UNCHANGED}
    revision = repository.revision
    if work or listing != repository.listing or not repository.has_branch:
        sent = [file for file in files if file.path_in_repo in work]
        deleted = [path for path, change in work.items() if change is Change.DELETED]
        if not repository.has_branch:
            hub.start_branch(revision)
        additions = hub.upload(sent, listing, threads=settings.upload_threads, progress=progress)
        try:
            revision = hub.commit(
                additions, deleted, parent=revision, message=settings.commit_message
            )
        except PublishError as error:
            revision = _committed_all_the_same(hub, files, listing, error)
    return Published(
        repo_id=settings.repo_id,
        endpoint=hub.endpoint,
        url=hub.url,
        revision=revision,
        committed=revision != repository.revision,
        counts=Counter(item.change for item in found),
    )


def require_repo_id(settings: PublishSettings) -> None:
    """Refuse settings that name no repository.

    Raises:
        SettingsError: If there is no name, or it cannot be one.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    where, expected = "published_dataset.repo_id", "user/name or organization/name"
    if not settings.repo_id:
        raise SettingsError(
            f"{where} is not set",
            expected=expected,
            remedy="Give it with --repo-id, or in resonare.toml",
        )
    try:
        validate_repo_id(settings.repo_id)
    except HFValidationError as error:
        raise SettingsError(str(error), where=where, expected=expected) from None
    if "/" not in settings.repo_id:
        found = f"{settings.repo_id!r} does not say whose repository it is"
        raise SettingsError(found, where=where, expected=expected)


def _open(settings: PublishSettings, token: str, endpoint: str | None) -> Hub:
    require_repo_id(settings)
    return Hub(settings.repo_id, settings.branch, token=token, endpoint=endpoint)


def _made(hub: Hub, settings: PublishSettings) -> Repository:
    if kind := hub.other_kind():
        raise PublishError(
            f"there is a {kind} of this name, and no dataset",
            where=hub.repo_id,
            expected="a dataset, or a name that is free",
            remedy="Choose another name (published_dataset.repo_id); if it is meant, make the "
            "dataset's repository on the Hub yourself",
        )
    hub.create(private=settings.private)
    repository = hub.look()
    if repository is None:
        raise PublishError(
            "the new repository is not there yet", where=hub.url, remedy="Publish again"
        )
    return repository


def _require_private(hub: Hub, repository: Repository, settings: PublishSettings) -> None:
    if settings.private and repository.is_public:
        raise PublishError(
            "the repository is public",
            where=hub.url,
            expected="a private one",
            remedy="Nothing was published. Make it private in its settings on the Hub, choose "
            "another name, or allow it (--public, published_dataset.private = false)",
        )


def _refuse_foreign(hub: Hub, found: Sequence[Difference], settings: PublishSettings) -> None:
    names = [item.path for item in found if item.is_foreign]
    if names and not settings.overwrite:
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        raise PublishError(
            f"not published from here, or edited since: {', '.join(names[:MOST_NAMES])}{more}",
            where=hub.url,
            remedy="Nothing was published. Move these files away, choose another repository, or "
            "let them be replaced (--overwrite, published_dataset.overwrite = true)",
        )


def _committed_all_the_same(
    hub: Hub, files: Sequence[HubFile], listing: bytes, error: PublishError
) -> str:
    """Return the revision if the commit was made and only its answer was lost; else raise."""
    try:
        now = hub.look()
    except PublishError:
        raise PublishError(
            error.found,
            where=error.where,
            remedy="Whether this was published cannot be told now. Publish again: that finds out, "
            "and sends nothing twice",
        ) from None
    if now is not None and now.listing == listing:
        found = differences(files, now.files, now.listed)
        if all(item.change is Change.UNCHANGED for item in found):
            return now.revision
    raise error
