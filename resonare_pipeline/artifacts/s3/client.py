"""The client of S3-compatible storage: made from AWS's own variables, or from what is given here.

Nothing but `connect` touches boto3, whose import takes a third of a second.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

AWS_PREFIX = "AWS_"
CONNECT_SECONDS = 5  # a host that answers at all answers within that
READ_SECONDS = 60  # between two bytes: some servers are long silent while they join parts
ATTEMPTS = 5  # in all, with growing pauses; together half a minute at most

Answer = dict[str, Any]


class S3Client(Protocol):
    """What is used of boto3's client."""

    def get_object(self, **arguments: Any) -> Answer: ...  # noqa: D102  # documented by AWS
    def head_object(self, **arguments: Any) -> Answer: ...  # noqa: D102
    def put_object(self, **arguments: Any) -> Answer: ...  # noqa: D102
    def delete_object(self, **arguments: Any) -> Answer: ...  # noqa: D102
    def list_objects_v2(self, **arguments: Any) -> Answer: ...  # noqa: D102
    def create_multipart_upload(self, **arguments: Any) -> Answer: ...  # noqa: D102
    def upload_part(self, **arguments: Any) -> Answer: ...  # noqa: D102
    def complete_multipart_upload(self, **arguments: Any) -> Answer: ...  # noqa: D102
    def abort_multipart_upload(self, **arguments: Any) -> Answer: ...  # noqa: D102
    def list_multipart_uploads(self, **arguments: Any) -> Answer: ...  # noqa: D102
    def list_parts(self, **arguments: Any) -> Answer: ...  # noqa: D102

    def copy(self, CopySource: Answer, Bucket: str, Key: str) -> None:  # noqa: N803  # its names
        """Copy an object of any size within the storage."""
        ...


Connect = Callable[[], S3Client]
"""Makes the client, or returns the one that was made before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Access:
    """What is set apart from AWS's own variables; None leaves it to those."""

    endpoint_url: str | None = None
    region_name: str | None = None
    profile_name: str | None = None
    aws_access_key_id: str | None = None
    aws_secret_access_key: str | None = None
    aws_session_token: str | None = None
    use_unsigned_session: bool = False
    use_ssl: bool = True
    verify: bool | None = None
    max_attempts: int | None = None


def connect(access: S3Access | None = None) -> S3Client:
    """Return the client for an access, the same one while the environment stays the same.

    Raises:
        StoreError: If the profile does not exist, or the endpoint is no address.
    """
    variables = tuple(sorted(item for item in os.environ.items() if item[0].startswith(AWS_PREFIX)))
    return _connected(access or S3Access(), variables)


@lru_cache(maxsize=4)
def _connected(access: S3Access, variables: tuple[tuple[str, str], ...]) -> S3Client:
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    from resonare_pipeline.artifacts.s3.errors import s3_errors

    attempts = access.max_attempts
    if attempts is None and "AWS_MAX_ATTEMPTS" not in dict(variables):
        attempts = ATTEMPTS
    config = Config(
        retries={"mode": "standard"} | ({"total_max_attempts": attempts} if attempts else {}),
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        signature_version=UNSIGNED if access.use_unsigned_session else None,
    )
    with s3_errors(access.endpoint_url or "s3://"):
        client: S3Client = boto3.session.Session(profile_name=access.profile_name).client(
            "s3",
            endpoint_url=access.endpoint_url,
            # botocore itself reads AWS_DEFAULT_REGION alone; AWS's other tools read both.
            region_name=access.region_name or dict(variables).get("AWS_REGION") or None,
            aws_access_key_id=access.aws_access_key_id,
            aws_secret_access_key=access.aws_secret_access_key,
            aws_session_token=access.aws_session_token,
            use_ssl=access.use_ssl,
            verify=access.verify,
            config=config,
        )
    return client
