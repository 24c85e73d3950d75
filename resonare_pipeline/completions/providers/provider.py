"""What the engine asks of a provider."""

import ssl
from collections.abc import Iterator
from typing import Protocol

import msgspec

from resonare_pipeline.completions.answers import Judged, judge_error
from resonare_pipeline.completions.limits import Announcement
from resonare_pipeline.completions.requests import CompletionRequest, Failure

CUT_OFF_STATUSES = (408, 499, 502, 504, 524)
"""Of gateways that did not wait for an answer, or lost it: the model may go on writing."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of sending a request once.

    Attributes:
        announced: What the headers say; None if there was no answer at all.
        is_permanent: Sending it again cannot help, whatever the failure says.
        is_unknown: It was sent and no answer came, so it may have been billed.
    """

    judged: Judged
    status: int = 0
    announced: Announcement | None = None
    is_permanent: bool = False
    is_unknown: bool = False


class Client(Protocol):
    """A provider, ready to be asked."""

    async def send(self, request: CompletionRequest) -> Reply:
        """Send a request once; raises for nothing that a provider or a network can do."""
        ...

    def output_limit(self, request: CompletionRequest) -> int | None:
        """Return the most tokens of an answer by the body that is really sent, if it says so."""
        ...

    async def models(self) -> list[str]:
        """Return the names of the models that are offered; none where they are not told."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def error_reply(status: int, body: object, announced: Announcement) -> Reply:
    """Describe an answer whose status is an error.

    Args:
        status: Of HTTP.
        body: As decoded from JSON; anything else if it is none.
        announced: What the headers say.
    """
    judged = judge_error(status, body)
    return Reply(
        judged=judged,
        status=status,
        announced=announced,
        is_permanent=judged.failure is Failure.NETWORK,
        is_unknown=status in CUT_OFF_STATUSES,
    )


def network_reply(error: BaseException, address: str, timeout_seconds: float) -> Reply:
    """Describe a connection that could not be made, broke or took too long."""
    causes = list(_causes(error))
    name = " ".join(type(cause).__name__ for cause in causes)
    certificate = next((c for c in causes if isinstance(c, ssl.SSLError)), None)
    if certificate is not None or "Certificate" in name or "SSL" in name:
        reason = getattr(certificate, "verify_message", "") or str(certificate or causes[-1])
        detail = f"{address}: no secure connection: {reason}"
        return _failed(detail, is_permanent=True)
    if "Refused" in name or "ConnectorError" in name or "ConnectError" in name:
        reason = str(causes[-1]) or name
        return _failed(f"{address}: no connection: {reason}")
    if "Timeout" in name:
        detail = f"{address}: no answer within {timeout_seconds:g} seconds"
        return _failed(detail, is_unknown=True)
    return _failed(f"{address}: the connection broke", is_unknown=True)


def _failed(detail: str, *, is_permanent: bool = False, is_unknown: bool = False) -> Reply:
    judged = Judged(failure=Failure.NETWORK, detail=detail)
    return Reply(judged=judged, is_permanent=is_permanent, is_unknown=is_unknown)


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
