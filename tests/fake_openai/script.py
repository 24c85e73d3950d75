"""What the fake server does wrong, when, and what it enforces. Data alone."""

import random
from enum import StrEnum

import msgspec


class Fault(StrEnum):
    """One way not to answer well."""

    RATE = "rate"  # 429 with Retry-After
    RATE_SILENT = "rate_silent"  # 429 without
    QUOTA = "quota"  # 429 insufficient_quota
    UNPAID = "unpaid"  # 402
    SERVER = "server"  # 500
    GATEWAY = "gateway"  # 504
    OVERLOADED = "overloaded"  # 503
    HANG = "hang"  # no answer at all
    DISCONNECT = "disconnect"  # the connection breaks in the middle of the body
    MALFORMED = "malformed"  # 200 and half a JSON text
    EMPTY = "empty"  # no content
    UNCOUNTED = "uncounted"  # an answer without usage
    LENGTH = "length"  # finish_reason length
    FILTER = "content_filter"
    REFUSAL = "refusal"
    INVALID = "invalid"  # 400
    FORBIDDEN = "forbidden"  # 403
    CONTEXT = "context"  # 400 context_length_exceeded


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault and when it comes.

    Attributes:
        share: Of requests that it strikes at random, 0 to 1.
        contains: It strikes only where the body holds this text.
        times: How often at most; None: always.
        retry_after_seconds: What `Retry-After` says.
    """

    fault: Fault
    share: float = 1.0
    contains: str = ""
    times: int | None = None
    retry_after_seconds: float = 0.1


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sliding window holds at most, and what runs at a time; None: as much as comes."""

    requests: int | None = None
    tokens: int | None = None
    running: int | None = None
    window_seconds: float = 60.0
    announced: bool = True


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the server behaves.

    Attributes:
        keys: API keys that it takes; empty: any.
        models: Models that it knows; empty: any.
        context_tokens: Longer prompts are refused; 0: none is.
        output_tokens: What an answer is billed for, where `max_tokens` does not cap it.
        tool_calls: Requests with tools are answered by a call of the first.
        keeps_bodies: Bodies of requests can be asked for (`GET /_bodies`).
    """

    seed: int = 0
    rules: tuple[Rule, ...] = ()
    limits: Limits = Limits()
    latency_seconds: float = 0.0
    keys: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    context_tokens: int = 0
    output_tokens: int = 12
    tool_calls: bool = True
    keeps_bodies: bool = False


class Play:
    """A script as it goes on: what was drawn and how often each rule has struck."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._random = random.Random(script.seed)  # noqa: S311  # faults are drawn, not secrets
        self._left = [rule.times for rule in script.rules]

    def strike(self, body: bytes) -> Rule | None:
        """Return the rule that strikes a request, if one does."""
        for index, rule in enumerate(self.script.rules):
            left = self._left[index]
            if left == 0 or (rule.contains and rule.contains.encode() not in body):
                continue
            if rule.share < 1 and self._random.random() >= rule.share:
                continue
            if left is not None:
                self._left[index] = left - 1
            return rule
        return None
