"""Where a dataset is published and as whom: repository, branch, address of the Hub, token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from resonare_pipeline.datasets.hub import DEFAULT_BRANCH
from resonare_pipeline.datasets.hub_errors import OFFLINE
from resonare_pipeline.errors import PublishError, SettingsError
from resonare_pipeline.settings import EXECUTION, Section


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
    return Access(token=token, endpoint=_endpoint(environ.get("HF_ENDPOINT", "").strip()))


def _endpoint(text: str) -> str | None:
    """Check an address, which messages and `published.json` show; so it must hold no secret."""
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not text:
        return None
    if not is_address or parts.username or parts.password:
        raise PublishError("HF_ENDPOINT is no address", expected="https://host, without a password")
    return text
