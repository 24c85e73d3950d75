"""Why a record is left out."""

from enum import StrEnum

from resonare_pipeline.errors import InputError


class DropReason(StrEnum):
    """Why a record cannot be filled, whatever a model says; `Failure` holds the other reasons."""

    NOT_JSON = "not_json"  # text that is no JSON value, or is cut off
    TOO_LONG = "too_long"  # more bytes than `LONGEST_RECORD_BYTES`
    NOT_AN_OBJECT = "not_an_object"
    NO_MESSAGES = "no_messages"  # of no known shape
    MESSAGES_NOT_LIST = "messages_not_list"
    BAD_TURN = "bad_turn"  # no object, or content that is neither text nor parts
    UNKNOWN_ROLE = "unknown_role"
    BAD_TOOLS = "bad_tools"
    NO_CONTEXT = "no_context"  # the turn to be filled is the first
    TOOL_RESULT_MISSING = "tool_result_missing"  # a tool was called, and the next turn ignores it
    BAD_ANSWER = "bad_answer"  # a model's, with calls or content that are none
    UNEXPECTED = "unexpected"  # an error that nobody foresaw, of this record alone
    DOES_NOT_FIT = "does_not_fit"  # the answer has no place in the column's type
    ANSWER_MISSING = "answer_missing"  # among the answers that were made for this very input


class UnusableRecordError(InputError):
    """A record that is left out.

    Attributes:
        reason: Why.
    """

    def __init__(self, reason: DropReason, found: str) -> None:
        super().__init__(found)
        self.reason = reason


RECORD_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What a record can cause that nobody foresaw. Failures of disk, network or memory are none."""
