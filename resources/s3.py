"""The `s3` resource: endpoint and credentials of S3-compatible storage, as dagster-aws knows them.

What is not configured comes from AWS's own variables. dagster-aws takes more than a second to
import, so it is imported only when a place lies on S3.
"""

from collections.abc import Callable

import dagster as dg

from resonare_pipeline.artifacts.s3.client import S3Access, S3Client, connect

S3_KEY = "s3"

_TEXTS = {
    "endpoint_url": "Address of the storage; else AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL.",
    "region_name": "Region; else AWS_REGION or the profile's.",
    "profile_name": "Profile in AWS's files; else AWS_PROFILE.",
    "aws_access_key_id": "Access key; else AWS_ACCESS_KEY_ID or the profile's.",
    "aws_secret_access_key": "Secret key; else AWS_SECRET_ACCESS_KEY or the profile's.",
    "aws_session_token": "Session token; else AWS_SESSION_TOKEN.",
}
_SWITCHES = {
    "use_unsigned_session": "Ask without credentials, for what everybody may read.",
    "use_ssl": "Whether an endpoint without a scheme is spoken to over TLS.",
    "verify": "Whether certificates are verified.",
}
_CONFIG = {
    **{
        name: dg.Field(dg.StringSource, is_required=False, description=text)
        for name, text in _TEXTS.items()
    },
    **{
        name: dg.Field(bool, is_required=False, description=text)
        for name, text in _SWITCHES.items()
    },
    "max_attempts": dg.Field(
        int, is_required=False, description="Attempts at each request; else AWS_MAX_ATTEMPTS, or 5."
    ),
}


def _start(context: dg.InitResourceContext) -> Callable[[], S3Client]:
    config = dict(context.resource_config)

    def connect_as_configured() -> S3Client:
        from dagster_aws.s3 import S3Resource

        given = S3Resource(**config)
        return connect(
            S3Access(
                endpoint_url=given.endpoint_url,
                region_name=given.region_name,
                profile_name=given.profile_name,
                aws_access_key_id=given.aws_access_key_id,
                aws_secret_access_key=given.aws_secret_access_key,
                aws_session_token=given.aws_session_token,
                use_unsigned_session=given.use_unsigned_session,
                use_ssl=given.use_ssl,
                verify=given.verify,
                max_attempts=config.get("max_attempts"),
            )
        )

    return connect_as_configured


s3_resource = dg.ResourceDefinition(
    resource_fn=_start,
    config_schema=_CONFIG,
    description="S3-compatible storage (dagster_aws.s3.S3Resource), used for s3:// places alone.",
)
