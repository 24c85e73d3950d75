"""Which fate strikes which upload or batch."""

import mmap
from pathlib import Path

from tests.fake_openai.script import Fate, FateRule

UPLOADS = frozenset({Fate.UPLOAD_BROKEN, Fate.UPLOAD_UNANSWERED, Fate.UPLOAD_FAILED})

Struck = dict[Fate, FateRule]
"""The fates of one batch; of two rules with one fate, the first."""


class Fates:
    """Rules of fate as they go on: how many came and how often each rule has struck."""

    def __init__(self, rules: tuple[FateRule, ...]) -> None:
        self._rules = rules
        self._left = [rule.times for rule in rules]
        self._uploads = 0
        self._batches = 0

    def of_upload(self, path: Path) -> Struck:
        """Return what strikes the upload of what stands in a file."""
        self._uploads += 1
        return self._struck(path, self._uploads, uploads=True)

    def of_batch(self, path: Path) -> Struck:
        """Return what strikes the batch that is now asked for."""
        self._batches += 1
        return self._struck(path, self._batches, uploads=False)

    def _struck(self, path: Path, number: int, *, uploads: bool) -> Struck:
        found: Struck = {}
        for index, rule in enumerate(self._rules):
            fits = (rule.fate in UPLOADS) is uploads and rule.nth in (None, number)
            if not fits or self._left[index] == 0 or rule.fate in found:
                continue
            if rule.contains and not _holds(path, rule.contains.encode()):
                continue
            left = self._left[index]
            self._left[index] = left if left is None else left - 1
            found[rule.fate] = rule
        return found


def _holds(path: Path, text: bytes) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as held:
        return held.find(text) >= 0
