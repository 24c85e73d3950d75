"""Every error the project raises on purpose.

    ResonareError
    ├── SettingsError        a setting or environment value that cannot be used
    ├── InputError           raw input that cannot be read as what it should be
    │   ├── UnknownPartitionError   no raw input of that name
    │   ├── UnknownExampleError     no row of that id, or several
    │   ├── UnknownBatchError       no batch of that id
    │   ├── UnknownPersonError      nobody of that id or name, or several people
    │   ├── UnusableNameError       raw input whose name cannot be a partition's
    │   ├── MissingColumnsError     a table without columns that it must have
    │   ├── ValidationError         training examples that are not fit to train on
    │   └── InputChangedError       raw input changed while it was being read
    ├── TokenizerError       a tokenizer that cannot be loaded or used
    ├── StoreError           the store, raw or output location cannot be read or written
    │   ├── DamagedArtifactError    a file behind a manifest is missing or altered
    │   ├── MissingFileError        no file of that name
    │   └── FileChangedError        a file was replaced while it was being read
    ├── PublishError         something that the Hub refuses, or that must not be published
    ├── StageError           a stage that cannot run as it was asked
    │   ├── UnansweredError         requests that failed for now; nothing was committed
    │   └── WaitingError            what was asked for is under way; nothing was committed
    ├── BudgetError          what was asked would cost more than was allowed
    ├── CacheError           the cache of answers cannot be opened, read or written
    ├── CheckFailedError     a blocking check failed on staged output; nothing was committed
    └── FingerprintError     a value without a stable form

Each message says what was found, where, what was expected, and what to do about it. The command
line prints that message and no traceback. Nothing here may import another project module.
"""

from typing import Any


class ResonareError(Exception):
    """Base of all errors that a person can act on.

    Args:
        found: What is wrong, as one clause.
        where: File, byte, record, setting or partition that it was found in.
        expected: What would have been right.
        remedy: What the person can do.
    """

    def __init__(
        self, found: str, *, where: str = "", expected: str = "", remedy: str = ""
    ) -> None:
        self.found = found
        self.where = where
        self.expected = expected
        self.remedy = remedy
        super().__init__(found)  # alone: OSError takes further arguments for errno and file names

    def __str__(self) -> str:
        text = f"{self.where}: {self.found}" if self.where else self.found
        if self.expected:
            text += f"; expected {self.expected}"
        if self.remedy:
            text += f". {self.remedy}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the keyword fields when an error crosses a process border."""
        state = {
            "found": self.found,
            "where": self.where,
            "expected": self.expected,
            "remedy": self.remedy,
        }
        return (_rebuild, (type(self), state))


def _rebuild(kind: type[ResonareError], state: dict[str, str]) -> ResonareError:
    return kind(
        state["found"],
        where=state["where"],
        expected=state["expected"],
        remedy=state["remedy"],
    )


class SettingsError(ResonareError, ValueError):
    """A setting or environment value that is unknown, of the wrong type or contradictory."""


class InputError(ResonareError, ValueError):
    """Raw input that cannot be read as what it should be."""


class UnknownPartitionError(InputError, KeyError):
    """No raw input of that name exists."""


class UnknownExampleError(InputError, KeyError):
    """No row of training data has that id, or several begin so."""


class UnknownPersonError(InputError, KeyError):
    """Nobody of that id or name occurs in what was read, or several people do."""


class UnknownBatchError(InputError, KeyError):
    """The ledger has no batch of that id."""


class UnusableNameError(InputError):
    """Raw input whose name cannot be a partition's."""


class MissingColumnsError(InputError, KeyError):
    """A table lacks columns that it must have."""


class ValidationError(InputError):
    """Training examples that are not fit to train on.

    Attributes:
        errors: Every error, with the place of its example.
    """

    errors: tuple[str, ...] = ()


class InputChangedError(InputError):
    """Raw input changed while it was being read; nothing was committed."""


class TokenizerError(ResonareError, ValueError):
    """A tokenizer that cannot be loaded or used."""


class StoreError(ResonareError, OSError):
    """The store, the raw inputs or the output folder cannot be read or written."""


class DamagedArtifactError(StoreError):
    """A file behind a manifest is missing or is not what was written."""


class MissingFileError(StoreError, FileNotFoundError):
    """There is no file of that name."""


class FileChangedError(StoreError):
    """A file was replaced while it was being read."""


class PublishError(ResonareError, OSError):
    """The Hub refuses or cannot be reached, or something must not be published."""


class StageError(ResonareError, RuntimeError):
    """A stage that cannot run as it was asked."""


class UnansweredError(StageError):
    """Requests that failed for reasons that asking again may change; nothing was committed."""


class WaitingError(StageError):
    """What was asked for is under way elsewhere, as in a batch; a later run goes on with it."""


class BudgetError(ResonareError, RuntimeError):
    """What was asked would cost more than was allowed, or nobody knows what it would cost."""


class CacheError(ResonareError, OSError):
    """The cache of answers cannot be opened, read or written."""


class CheckFailedError(StageError):
    """A blocking check failed on staged output; nothing was committed.

    Attributes:
        checks: What every check of the stage found, those that passed included.
    """

    checks: tuple[Any, ...] = ()


class FingerprintError(ResonareError, TypeError):
    """A value that has no stable form, so that nothing may be cached by it."""
