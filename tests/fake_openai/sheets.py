"""An output or error file while it is written, with what fate does to its lines."""

import random
from array import array
from pathlib import Path

import msgspec

from tests.fake_openai.fates import Struck
from tests.fake_openai.script import Fate

CHUNK_BYTES = 1 << 16


class Sheet:
    """Lines that go to a file; a fate may lose, repeat, halve or shuffle them."""

    def __init__(self, path: Path, fates: Struck, drawn: random.Random) -> None:
        self.path = path
        self.lines = 0
        self._stream = path.open("wb", buffering=CHUNK_BYTES)
        self._fates = fates
        self._drawn = drawn

    def write(self, line: bytes) -> None:
        """Add a line, given without its end."""
        if self._fates:
            if self._strikes(Fate.LINES_LOST):
                return
            if self._strikes(Fate.LINES_HALVED):
                line = line[: len(line) // 2]
            if self._strikes(Fate.LINES_REPEATED):
                self._put(line)
        self._put(line)

    def close(self) -> None:
        """End the file."""
        rule = self._fates.get(Fate.UNKNOWN_IDS)
        for number in range(rule.count if rule and self.lines else 0):
            self._put(_unknown(number))
        self._stream.close()
        if Fate.LINES_SHUFFLED in self._fates:
            _shuffle(self.path, self._drawn)

    def drop(self) -> None:
        """Leave the file as it is."""
        self._stream.close()

    def _put(self, line: bytes) -> None:
        self.lines += 1
        self._stream.write(line)
        self._stream.write(b"\n")

    def _strikes(self, fate: Fate) -> bool:
        rule = self._fates.get(fate)
        return rule is not None and self._drawn.random() < rule.share


def _unknown(number: int) -> bytes:
    body = {"error": {"message": "Unknown", "type": "scripted", "param": None, "code": None}}
    line = {
        "id": f"batch_req_unknown{number}",
        "custom_id": f"unknown-{number}",
        "response": {"status_code": 200, "request_id": f"unknown{number}", "body": body},
        "error": None,
    }
    return msgspec.json.encode(line)


def _shuffle(path: Path, drawn: random.Random) -> None:
    """Bring a file's lines into another order, holding no more than one of them."""
    starts = array("Q")
    with path.open("rb") as stream:
        starts.append(0)
        starts.extend(stream.tell() for _ in iter(stream.readline, b""))
        starts.pop()
        drawn.shuffle(starts)
        mixed = path.with_suffix(".mixed")
        with mixed.open("wb") as target:
            for start in starts:
                stream.seek(start)
                target.write(stream.readline())
    mixed.replace(path)
