"""What the Hub's refusals and broken connections mean for a person, and what to do.

huggingface_hub's own errors never go on as causes: they hold whole requests, and addresses of
uploads, which are signed. What the Hub itself says is shown, shortened, with the token taken out.
"""

import contextlib
from collections.abc import Iterator
from http import HTTPStatus
from json import JSONDecodeError

from resonare_pipeline.errors import PublishError, ResonareError

LONGEST_WORDS = 300  # characters of the Hub's own words

_NOTHING = "Nothing was published"
_AGAIN = f"{_NOTHING}. Publish again later: what was sent by now is not sent again"
_MEANWHILE = f"{_NOTHING}. Publish again; it looks at the repository anew"

_BY_STATUS: dict[int, tuple[str, str]] = {
    400: ("the Hub refuses the request", _NOTHING),
    401: (
        "the Hub does not accept the token",
        f"{_NOTHING}. Make a token with write access at {{endpoint}}/settings/tokens, and set "
        "HF_TOKEN in the environment or in .env",
    ),
    402: ("the Hub asks for payment", _NOTHING),
    403: (
        "the token may not do this",
        f"{_NOTHING}. Give the token write access to this name at {{endpoint}}/settings/tokens, or "
        "choose another one (published_dataset.repo_id)",
    ),
    404: (
        "no such repository, or no such user or organization",
        f"{_NOTHING}. Check published_dataset.repo_id, published_dataset.branch and HF_ENDPOINT",
    ),
    409: ("the repository was changed at the same time", _MEANWHILE),
    412: ("the repository was changed at the same time", _MEANWHILE),
    413: (
        "what was sent is too large for the Hub",
        f"{_NOTHING}. Let the dataset have smaller or fewer files",
    ),
    429: ("too many requests", _AGAIN),
    507: ("the storage of this account is full", f"{_NOTHING}. Free some space on the Hub"),
}
_GATED = (
    "the repository is gated, and this account has no access to it",
    f"{_NOTHING}. Ask for access on its page, or choose another name (published_dataset.repo_id)",
)
OFFLINE = (
    "the Hub is not asked, since HF_HUB_OFFLINE is set",
    f"{_NOTHING}. Unset HF_HUB_OFFLINE, or publish with --no-upload",
)
_BROKEN = (
    f"{_NOTHING}. Check the network and HF_ENDPOINT, and publish again: what was sent by now is "
    "not sent again"
)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status behind an error of huggingface_hub; None where there is none."""
    from huggingface_hub.errors import HfHubHTTPError

    return error.response.status_code if isinstance(error, HfHubHTTPError) else None


@contextlib.contextmanager
def hub_errors(where: str, *, endpoint: str, token: str, doing: str) -> Iterator[None]:
    """Turn what goes wrong at the Hub into errors that say where and what to do.

    Args:
        where: The repository.
        endpoint: Address of the Hub, for links in messages.
        token: Taken out of whatever is shown.
        doing: What is being done, as it stands after "while".

    Raises:
        PublishError: For all that the Hub or the connection to it is the cause of.
    """
    try:
        yield
    except ResonareError:
        raise
    except Exception as error:
        cause = _cause(error)
        if isinstance(cause, ResonareError):
            raise cause from None
        explained = _explained(cause)
        if explained is None:
            raise
        found, remedy = explained
        raise PublishError(
            f"{found} (while {doing})".replace(token, "***"),
            where=where,
            remedy=remedy.format(endpoint=endpoint),
        ) from None


def _cause(error: Exception) -> BaseException:
    """Return what is behind the wrapper that huggingface_hub puts around failures of threads."""
    return error.__cause__ or error if type(error) is RuntimeError else error


def _explained(error: BaseException) -> tuple[str, str] | None:
    """Return what was found and what to do; None for what is neither the Hub nor its library."""
    # HTTPError is httpx's own base class, of the version that huggingface_hub uses.
    from huggingface_hub.errors import (
        GatedRepoError,
        HTTPError,
        OfflineModeIsEnabled,
    )

    status = status_of(error)
    if isinstance(error, GatedRepoError):
        return _GATED
    if status is not None:
        found, remedy = _BY_STATUS.get(status) or _other(status)
        said = _words(getattr(error, "server_message", None) or "")
        return f"{found} ({status}){': ' if said else ''}{said}", remedy
    if isinstance(error, OfflineModeIsEnabled):
        return OFFLINE
    if isinstance(error, HTTPError):
        return f"the connection failed: {_words(str(error)) or type(error).__name__}", _BROKEN
    if isinstance(error, JSONDecodeError | KeyError):
        return "what answers is no Hub", f"{_NOTHING}. Check HF_ENDPOINT"
    if isinstance(error, ValueError):
        return f"huggingface_hub refuses: {_words(str(error))}", _NOTHING
    return None


def _other(status: int) -> tuple[str, str]:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "the Hub failed", _AGAIN
    return "the Hub refuses the request", _NOTHING


def _words(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_WORDS else f"{line[:LONGEST_WORDS]} …"
