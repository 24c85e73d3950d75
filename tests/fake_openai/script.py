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


class Fate(StrEnum):
    """One thing that goes wrong with an upload, with a batch as a whole, or with its files."""

    UPLOAD_BROKEN = "upload_broken"  # it breaks after the first piece; nothing is kept
    UPLOAD_UNANSWERED = "upload_unanswered"  # it breaks at the end; the file is kept
    UPLOAD_FAILED = "upload_failed"  # 500, and nothing is kept
    CREATE_BROKEN = "create_broken"  # the batch is made, the connection breaks
    CREATE_FAILED = "create_failed"  # 500, and no batch is made
    CREATE_FAILED_MADE = "create_failed_made"  # 500, although the batch is made
    LISTED_LATE = "listed_late"  # `count` listings do not show it
    RETRIEVE_FAILS = "retrieve_fails"  # `count` retrievals are answered 500
    VANISHES = "vanishes"  # 404 from the `count`-th retrieval on, and in no listing
    FAILS = "fails"  # validation fails with `code`
    EXPIRED = "expired"  # a `share` of the lines is done when its running time is over
    CANCELLED = "cancelled"  # the same, by the provider's hand
    STATUS = "status"  # once validated, it shows the status `code` for ever
    OUTPUT_LATE = "output_late"  # `count` retrievals of the finished one show no output_file_id
    OUTPUT_VANISHES = "output_vanishes"  # output_file_id is told, the file is 404
    ERRORS_VANISH = "errors_vanish"  # the same for error_file_id
    DOWNLOAD_BROKEN = "download_broken"  # `count` downloads of its files break midway
    LINES_FAIL = "lines_fail"  # a `share` ends with `fault`; 1: no output file at all
    LINES_LOST = "lines_lost"  # a `share` was run and stands in neither file
    LINES_REPEATED = "lines_repeated"  # a `share` stands there twice
    LINES_HALVED = "lines_halved"  # a `share` is half a JSON text
    LINES_SHUFFLED = "lines_shuffled"
    UNKNOWN_IDS = "unknown_ids"  # `count` lines more, with ids that nobody gave
    ERROR_WITHIN = "error_within"  # a `share` is HTTP 200 with `body.error` inside
    NO_CHOICES = "no_choices"  # a `share` is HTTP 200 with a body of the Responses API


class FateRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fate and which batches it strikes (of an upload: which uploads).

    Attributes:
        nth: It strikes only the n-th one created under this script, from 1; None: any.
        contains: It strikes only where the input file (an upload's first piece) holds this text.
        times: How many it strikes at most; None: all.
        share: Of lines, 0 to 1: drawn at random, and for `expired` and `cancelled` the first ones.
        count: Of retrievals, listings, downloads or lines.
        code: Of a failed validation, or an unknown status.
        fault: What becomes of lines that fail.
    """

    fate: Fate
    nth: int | None = None
    contains: str = ""
    times: int | None = None
    share: float = 1.0
    count: int = 1
    code: str = ""
    fault: Fault = Fault.INVALID


class BatchScript(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How batches go. Seconds are those of the server's clock, which tests can move.

    Attributes:
        clock_scale: How many seconds of the server's clock pass in a real one.
        validating_seconds: From creation until the lines begin to run, or all has failed.
        running_seconds: How long all lines take together; counts grow evenly meanwhile.
        finalizing_seconds: From the last line until the files are there.
        cancelling_seconds: From a cancellation until the files are there.
        window_seconds: After its creation, a batch that still runs expires.
        max_lines: More in a file fail validation.
        max_bytes: A longer file fails validation.
        enqueued_tokens: Prompt tokens of a model's unfinished batches; not listed: any number.
        rules: Faults of single lines; `Script.rules` strike after them.
    """

    clock_scale: float = 1.0
    validating_seconds: float = 0.0
    running_seconds: float = 0.0
    finalizing_seconds: float = 0.0
    cancelling_seconds: float = 0.0
    window_seconds: float = 86_400.0
    max_lines: int = 50_000
    max_bytes: int = 200_000_000
    enqueued_tokens: dict[str, int] = msgspec.field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    fates: tuple[FateRule, ...] = ()


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the server behaves.

    Attributes:
        keys: API keys that it takes; empty: any.
        models: Models that it knows; empty: any.
        context_tokens: Longer prompts are refused; 0: none is.
        output_tokens: What an answer is billed for, where `max_tokens` does not cap it.
        tool_calls: Requests with tools are answered by a call of the first.
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
    batches: BatchScript = msgspec.field(default_factory=BatchScript)


class Play:
    """Rules as they go on: what was drawn and how often each has struck."""

    def __init__(self, rules: tuple[Rule, ...], seed: int) -> None:
        self._rules = rules
        self._random = random.Random(seed)  # noqa: S311  # faults are drawn, not secrets
        self._left = [rule.times for rule in rules]

    def strike(
        self,
        body: bytes,
        *,
        unfit: frozenset[Fault] = frozenset(),
        drawn: random.Random | None = None,
    ) -> Rule | None:
        """Return the rule that strikes a request, if one does.

        Args:
            body: The request's body.
            unfit: Faults that cannot be had there; their rules do not strike and do not count.
            drawn: Where shares are drawn from; None: from what all requests share.
        """
        drawn = drawn or self._random
        for index, rule in enumerate(self._rules):
            left = self._left[index]
            if left == 0 or rule.fault in unfit:
                continue
            if rule.contains and rule.contains.encode() not in body:
                continue
            if rule.share < 1 and drawn.random() >= rule.share:
                continue
            if left is not None:
                self._left[index] = left - 1
            return rule
        return None
