"""Batch input files that somebody brings: each line is looked at before anything is sent.

Format: OpenAI's Batch API, as at `lines`. Files stream through; what is kept of a line is 16 bytes
of its id, to know it again. Nothing is written here.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from resonare_pipeline.completions.requests import BATCH_BYTES, CHAT_URL
from resonare_pipeline.errors import InputError
from resonare_pipeline.progress import Progress, silent

ANSWERED_URLS = (CHAT_URL, "/v1/responses", "/v1/completions")
SHORT_URLS = ("/v1/embeddings", "/v1/moderations")
URLS = (
    *ANSWERED_URLS,
    *SHORT_URLS,
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/videos",
)
"""Endpoints that lines can be sent to, as OpenAI's description of creating a batch lists them."""

BOM = b"\xef\xbb\xbf"
REPORTED_LINES = 500
NAMED = 5  # further lines that are at fault, by number
A_LINE = '{"custom_id": …, "method": "POST", "url": "/v1/…", "body": {"model": …, …}}'


class InputText(msgspec.Struct, frozen=True):
    """A line as it stands in a file.

    Attributes:
        number: Of the line, from 1; blank ones count.
        text: Without its end.
    """

    number: int
    text: bytes


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an input file that is what it should be.

    Attributes:
        number: Of the line, from 1.
        text: The line as it stands there, without its end.
    """

    number: int
    text: bytes
    custom_id: str
    url: str
    model: str
    body: dict[str, Any]

    @property
    def size(self) -> int:
        """Bytes that it takes in a file, its end included."""
        return len(self.text) + 1


class _Head(msgspec.Struct):
    model: str


class _Line(msgspec.Struct):
    custom_id: str
    url: str
    body: msgspec.Raw


class KnownRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was looked at before, as far as it is needed to find its place."""

    number: int
    text: bytes
    custom_id: str
    url: str
    model: str


@dataclass(slots=True)
class InputFile:
    """An input file, read from its beginning by each method.

    Attributes:
        report: Is told how far a reading is, in bytes.
        digest: SHA-256 of its bytes, hexadecimal, once it was read to its end; else empty.
    """

    path: Path
    report: Progress = silent
    digest: str = field(default="", init=False)

    def texts(self) -> Iterator[InputText]:
        """Yield the lines that are not blank.

        Raises:
            InputError: If there is no such file, or a line is longer than any file of a batch.
        """
        hasher = hashlib.sha256()
        with _opened(self.path) as stream:
            number = 0
            size = self.path.stat().st_size
            while text := stream.readline(BATCH_BYTES + 1):
                number += 1
                if len(text) > BATCH_BYTES:
                    raise InputError(
                        f"a line of more than {BATCH_BYTES:,} bytes",
                        where=_place(self.path, number),
                        expected="one request a line; that is the most that a batch's file holds",
                    )
                hasher.update(text)
                if number % REPORTED_LINES == 0:
                    self.report(stream.tell(), size, "bytes")
                text = text.removeprefix(BOM).strip() if number == 1 else text.strip()
                if text:
                    yield InputText(number, text)
        self.digest = hasher.hexdigest()

    def checked(self) -> Iterator[Request]:
        """Yield the requests; after the first line that is none, only look for further ones.

        Raises:
            InputError: At the end, for lines that are no requests, and if there is no line at all.
        """
        problems = _Problems(self.path)
        seen: dict[bytes, int] = {}
        for line in self.texts():
            try:
                request = read_request(line)
                _require_new(request, seen)
            except InputError as error:
                problems.add(line.number, error)
                continue
            if not problems:
                yield request
        problems.settle()
        if not seen:
            raise InputError("no request in it", where=str(self.path), expected=A_LINE)

    def known(self) -> Iterator[KnownRequest]:
        """Yield the requests of a file that was checked before, in a fraction of the time."""
        for line in self.texts():
            found = msgspec.json.decode(line.text, type=_Line)
            yield KnownRequest(
                number=line.number,
                text=line.text,
                custom_id=found.custom_id,
                url=found.url,
                model=msgspec.json.decode(found.body, type=_Head).model,
            )


def _require_new(request: Request, seen: dict[bytes, int]) -> None:
    before = seen.setdefault(short_id(request.custom_id), request.number)
    if before != request.number:
        raise InputError(
            f"the custom_id {shown(request.custom_id)} stands in line {before} too",
            expected="an id of its own for each line",
        )


class _Problems:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._first: tuple[int, InputError] | None = None
        self._more: list[int] = []
        self._count = 0

    def __bool__(self) -> bool:
        return self._first is not None

    def add(self, number: int, error: InputError) -> None:
        self._count += 1
        if self._first is None:
            self._first = number, error
        elif len(self._more) < NAMED:
            self._more.append(number)

    def settle(self) -> None:
        if self._first is None:
            return
        number, error = self._first
        found = error.found
        if self._more:
            named = ", ".join(map(str, self._more))
            dots = ", …" if self._count - 1 > len(self._more) else ""
            found += f" ({self._count - 1:,} more lines are at fault: {named}{dots})"
        raise InputError(
            found,
            where=_place(self._path, number),
            expected=error.expected,
            remedy=error.remedy or "Nothing was written or sent; mend the file",
        )


def read_request(line: InputText) -> Request:
    """Read a line.

    Raises:
        InputError: If it is no request; without its place.
    """
    try:
        found = msgspec.json.decode(line.text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"no JSON: {_said(error)}", expected=A_LINE) from error
    if not isinstance(found, dict):
        raise InputError("it is no JSON object", expected=A_LINE)
    _refuse_results(found)
    custom_id = _text(found, "custom_id")
    method, url = _text(found, "method"), _text(found, "url")
    if method != "POST":
        raise InputError(f"its method is {shown(method)}", expected='"POST"')
    if url not in URLS:
        raise InputError(f"its url is {shown(url)}", expected=", ".join(URLS))
    body = found.get("body")
    if not isinstance(body, dict):
        raise InputError("it has no body", expected=A_LINE)
    model = _text(body, "model", shown_as="body.model")
    return Request(
        number=line.number, text=line.text, custom_id=custom_id, url=url, model=model, body=body
    )


def _refuse_results(found: dict[str, Any]) -> None:
    if "body" not in found and ("response" in found or "error" in found):
        raise InputError(
            "it is a result, as output files hold",
            expected="a request: custom_id, method, url and body",
            remedy="Name the input file; `resonare batch import` takes output files",
        )
    if "body" not in found and "messages" in found:
        raise InputError(
            "it is a record, not a request of a batch",
            expected=A_LINE,
            remedy="`resonare fill --batch` asks for what records lack",
        )


def _text(found: dict[str, Any], name: str, *, shown_as: str = "") -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        lacks = "has no" if name not in found else "has an unusable"
        raise InputError(f"it {lacks} {shown_as or name}", expected="a text that is not empty")
    return value


def shown(text: str) -> str:
    """Quote a name of a file's for people, without its control characters, and cut it."""
    quoted = ascii(text) if not text.isprintable() else f"'{text}'"
    return quoted if len(quoted) <= 80 else quoted[:80] + "…"


def short_id(custom_id: str) -> bytes:
    """Return 16 bytes that stand for an id."""
    return hashlib.blake2b(custom_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def require_file(path: Path) -> None:
    """Refuse what is no file.

    Raises:
        InputError: Then.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise InputError(found, where=str(path), expected="a batch's file, one JSON object a line")


def _opened(path: Path) -> Any:
    require_file(path)
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}", where=str(path)) from error


def _place(path: Path, number: int) -> str:
    return f"{path}, line {number}"


def _said(error: Exception) -> str:
    return str(error).removeprefix("JSON is malformed: ")
