"""Why a link gave nothing, and which of these reasons asking again may change."""

from enum import StrEnum


class LinkFailure(StrEnum):
    """Why there is nothing to tell of a link."""

    BAD_URL = "bad_url"  # no http(s) address, or one with a password in it
    NO_ENDPOINT = "no_endpoint"  # a post, and no oEmbed endpoint is set
    PRIVATE_ADDRESS = "private_address"  # as a number in the link, or `localhost`
    NO_SUCH_HOST = "no_such_host"
    BAD_CERTIFICATE = "bad_certificate"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    GONE = "gone"  # 404, 410
    REFUSED = "refused"  # any other 4xx
    NOT_A_PAGE = "not_a_page"
    NO_TITLE = "no_title"
    TOO_LARGE = "too_large"  # an answer of the oEmbed endpoint
    UNREACHABLE = "unreachable"  # failed in a retryable way too often

    TIMED_OUT = "timed_out"
    UNCONNECTED = "unconnected"  # refused, reset, or closed in the middle
    TLS_FAILED = "tls_failed"  # but for certificates
    NAME_UNRESOLVED = "name_unresolved"  # the resolver does not know for now
    PRIVATE_NAME = "private_name"  # the resolver says a private address for now
    OFFLINE = "offline"  # this machine reaches no host
    ENDPOINT_FAILED = "endpoint_failed"  # the oEmbed endpoint refuses, and has told of no post
    RATE_LIMITED = "rate_limited"  # 429
    SERVER_ERROR = "server_error"  # 408, 425, 5xx
    BAD_ANSWER = "bad_answer"  # no HTTP, or no oEmbed


NETWORK = frozenset(
    {
        LinkFailure.TIMED_OUT,
        LinkFailure.UNCONNECTED,
        LinkFailure.TLS_FAILED,
        LinkFailure.NAME_UNRESOLVED,
        LinkFailure.PRIVATE_NAME,
    }
)
"""Failures that this machine's own network may be the reason of."""

RETRYABLE = NETWORK | {
    LinkFailure.OFFLINE,
    LinkFailure.ENDPOINT_FAILED,
    LinkFailure.RATE_LIMITED,
    LinkFailure.SERVER_ERROR,
    LinkFailure.BAD_ANSWER,
}
"""Failures that asking again may change. All others are final."""


OF_SETTINGS = frozenset({LinkFailure.PRIVATE_ADDRESS, LinkFailure.NO_ENDPOINT})
"""Failures that are final until settings change that are no part of a link's key."""


class FetchError(Exception):
    """A link gave nothing. It never leaves this package, and holds no address.

    Args:
        failure: Why.
        retry_after_seconds: How long the server wants to be left alone; 0 if it does not say.
        is_elsewhere: Whether it happened at another host, which a redirect led to.
        was_asked: Whether it was this link that failed; else its host was given up before.

    Attributes:
        is_endpoints: Whether it was the oEmbed endpoint that failed, and not the link itself.
    """

    def __init__(
        self,
        failure: LinkFailure,
        *,
        retry_after_seconds: float = 0.0,
        is_elsewhere: bool = False,
        was_asked: bool = True,
    ) -> None:
        super().__init__(failure.value)
        self.failure = failure
        self.retry_after_seconds = retry_after_seconds
        self.is_elsewhere = is_elsewhere
        self.was_asked = was_asked
        self.is_endpoints = False
