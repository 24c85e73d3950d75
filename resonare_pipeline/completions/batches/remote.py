"""The provider's side of batches: files up, a batch made of one, looks at it, files down.

OpenAI's SDK carries it; bodies are read by the few fields that are used, so that servers which know
fewer or more than OpenAI serve as well. Reading is tried again by the SDK; making something never
is, for nobody knows whether a request that broke has made it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import msgspec
from openai import APIConnectionError, APIStatusError, OpenAI

from resonare_pipeline.completions.answers import OUT_OF_CREDIT, describe_error, error_code
from resonare_pipeline.completions.batches.batch import METADATA_KEY, RemoteBatch
from resonare_pipeline.completions.batches.faults import NotNowError, UnsureError
from resonare_pipeline.completions.batches.files import writing
from resonare_pipeline.completions.environment import Endpoint
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import StageError

READ_TRIES = 4  # by the SDK, half a second to eight apart
FILE_NAME = "{batch}.jsonl"  # at the provider; tells whose it is
PAGE = 100  # the most that a listing gives at a time
NOT_FOUND = 404
NOT_ALLOWED = 405
REFUSED_KEY = (401, 403)
PASSING = (408, 409, 429)
NOT_THERE = 501  # as servers say that know of no files or batches; no waiting changes that

Read = TypeVar("Read")


class _Page(msgspec.Struct):
    data: list[RemoteBatch]
    has_more: bool = False


class _File(msgspec.Struct):
    id: str
    filename: str = ""


class _Files(msgspec.Struct):
    data: list[_File]
    has_more: bool = False


Listing = TypeVar("Listing", _Page, _Files)


class Remote:
    """An endpoint's files and batches.

    Args:
        endpoint: OpenAI, or what speaks like it.
        settings: How long it is waited for.
    """

    def __init__(self, endpoint: Endpoint, settings: CompletionsSettings) -> None:
        self._shown = endpoint.shown
        self._client = OpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key,
            max_retries=0,
            timeout=httpx2.Timeout(
                settings.timeout_seconds, connect=settings.connect_timeout_seconds
            ),
        )
        self._reading = self._client.with_options(max_retries=READ_TRIES)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def upload(self, path: Path, batch: str) -> str:
        """Put an input file at the provider, and return its id there.

        Raises:
            NotNowError: If it did not get there; a part of it is nothing to the provider.
            StageError: If the endpoint takes no files.
        """
        with path.open("rb") as stream:
            name = FILE_NAME.format(batch=batch)
            try:
                found = self._client.files.with_raw_response.create(
                    file=(name, stream, "application/jsonl"), purpose="batch"
                )
            except APIConnectionError as error:
                raise NotNowError(self._described(error)) from error
            except APIStatusError as error:
                raise self._refusal(error) from error
        return _decoded(found.content, _File).id

    def create(self, input_file: str, url: str, batch: str) -> RemoteBatch:
        """Make a batch of a file.

        Raises:
            UnsureError: If nobody knows whether it was made.
            NotNowError: If it was not made, and may be later.
            StageError: If it never will be.
        """
        body = {
            "input_file_id": input_file,
            "endpoint": url,
            "completion_window": "24h",
            "metadata": {METADATA_KEY: batch},
        }
        try:
            response = self._client.post("/batches", body=body, cast_to=httpx2.Response)
        except APIConnectionError as error:
            raise UnsureError(self._described(error)) from error
        except APIStatusError as error:
            refusal = self._refusal(error)
            if isinstance(refusal, NotNowError) and error.status_code not in PASSING:
                raise UnsureError(str(refusal)) from error
            raise refusal from error
        try:
            return _decoded(response.content, RemoteBatch)
        except NotNowError as error:  # it was accepted, whatever the answer is
            raise UnsureError(str(error)) from error

    def look(self, remote: str) -> RemoteBatch | None:
        """Return a batch as it is now; None if there is none of that id."""
        content = self._read(f"/batches/{remote}")
        return None if content is None else _decoded(content, RemoteBatch)

    def listed(self) -> Iterator[RemoteBatch]:
        """Yield all batches, in the order of the provider's: OpenAI has the newest first."""
        for page in self._pages("/batches", _Page):
            yield from page.data

    def named(self, batch: str, *, since: float) -> list[RemoteBatch]:
        """Return the batches whose metadata hold an id of ours, the oldest first.

        Args:
            batch: Our id.
            since: Batches that were made before that are not looked through (seconds since 1970).
        """
        found: list[RemoteBatch] = []
        has_young = False
        for item in self.listed():
            is_old = item.created_at is not None and item.created_at < since
            if is_old and has_young:
                break  # and if the oldest came first, the young ones are still to come
            has_young |= not is_old
            if not is_old and (item.metadata or {}).get(METADATA_KEY) == batch:
                found.append(item)
        return sorted(found, key=lambda item: item.created_at or 0.0)

    def uploaded(self, batch: str) -> list[str]:
        """Return the ids of files that were uploaded for a batch of ours."""
        name = FILE_NAME.format(batch=batch)
        pages = self._pages("/files", _Files, purpose="batch")
        return [file.id for page in pages for file in page.data if file.filename == name]

    def download(self, file: str, path: Path) -> bool:
        """Write a file of the provider's to a path; False if there is none of that id.

        Raises:
            NotNowError: If it did not come whole.
            StoreError: If it cannot be written.
        """
        try:
            with (
                self._reading.files.with_streaming_response.content(file) as response,
                writing(path),
                path.open("wb") as stream,
            ):
                for chunk in response.iter_bytes():
                    stream.write(chunk)
        except APIStatusError as error:
            if error.status_code == NOT_FOUND:
                return False
            raise self._refusal(error) from error
        except (APIConnectionError, httpx2.TransportError) as error:
            raise NotNowError(self._described(error)) from error
        return True

    def cancel(self, remote: str) -> None:
        """Ask for a batch's end; what is done is kept there."""
        try:
            self._reading.post(f"/batches/{remote}/cancel", cast_to=httpx2.Response)
        except APIConnectionError as error:
            raise NotNowError(self._described(error)) from error
        except APIStatusError as error:
            if error.status_code not in (NOT_FOUND, 400, 409):  # it has ended already
                raise self._refusal(error) from error

    def delete(self, file: str) -> bool:
        """Delete a file; False if that did not work, which costs nothing but room."""
        try:
            self._reading.delete(f"/files/{file}", cast_to=httpx2.Response)
        except APIStatusError as error:
            return error.status_code == NOT_FOUND
        except APIConnectionError:
            return False
        return True

    def _pages(self, path: str, kind: type[Listing], **query: Any) -> Iterator[Listing]:
        """Yield the pages of a listing, each once, though the server know no pages."""
        after, seen = "", set[str]()
        while True:
            content = self._read(path, limit=PAGE, **query, **({"after": after} if after else {}))
            page = _decoded(content or b'{"data": []}', kind)
            if not page.data or page.data[-1].id in seen:
                return
            yield page
            if not page.has_more:
                return
            after = page.data[-1].id
            seen.add(after)

    def _read(self, path: str, **query: Any) -> bytes | None:
        try:
            response = self._reading.get(path, cast_to=httpx2.Response, options={"params": query})
        except APIConnectionError as error:
            raise NotNowError(self._described(error)) from error
        except APIStatusError as error:
            if error.status_code == NOT_FOUND:
                return None
            raise self._refusal(error) from error
        return bytes(response.content)

    def _refusal(self, error: APIStatusError) -> Exception:
        """Return the error that an answer amounts to."""
        status, body = error.status_code, error.body
        said = f"HTTP {status}: {describe_error(body)}"
        if status in REFUSED_KEY:
            return StageError(
                f"the endpoint refuses the key: {said}",
                where=self._shown,
                expected="a key that may use files and batches",
                remedy="Check API_KEY and BASE_URL, then give the same command again",
            )
        code = error_code(body)
        if code in OUT_OF_CREDIT:
            return StageError(
                f"no credit is left: {said}",
                where=self._shown,
                remedy="Nothing is lost; give the same command again when there is",
            )
        if status in PASSING or (status >= 500 and status != NOT_THERE):
            return NotNowError(f"{self._shown}: {said}")
        is_absent = status in (NOT_FOUND, NOT_ALLOWED, NOT_THERE)
        remedy = 'Ask online instead (completions.mode = "online")' if is_absent else ""
        return StageError(f"the endpoint makes no batch: {said}", where=self._shown, remedy=remedy)

    def _described(self, error: Exception) -> str:
        cause = error.__cause__ or error
        return f"{self._shown}: no answer: {type(cause).__name__}"


def _decoded(content: bytes, kind: type[Read]) -> Read:
    try:
        return msgspec.json.decode(content, type=kind, strict=False)
    except msgspec.DecodeError as error:
        raise NotNowError("the endpoint's answer is none of its Batch API") from error
