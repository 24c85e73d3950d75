"""`/v1/batches`: create, list, describe, cancel."""

import hashlib
from typing import Any, Literal

import msgspec
from aiohttp import web

from tests.fake_openai.batches import Batch
from tests.fake_openai.desk import Desk
from tests.fake_openai.fates import Fates, Struck
from tests.fake_openai.files import Files, StoredFile
from tests.fake_openai.replies import broken, failed, json_reply, page, refused
from tests.fake_openai.script import Fate
from tests.fake_openai.telling import Tell

ENDPOINTS = ("/v1/chat/completions",)
"""What lines can be sent to; OpenAI has more."""

MOST_METADATA = 16
MOST_KEY, MOST_VALUE = 64, 512


class _Asked(msgspec.Struct):
    input_file_id: str
    endpoint: str
    completion_window: Literal["24h"]
    metadata: dict[str, str] | None = None
    output_expires_after: dict[str, Any] | None = None


class BatchRoutes:
    """Handlers of batches.

    Attributes:
        fates: What strikes batches.
    """

    def __init__(self, desk: Desk, files: Files, fates: Fates, tell: Tell) -> None:
        self.fates = fates
        self._desk = desk
        self._files = files
        self._tell = tell

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request whose path begins with `/v1/batches`."""
        _, _, name = request.path.removeprefix("/v1/batches").partition("/")
        batch_id, _, rest = name.partition("/")
        match request.method, bool(batch_id), rest:
            case "POST", False, _:
                return await self._create(request)
            case "GET", False, _:
                await self._desk.settle()
                found = [batch.told() for batch in self._desk.listed()]
                return page(request, found, usual=20, most=100)
            case "GET", True, "":
                return await self._retrieved(batch_id)
            case "POST", True, "cancel":
                return await self._cancelled(batch_id)
        return refused(405, f"Not allowed to {request.method} on {request.path}")

    async def _create(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = await request.read()
        hashed = hashlib.sha256(raw).hexdigest()
        found = self._read(raw)
        if isinstance(found, web.Response):
            self._tell("create", hashed, found.status, "refused", "")
            return found
        asked, file = found
        fates = self.fates.of_batch(file.path)
        if Fate.CREATE_FAILED in fates:
            self._tell("create", hashed, 500, Fate.CREATE_FAILED, "")
            return failed()
        batch = await self._desk.create(file, asked.endpoint, asked.metadata, fates)
        return await self._created(request, hashed, batch, fates)

    async def _created(
        self, request: web.BaseRequest, hashed: str, batch: Batch, fates: Struck
    ) -> web.StreamResponse:
        value = batch.told()
        if Fate.CREATE_BROKEN in fates:
            self._tell("create", hashed, 0, Fate.CREATE_BROKEN, batch.id)
            return await broken(request, msgspec.json.encode(value))
        if Fate.CREATE_FAILED_MADE in fates:
            self._tell("create", hashed, 500, Fate.CREATE_FAILED_MADE, batch.id)
            return failed()
        self._tell("create", hashed, 200, "ok", batch.id)
        return json_reply(200, value)

    def _read(self, raw: bytes) -> tuple[_Asked, StoredFile] | web.Response:
        try:
            asked = msgspec.json.decode(raw, type=_Asked)
        except msgspec.DecodeError as error:
            return refused(400, f"Invalid request: {error}")
        if asked.endpoint not in ENDPOINTS:
            return refused(400, f"Invalid value: '{asked.endpoint}'", param="endpoint")
        metadata = asked.metadata or {}
        long = any(len(k) > MOST_KEY or len(v) > MOST_VALUE for k, v in metadata.items())
        if long or len(metadata) > MOST_METADATA:
            return refused(400, "Invalid 'metadata': too many pairs, or too long", param="metadata")
        file = self._files.find(asked.input_file_id)
        if file is None:
            said = f"No such File object: {asked.input_file_id}"
            return refused(400, said, param="input_file_id", code="invalid_value")
        if file.purpose != "batch":
            said = f"Invalid file purpose: {file.purpose}"
            return refused(400, said, param="input_file_id", code="invalid_value")
        return asked, file

    async def _retrieved(self, batch_id: str) -> web.Response:
        await self._desk.settle()
        self._desk.retrievals += 1
        batch = self._desk.find(batch_id)
        if batch is None:
            return _unknown(batch_id)
        batch.look()
        if batch.vanished():
            return _unknown(batch_id)
        failing = batch.fates.get(Fate.RETRIEVE_FAILS)
        if failing and batch.looked <= failing.count:
            return failed()
        return json_reply(200, batch.told())

    async def _cancelled(self, batch_id: str) -> web.Response:
        batch = self._desk.find(batch_id)
        if batch is None or batch.vanished():
            return _unknown(batch_id)
        if not await self._desk.cancel(batch):
            return refused(400, f"Cannot cancel a batch with status '{batch.status}'.")
        self._tell("cancel", hashlib.sha256(batch_id.encode()).hexdigest(), 200, "ok", batch_id)
        return json_reply(200, batch.told())


def _unknown(batch_id: str) -> web.Response:
    return refused(404, f"No batch found with id '{batch_id}'.")
