"""What S3-compatible storage refuses, in the words of the project: where, why, and what to do."""

import contextlib
from collections.abc import Iterator

from botocore import exceptions as boto

from resonare_pipeline.errors import FileChangedError, MissingFileError, StoreError

MISSING = frozenset({"NoSuchKey", "NoSuchUpload", "404", "NotFound"})
CHANGED = frozenset({"PreconditionFailed", "412"})
BEYOND_END = frozenset({"InvalidRange", "416"})

_BUCKET = "Create the bucket, or correct its name in RESONARE_RAW, RESONARE_STORE, RESONARE_OUTPUT"
_PERMISSION = "Give these credentials the permissions listed in docs/operations.md"
_KEYS = "Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_NO_KEYS = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, also in .env"
_REACH = "Check AWS_ENDPOINT_URL and the network, then run again"
_LATER = "Run again later, or with fewer runs at a time: what is made stays made"
_REGION = "Set AWS_REGION to the region of the bucket"

_BY_CODE = {
    "NoSuchBucket": ("no such bucket", _BUCKET),
    "InvalidBucketName": ("no name of a bucket", _BUCKET),
    "AccessDenied": ("access denied", _PERMISSION),
    "AllAccessDisabled": ("access denied", _PERMISSION),
    "403": ("access denied", _PERMISSION),
    "Forbidden": ("access denied", _PERMISSION),
    "InvalidAccessKeyId": ("the access key is unknown", _KEYS),
    "SignatureDoesNotMatch": ("the secret key is wrong", _KEYS),
    "ExpiredToken": ("the session has expired", "Log in again"),
    "InvalidToken": ("the session token is wrong", _KEYS),
    "RequestTimeTooSkewed": ("this machine's clock is wrong", "Set the clock"),
    "AuthorizationHeaderMalformed": ("the bucket is in another region", _REGION),
    "PermanentRedirect": ("the bucket is in another region", _REGION),
    "301": ("the bucket is in another region", _REGION),
    "SlowDown": ("too many requests", _LATER),
    "Throttling": ("too many requests", _LATER),
    "ThrottlingException": ("too many requests", _LATER),
    "RequestLimitExceeded": ("too many requests", _LATER),
    "TooManyRequests": ("too many requests", _LATER),
    "429": ("too many requests", _LATER),
    "503": ("the storage is overloaded", _LATER),
    "ServiceUnavailable": ("the storage is overloaded", _LATER),
    "InternalError": ("the storage failed", _LATER),
    "500": ("the storage failed", _LATER),
    "EntityTooLarge": ("the file is too large for the storage", ""),
    "QuotaExceeded": ("the storage is full", "Free some space"),
    "XMinioStorageFull": ("the storage is full", "Free some space"),
}
_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.NoAuthTokenError,
    boto.TokenRetrievalError,
    boto.SSOError,
    boto.LoginError,
)
_NETWORK = (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError)


@contextlib.contextmanager
def s3_errors(where: str) -> Iterator[None]:
    """Turn a refusal or a broken connection into an error that says where and what to do."""
    try:
        yield
    except boto.ClientError as error:
        raise _refused(error, where) from error
    except boto.BotoCoreError as error:
        raise _not_asked(error, where) from error
    except ValueError as error:  # an endpoint that is no address
        raise StoreError(str(error), where=where, remedy=_REACH) from error


def code_of(error: boto.ClientError) -> str:
    """Return the storage's own code for a refusal; of an answer without a body, its HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _refused(error: boto.ClientError, where: str) -> StoreError:
    code = code_of(error)
    if code in MISSING:
        return MissingFileError("No such file", where=where)
    if code in CHANGED:
        return changed(where)
    status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    known = _BY_CODE.get(code) or _BY_CODE.get(status)
    message = str(error.response.get("Error", {}).get("Message", "")).strip()
    found, remedy = known or (message or str(error), "")
    return StoreError(f"{found} ({code})" if code else found, where=where, remedy=remedy)


def _not_asked(error: boto.BotoCoreError, where: str) -> StoreError:
    """Explain why a request never had an answer."""
    if isinstance(error, _CREDENTIALS):
        return StoreError("no credentials for S3", where=where, remedy=_NO_KEYS)
    if isinstance(error, boto.ProfileNotFound):
        return StoreError(str(error), where=where, remedy=_NO_KEYS)
    if isinstance(error, _NETWORK):
        return StoreError(f"the storage cannot be reached: {error}", where=where, remedy=_REACH)
    return StoreError(str(error), where=where)


def changed(where: str) -> FileChangedError:
    """Return the error of an object that is replaced while it is being read."""
    return FileChangedError(
        "changed while being read", where=where, remedy="Run again when the file is complete"
    )
