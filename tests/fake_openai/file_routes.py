"""`/v1/files`: upload, list, describe, download, delete."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import BodyPartReader, web

from tests.fake_openai.fates import Fates, Struck
from tests.fake_openai.files import Files, StoredFile
from tests.fake_openai.replies import cut, failed, json_reply, page, refused
from tests.fake_openai.script import Fate
from tests.fake_openai.telling import Tell

CHUNK_BYTES = 1 << 18
MOST_BYTES = 512_000_000
"""What OpenAI takes as one file."""


@dataclass(slots=True)
class _Upload:
    path: Path
    fields: dict[str, str] = field(default_factory=dict)
    filename: str | None = None
    hashed: str = ""
    fates: Struck = field(default_factory=dict)


class FileRoutes:
    """Handlers of files.

    Attributes:
        fates: What strikes uploads.
        uploads: Files that were kept.
    """

    def __init__(self, files: Files, fates: Fates, tell: Tell) -> None:
        self.fates = fates
        self.uploads = 0
        self._files = files
        self._tell = tell

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request whose path begins with `/v1/files`."""
        _, _, name = request.path.removeprefix("/v1/files").partition("/")
        file_id, _, rest = name.partition("/")
        match request.method, bool(file_id), rest:
            case "POST", False, _:
                return await self._upload(request)
            case "GET", False, _:
                return self._listed(request)
        file = self._files.find(file_id)
        if file is None:
            return refused(404, f"No such File object: {file_id}", param="id")
        match request.method, rest:
            case "GET", "":
                return json_reply(200, file.described())
            case "GET", "content":
                return await _content(request, file)
            case "DELETE", "":
                self._files.delete(file)
                self._tell("delete", hashlib.sha256(file.id.encode()).hexdigest(), 200, "ok", "")
                return json_reply(200, {"id": file.id, "object": "file", "deleted": True})
        return refused(405, f"Not allowed to {request.method} on {request.path}")

    def _listed(self, request: web.BaseRequest) -> web.Response:
        purpose = request.query.get("purpose")
        found = [file for file in self._files.listed() if purpose in (None, file.purpose)]
        if request.query.get("order") == "asc":
            found.reverse()
        return page(request, [file.described() for file in found], usual=10_000, most=10_000)

    async def _upload(self, request: web.BaseRequest) -> web.StreamResponse:
        if not request.content_type.startswith("multipart/"):
            return refused(400, "Expected a multipart body")
        upload = _Upload(self._files.draft())
        try:
            await self._received(request, upload)
        except ConnectionError:  # who sent it was killed
            return self._not_kept(upload, web.Response(), 0, "broken")
        except ValueError:
            return self._not_kept(upload, refused(400, "We could not parse the multipart body"))
        if Fate.UPLOAD_BROKEN in upload.fates:
            cut(request)
            return self._not_kept(upload, web.Response(), 0, Fate.UPLOAD_BROKEN)
        if Fate.UPLOAD_FAILED in upload.fates:
            return self._not_kept(upload, failed(), outcome=Fate.UPLOAD_FAILED)
        objection = _objection(upload)
        return self._not_kept(upload, objection) if objection else self._kept(request, upload)

    def _kept(self, request: web.BaseRequest, upload: _Upload) -> web.Response:
        kept = self._files.keep(upload.path, upload.filename or "", "batch")
        self.uploads += 1
        if Fate.UPLOAD_UNANSWERED in upload.fates:
            self._tell("upload", upload.hashed, 0, Fate.UPLOAD_UNANSWERED, "")
            cut(request)
            return web.Response()
        self._tell("upload", upload.hashed, 200, "ok", "")
        return json_reply(200, kept.described())

    async def _received(self, request: web.BaseRequest, upload: _Upload) -> None:
        """Write the file of a multipart body to its path, a piece at a time."""
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.name != "file":
                upload.fields[part.name or ""] = await part.text()
                continue
            upload.filename = part.filename or "upload"
            await self._written(part, upload)
            if Fate.UPLOAD_BROKEN in upload.fates:
                return

    async def _written(self, part: BodyPartReader, upload: _Upload) -> None:
        hashed = hashlib.sha256()
        with upload.path.open("wb", buffering=0) as stream:
            piece = await part.read_chunk(CHUNK_BYTES)
            stream.write(piece)
            upload.fates = self.fates.of_upload(upload.path)
            while piece and Fate.UPLOAD_BROKEN not in upload.fates:
                hashed.update(piece)
                piece = await part.read_chunk(CHUNK_BYTES)
                stream.write(piece)
        upload.hashed = hashed.hexdigest()

    def _not_kept(
        self,
        upload: _Upload,
        response: web.Response,
        status: int | None = None,
        outcome: str = "refused",
    ) -> web.Response:
        upload.path.unlink(missing_ok=True)
        told = response.status if status is None else status
        self._tell("upload", upload.hashed, told, outcome, "")
        return response


def _objection(upload: _Upload) -> web.Response | None:
    """Return the refusal of what was sent whole."""
    if upload.filename is None:
        return refused(400, "'file' is a required property", param="file")
    if upload.fields.get("purpose") != "batch":
        said = f"'{upload.fields.get('purpose')}' is not one of ['batch']"
        return refused(400, said, param="purpose")
    if upload.path.stat().st_size > MOST_BYTES:
        return refused(413, "Maximum file size exceeded")
    return None


async def _content(request: web.BaseRequest, file: StoredFile) -> web.StreamResponse:
    breaks = file.breaks > 0
    file.breaks -= breaks
    size = file.path.stat().st_size
    left = size // 2 if breaks else size
    headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    with file.path.open("rb") as stream:
        while left > 0 and (piece := stream.read(min(left, CHUNK_BYTES))):
            left -= len(piece)
            await response.write(piece)
    if breaks:
        cut(request)
    return response
