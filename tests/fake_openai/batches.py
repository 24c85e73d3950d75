"""One batch: its states, its times, and the object that clients see."""

import math
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import msgspec

from tests.fake_openai.fates import Struck
from tests.fake_openai.files import StoredFile
from tests.fake_openai.scanning import Problem, Scan, problem, too_many_tokens
from tests.fake_openai.script import BatchScript, Fate
from tests.fake_openai.working import Work

COUNTED = frozenset({"validating", "in_progress", "finalizing"})
"""States in which a batch's prompt tokens count as enqueued."""

ROUNDED = 1e-6
"""Added to a count of lines, so that half of ten is five whatever the times are rounded to."""

LIMIT_TOKENS = 90_000
"""The limit that is told where fate refuses a batch for its tokens and the script sets none."""

TIMES = (
    "in_progress",
    "finalizing",
    "completed",
    "failed",
    "expired",
    "cancelling",
    "cancelled",
)


@dataclass(slots=True, kw_only=True)
class Batch:
    """A batch from its creation on.

    Attributes:
        number: Batches that were made before it.
        status: OpenAI's word.
        at: When each status began, by the server's clock.
        looked: Retrievals so far.
        ended_looks: Retrievals since it is done.
        passed_over: Listings so far that could have shown it.
    """

    id: str
    number: int
    endpoint: str
    input_file_id: str
    metadata: dict[str, str] | None
    created_at: float
    script: BatchScript
    fates: Struck
    stream: BinaryIO
    scan: Scan
    status: str = "validating"
    at: dict[str, float] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    work: Work | None = None
    output: StoredFile | None = None
    errors: StoredFile | None = None
    looked: int = 0
    ended_looks: int = 0
    passed_over: int = 0

    @property
    def expires_at(self) -> float:
        """When its completion window ends."""
        return self.created_at + self.script.window_seconds

    def enter(self, status: str, then: float) -> None:
        """Take on a status."""
        self.status = status
        self.at[status] = then

    def due(self) -> float:
        """Return when its status changes next by itself; infinity if never."""
        script = self.script
        match self.status:
            case "validating":
                return min(self.created_at + script.validating_seconds, self.expires_at)
            case "in_progress":
                return min(self.at["in_progress"] + script.running_seconds, self.expires_at)
            case "finalizing":
                return self.at["finalizing"] + script.finalizing_seconds
            case "cancelling":
                return self.at["cancelling"] + script.cancelling_seconds
        return math.inf

    def wanted(self, then: float) -> int:
        """Return how many lines are done at a time while it runs."""
        lasting = self.script.running_seconds
        gone = then - self.at["in_progress"]
        done = 1.0 if gone >= lasting else gone / lasting
        for fate in (Fate.EXPIRED, Fate.CANCELLED):
            if fate in self.fates:
                done = min(done, self.fates[fate].share)
        return int(self.scan.total * done + ROUNDED)

    def found_wrong(self) -> list[Problem]:
        """Return what is wrong with the input, or what fate says is."""
        if Fate.FAILS in self.fates:
            return [self._failing(self.fates[Fate.FAILS].code)]
        return self.scan.problems

    def _failing(self, code: str) -> Problem:
        if code == "token_limit_exceeded":
            model = self.scan.model or ""
            return too_many_tokens(model, self.script.enqueued_tokens.get(model, LIMIT_TOKENS))
        return problem(code or "invalid_json_line", 1)

    def look(self) -> None:
        """Count a retrieval."""
        self.looked += 1
        self.ended_looks += self.output is not None

    def vanished(self) -> bool:
        """Tell whether it is gone for clients that have looked as often as they have."""
        rule = self.fates.get(Fate.VANISHES)
        return rule is not None and self.looked >= rule.count

    def told(self) -> dict[str, Any]:
        """Return the object that clients see."""
        value = self.described()
        late = self.fates.get(Fate.OUTPUT_LATE)
        if late and self.ended_looks <= late.count:
            value["output_file_id"] = None
        return value

    def described(self) -> dict[str, Any]:
        """Return OpenAI's batch object."""
        work = self.work
        counts = (self.scan.total, work.completed, work.failed) if work else (0, 0, 0)
        spent, made = work.usage if work else (0, 0)
        problems = {"object": "list", "data": msgspec.to_builtins(self.problems)}
        times = {f"{name}_at": _whole(self.at.get(name)) for name in TIMES}
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "model": self.scan.model,
            "errors": problems if self.problems else None,
            "input_file_id": self.input_file_id,
            "completion_window": "24h",
            "status": self.status,
            "output_file_id": self.output.id if self.output else None,
            "error_file_id": self.errors.id if self.errors else None,
            "created_at": int(self.created_at),
            "expires_at": int(self.expires_at),
            **times,
            "request_counts": dict(zip(("total", "completed", "failed"), counts, strict=True)),
            "usage": {
                "input_tokens": spent,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": made,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": spent + made,
            },
            "metadata": self.metadata,
        }


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)
