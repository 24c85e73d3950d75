"""A dataset on the Hugging Face Hub: compared first, sent in one commit, and only what changed.

A repository is private unless the settings say otherwise, and what somebody else put into it is
never touched unasked. When anything goes wrong the repository stays at the revision it had.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resonare_pipeline.datasets.destination import PublishSettings, require_repo_id
from resonare_pipeline.datasets.hub import Hub, Repository
from resonare_pipeline.datasets.listing import (
    Change,
    Difference,
    HubFile,
    differences,
    listing_of,
)
from resonare_pipeline.errors import PublishError
from resonare_pipeline.progress import Progress, silent

MOST_NAMES = 5  # shown in a message


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


def preview(
    files: Sequence[HubFile], settings: PublishSettings, *, token: str, endpoint: str | None
) -> Preview:
    """Compare files with the repository; nothing is made, sent or refused.

    Raises:
        SettingsError: If the settings name no repository.
        PublishError: If the Hub refuses to tell, or cannot be asked.
    """
    hub = _open(settings, token, endpoint)
    return _compared(hub, files, hub.look(), settings)


def _compared(
    hub: Hub, files: Sequence[HubFile], repository: Repository | None, settings: PublishSettings
) -> Preview:
    if repository is None:
        found, is_public = differences(files, {}, {}), not settings.private
    else:
        found = differences(files, repository.files, repository.listed)
        is_public = repository.is_public
    return Preview(
        url=hub.url,
        exists=repository is not None,
        is_public=is_public,
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
    compared = _compared(hub, files, repository, settings)
    if error := obstacle(compared, settings):
        raise error
    found = compared.differences
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


def obstacle(found: Preview, settings: PublishSettings) -> PublishError | None:
    """Return why nothing may be sent to a repository as it is; None if it may."""
    if settings.private and found.is_public:
        return PublishError(
            "the repository is public",
            where=found.url,
            expected="a private one",
            remedy="Nothing was published. Make it private in its settings on the Hub, choose "
            "another name, or allow it (--public, published_dataset.private = false)",
        )
    names = [item.path for item in found.differences if item.is_foreign]
    if names and not settings.overwrite:
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        return PublishError(
            f"not published from here, or edited since: {', '.join(names[:MOST_NAMES])}{more}",
            where=found.url,
            remedy="Nothing was published. Move these files away, choose another repository, or "
            "let them be replaced (--overwrite, published_dataset.overwrite = true)",
        )
    return None


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
