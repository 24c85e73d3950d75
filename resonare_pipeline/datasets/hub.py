"""One dataset repository on the Hugging Face Hub: looked at, made, and written in one commit.

Files are handed to huggingface_hub as open streams, since they may lie on disk or on S3. It sends
streams by the Hub's LFS protocol, and never by Xet: that would take paths or whole files in memory,
and a token of its own. LFS knows each file by its SHA-256, so a file that an interrupted attempt
has sent is not sent again; what is sent is seen by nobody until a commit names it.

huggingface_hub takes 0.2 s to import and is imported when a repository is opened.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from resonare_pipeline.datasets.hub_errors import hub_errors, status_of
from resonare_pipeline.datasets.listing import (
    LISTING_NAME,
    HubFile,
    ListedFile,
    RemoteFile,
    read_listing,
)
from resonare_pipeline.datasets.sending import hashed
from resonare_pipeline.datasets.waiting import LOOK_SECONDS, quiet
from resonare_pipeline.errors import PublishError
from resonare_pipeline.progress import Progress

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

KIND = "dataset"
OTHER_KINDS = ("model", "space")
DEFAULT_BRANCH = "main"
LIBRARY = "resonare-pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository as it was found.

    Attributes:
        revision: The last commit of the branch; of the default branch where there is no such yet.
        is_public: The Hub says that everybody may read it.
        has_branch: The branch is there.
        files: Path → file, the listing left out.
        listed: Path → file, as the last publication left them.
        listing: The listing's bytes; empty where there is none.
    """

    revision: str
    is_public: bool
    has_branch: bool
    files: Mapping[str, RemoteFile]
    listed: Mapping[str, ListedFile]
    listing: bytes


class Hub:
    """A place for a dataset on the Hub, whether there is anything yet or not."""

    def __init__(self, repo_id: str, branch: str, *, token: str, endpoint: str | None) -> None:
        from huggingface_hub import HfApi

        self.repo_id = repo_id
        self._branch = branch
        self._token = token
        self._api = HfApi(
            endpoint=endpoint.rstrip("/") if endpoint else None, token=token, library_name=LIBRARY
        )

    @property
    def endpoint(self) -> str:
        """Address of the Hub, without a slash at its end."""
        return self._api.endpoint

    @property
    def url(self) -> str:
        """Address of the repository, for people."""
        return f"{self.endpoint}/datasets/{self.repo_id}"

    @contextlib.contextmanager
    def _asking(self, doing: str) -> Iterator[None]:
        with hub_errors(self.url, endpoint=self.endpoint, token=self._token, doing=doing), quiet():
            yield

    def look(self) -> Repository | None:
        """Return the repository as it is now, or None where there is none.

        Raises:
            PublishError: If the Hub refuses to tell, or cannot be asked.
        """
        with self._asking("looking at the repository"):
            try:
                info, has_branch = self._info()
            except OSError as error:
                if status_of(error) == HTTPStatus.NOT_FOUND:
                    return None
                raise
            revision = str(info.sha)
            files = self._files(revision)
            listing = self._read(LISTING_NAME, revision) if LISTING_NAME in files else b""
        files.pop(LISTING_NAME, None)
        return Repository(
            revision=revision,
            is_public=info.private is not True,
            has_branch=has_branch,
            files=files,
            listed=read_listing(listing),
            listing=listing,
        )

    def _info(self) -> tuple[Any, bool]:
        from huggingface_hub.errors import RevisionNotFoundError

        ask = self._api.dataset_info
        if self._branch == DEFAULT_BRANCH:
            return ask(self.repo_id, timeout=LOOK_SECONDS), True
        try:
            return ask(self.repo_id, revision=self._branch, timeout=LOOK_SECONDS), True
        except RevisionNotFoundError:
            return ask(self.repo_id, timeout=LOOK_SECONDS), False

    def _files(self, revision: str) -> dict[str, RemoteFile]:
        from huggingface_hub.hf_api import RepoFile

        tree = self._api.list_repo_tree(
            self.repo_id, recursive=True, revision=revision, repo_type=KIND
        )
        return {
            item.path: RemoteFile(
                size=item.size,
                blob=item.blob_id,
                sha256=None if item.lfs is None else item.lfs.sha256,
            )
            for item in tree
            if isinstance(item, RepoFile)
        }

    def _read(self, path: str, revision: str) -> bytes:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        url = hf_hub_url(
            self.repo_id, path, repo_type=KIND, revision=revision, endpoint=self.endpoint
        )
        headers = build_hf_headers(token=self._token, library_name=LIBRARY)
        response = get_session().get(url, headers=headers, timeout=LOOK_SECONDS)
        hf_raise_for_status(response)
        return response.content

    def other_kind(self) -> str:
        """Return which other kind of repository has this name; empty where none has."""
        for kind in OTHER_KINDS:
            with self._asking("looking at the repository"):
                try:
                    self._api.repo_info(self.repo_id, repo_type=kind, timeout=LOOK_SECONDS)
                except OSError as error:
                    if status_of(error) is None:
                        raise
                else:
                    return kind
        return ""

    def create(self, *, private: bool) -> None:
        """Make the repository; one that somebody else has made meanwhile is as good.

        Raises:
            PublishError: If it may not be made, or a repository of another kind is in the way.
        """
        with self._asking("making the repository"):
            try:
                self._api.create_repo(self.repo_id, repo_type=KIND, private=private)
            except OSError as error:
                if status_of(error) != HTTPStatus.CONFLICT:
                    raise
            else:
                return
        if self.look() is None:
            raise PublishError(
                "a repository of this name exists, and it is no dataset",
                where=self.url,
                expected="a dataset, or a name that is free",
                remedy="Choose another name (published_dataset.repo_id)",
            )

    def upload(
        self, files: Sequence[HubFile], listing: bytes, *, threads: int, progress: Progress
    ) -> "list[CommitOperationAdd]":
        """Send what the Hub does not hold yet; nobody sees it until it is committed.

        Returns:
            The files and the listing, ready to commit.

        Raises:
            DamagedArtifactError: If a file is not what was written; nothing was sent.
            PublishError: If the Hub refuses one, or the connection breaks; what was sent by then
                is kept there, and need not be sent again.
        """
        from huggingface_hub import CommitOperationAdd

        with self._asking("sending files"):
            additions = [*hashed(files, progress), CommitOperationAdd(LISTING_NAME, listing)]
            # Of files with one content the Hub asks for one, and huggingface_hub would read that
            # one's stream from several threads at once. So the others come when it is there.
            firsts = {item.upload_info.sha256: item for item in reversed(additions)}
            others = [item for item in additions if firsts[item.upload_info.sha256] is not item]
            for group in (list(firsts.values()), others):
                if group:
                    self._api.preupload_lfs_files(
                        self.repo_id,
                        group,
                        repo_type=KIND,
                        revision=self._branch,
                        num_threads=threads,
                        free_memory=False,
                        # A .gitignore in the repository would take files out without a word.
                        gitignore_content="",
                    )
        return additions

    def start_branch(self, revision: str) -> None:
        """Make the branch, from a revision.

        Raises:
            PublishError: If it may not be made.
        """
        with self._asking("making the branch"):
            self._api.create_branch(
                self.repo_id,
                branch=self._branch,
                revision=revision,
                repo_type=KIND,
                exist_ok=True,
            )

    def commit(
        self,
        additions: "Sequence[CommitOperationAdd]",
        deleted: Sequence[str],
        *,
        parent: str,
        message: str,
    ) -> str:
        """Commit what `upload` gave, and return the new revision.

        Args:
            deleted: Paths to delete in the same commit.
            parent: The revision that the branch must still be at.

        Raises:
            PublishError: If the Hub refuses, or its answer did not arrive; then it may have
                committed all the same.
        """
        from huggingface_hub import CommitOperationDelete

        with self._asking("committing"):
            done = self._api.create_commit(
                self.repo_id,
                [*additions, *(CommitOperationDelete(path, is_folder=False) for path in deleted)],
                commit_message=message,
                repo_type=KIND,
                revision=self._branch,
                parent_commit=parent,
            )
        return done.oid
