"""A Hugging Face Hub on loopback: what huggingface_hub asks to make, fill and read repositories.

Repositories, their commits and the stored large files are in memory. Every request is recorded, and
a fault can be set for the k-th of a kind: a status, or a connection that breaks before the request
had its effect or after. Tokens, parent commits, hashes and lengths are checked as the Hub does.
"""

import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.repositories import Repo, Stored, git_blob

HOST = "127.0.0.1"
TOKEN = "hf_localtokenthatmaywrite"  # noqa: S105  # of this server alone
READ_TOKEN = "hf_localtokenthatmayread"  # noqa: S105  # the same
REPO = r"(models|datasets|spaces)/([^/]+/[^/]+)"


@dataclass
class Fault:
    """What happens to the k-th request whose method and path hold some text, and those after it."""

    match: str
    status: int = 0
    at: int = 1
    times: int = 1
    after: bool = False
    message: str = "injected fault"
    seen: int = 0

    def strikes(self, request: str) -> bool:
        if not re.search(self.match, request):
            return False
        self.seen += 1
        return self.at <= self.seen < self.at + self.times


class Refusal(Exception):  # noqa: N818  # an answer, and no failure of the server
    def __init__(self, status: int, message: str = "", code: str = "") -> None:
        self.status, self.message, self.code = status, message, code


class Hub:
    """The server.

    Attributes:
        calls: `METHOD /path` of each request, in the order in which they came.
        chunk_bytes: Large files are asked for in parts of this size; 0: whole.
        large_bytes: Files from this size on are large; Parquet files always are.
    """

    def __init__(self) -> None:
        self.repos: dict[tuple[str, str], Repo] = {}
        self.calls: list[str] = []
        self.faults: list[Fault] = []
        self.chunk_bytes = 0
        self.large_bytes = 10_000_000
        self.page_entries = 1000
        self.gated: set[str] = set()
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer((HOST, 0), type("Bound", (_Handler,), {"hub": self}))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def dataset(self, repo_id: str) -> Repo:
        return self.repos["datasets", repo_id]

    def count(self, pattern: str) -> int:
        """How many requests so far match a pattern."""
        return sum(bool(re.search(pattern, call)) for call in self.calls)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in two pieces would wait 40 ms for the first to be acknowledged
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its signature
        pass

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a client that broke off
            super().handle()

    def _answer(self) -> None:
        self.target = urlsplit(self.path)
        self.query = parse_qs(self.target.query)
        request = f"{self.command} {unquote(self.target.path)}"
        with self.hub.lock:
            self.hub.calls.append(request)
            struck = [fault for fault in self.hub.faults if fault.strikes(request)]
        fault = struck[0] if struck else None
        if fault is not None and not fault.after and not fault.status:
            self.rfile.read(int(self.headers.get("Content-Length") or 0) // 2)
            self.close_connection = True
            return None
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, headers, body = self._route(unquote(self.target.path), fault)
        except Refusal as refusal:
            status, body = refusal.status, {"error": refusal.message}
            headers = {"X-Error-Message": refusal.message}
            if refusal.code:
                headers["X-Error-Code"] = refusal.code
        if fault is not None and fault.after:
            self.close_connection = True
            return None
        return self._send(status, headers, body)

    do_GET = do_POST = do_PUT = do_HEAD = _answer  # noqa: N815  # as http.server calls them

    def _send(self, status: int, headers: dict[str, str], body: Any) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _route(self, path: str, fault: Fault | None) -> tuple[int, dict[str, str], Any]:
        if fault is not None and not fault.after:
            raise Refusal(fault.status, fault.message)
        for method, pattern, action in ROUTES:
            found = re.fullmatch(pattern, path)
            if found and self.command in method.split():
                with self.hub.lock:
                    return _as_answer(action(self, *found.groups()))
        raise Refusal(404, f"no such route: {self.command} {path}")

    def require(self, *, write: bool = False) -> None:
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if given not in (TOKEN, READ_TOKEN):
            raise Refusal(401, "Invalid credentials in Authorization header")
        if write and given != TOKEN:
            raise Refusal(403, "This token has read access only")

    def repo(self, kind: str, repo_id: str, *, write: bool = False) -> Repo:
        self.require(write=write)
        if (kind, repo_id) not in self.hub.repos:
            raise Refusal(404, "Repository not found", "RepoNotFound")
        if repo_id in self.hub.gated:
            raise Refusal(403, "Access to this repository is restricted", "GatedRepo")
        return self.hub.repos[kind, repo_id]

    def who(self) -> object:
        self.require()
        return {"type": "user", "name": "maya", "orgs": []}

    def create(self) -> object:
        self.require(write=True)
        asked = json.loads(self.body)
        kind, repo_id = f"{asked['type']}s", f"{asked['organization']}/{asked['name']}"
        if asked["organization"] != "maya":
            raise Refusal(403, "You have no right to create a repository there")
        if any(name == repo_id for _, name in self.hub.repos):
            raise Refusal(409, "You already created this repo")
        private = asked.get("visibility") == "private" or bool(asked.get("private"))  # as 1.x says
        self.hub.repos[kind, repo_id] = Repo(private=private)
        return {"url": f"{self.hub.url}/{kind}/{repo_id}"}

    def info(self, kind: str, repo_id: str, revision: str = "main") -> object:
        repo = self.repo(kind, repo_id)
        if revision not in repo.branches and revision not in repo.commits:
            raise Refusal(404, "Invalid rev id", "RevisionNotFound")
        sha = repo.branches.get(revision, revision)
        siblings = [{"rfilename": path} for path in repo.files(sha)]
        return {"id": repo_id, "sha": sha, "private": repo.private, "siblings": siblings}

    def tree(self, kind: str, repo_id: str, revision: str, folder: str | None = None) -> object:
        files = self.repo(kind, repo_id).files(revision)
        prefix = f"{folder}/" if folder else ""
        entries = [files[path].described(path) for path in files if path.startswith(prefix)]
        if not entries:
            raise Refusal(404, f"{folder} does not exist", "EntryNotFound")
        folders = dict.fromkeys(path.rpartition("/")[0] for path in files if "/" in path)
        entries += [{"type": "directory", "path": name, "oid": "0" * 40} for name in folders]
        if self.query.get("recursive", [""])[0].lower() != "true":
            entries = [entry for entry in entries if "/" not in entry["path"][len(prefix) :]]
        start = int(self.query.get("cursor", ["0"])[0])
        end = start + self.hub.page_entries
        again = f"{self.hub.url}{self.target.path}?recursive=True&cursor={end}"
        link = {"Link": f'<{again}>; rel="next"'} if end < len(entries) else {}
        return 200, link, entries[start:end]

    def branch(self, kind: str, repo_id: str, name: str) -> object:
        repo = self.repo(kind, repo_id, write=True)
        if name in repo.branches:
            raise Refusal(409, "Reference already exists")
        repo.branches[name] = json.loads(self.body).get("startingPoint") or repo.branches["main"]
        return {}

    def preupload(self, kind: str, repo_id: str, revision: str) -> object:
        repo = self.repo(kind, repo_id, write=True)
        asked = json.loads(self.body)
        there = repo.files(revision)
        ignored = asked.get("gitIgnore")
        if ignored is None and ".gitignore" in there:
            ignored = there[".gitignore"].content.decode()
        return {"files": [self._mode(item, there, ignored or "") for item in asked["files"]]}

    def _mode(self, item: Any, there: dict[str, Stored], ignored: str) -> object:
        path, size = item["path"], item["size"]
        is_large = path.endswith(".parquet") or size >= self.hub.large_bytes
        oid = None
        if path in there:
            oid = there[path].sha256 or git_blob(there[path].content)
        return {
            "path": path,
            "uploadMode": "lfs" if is_large else "regular",
            "shouldIgnore": any(path.endswith(end[1:]) for end in ignored.split() if end),
            "oid": oid,
        }

    def batch(self, kind: str, repo_id: str) -> object:
        repo = self.repo(kind, repo_id, write=True)
        return {
            "transfer": "basic",
            "objects": [
                self._upload(kind, repo_id, repo, item) for item in json.loads(self.body)["objects"]
            ],
        }

    def _upload(self, kind: str, repo_id: str, repo: Repo, item: Any) -> object:
        oid, size, chunk = item["oid"], item["size"], self.hub.chunk_bytes
        if oid in repo.large:
            return item
        place = f"{self.hub.url}/storage/{kind}/{repo_id}/{oid}"
        header: dict[str, str] = {}
        if chunk and size > chunk:
            count = -(-size // chunk)
            header = {f"{n:05}": f"{place}?part={n}" for n in range(1, count + 1)}
            header["chunk_size"] = str(chunk)
        verify = {"href": f"{place}/verify"}
        href = f"{place}?signature=secret"
        return {**item, "actions": {"upload": {"href": href, "header": header}, "verify": verify}}

    def store(self, kind: str, repo_id: str, oid: str) -> object:
        repo = self.hub.repos[kind, repo_id]
        if "part" in self.query:
            repo.parts.setdefault(oid, {})[int(self.query["part"][0])] = self.body
        else:
            self._keep(repo, oid, self.body)
        return 200, {"ETag": f'"{hashlib.sha256(self.body).hexdigest()}"'}, b""

    def join(self, kind: str, repo_id: str, oid: str) -> object:
        repo = self.hub.repos[kind, repo_id]
        numbers = [part["partNumber"] for part in json.loads(self.body)["parts"]]
        self._keep(repo, oid, b"".join(repo.parts[oid][number] for number in numbers))
        return {}

    def _keep(self, repo: Repo, oid: str, content: bytes) -> None:
        if hashlib.sha256(content).hexdigest() != oid:
            raise Refusal(400, "the content has another hash")
        repo.large[oid] = content

    def verify(self, kind: str, repo_id: str, oid: str) -> object:
        if len(self.repo(kind, repo_id, write=True).large[oid]) != json.loads(self.body)["size"]:
            raise Refusal(400, "the content has another length")
        return {}

    def commit(self, kind: str, repo_id: str, branch: str) -> object:
        repo = self.repo(kind, repo_id, write=True)
        lines = [json.loads(line) for line in self.body.splitlines()]
        header = lines[0]["value"]
        if header.get("parentCommit") not in (None, repo.branches[branch]):
            raise Refusal(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repo.files(branch))
        for line in lines[1:]:
            self._apply(repo, files, line["key"], line["value"])
        oid = repo.add_commit(branch, files, header["summary"])
        return {"commitUrl": f"{self.hub.url}/{kind}/{repo_id}/commit/{oid}", "commitOid": oid}

    def _apply(self, repo: Repo, files: dict[str, Stored], key: str, value: Any) -> None:
        path = value["path"]
        if key == "deletedFile":
            if files.pop(path, None) is None:
                raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound")
        elif key == "file":
            files[path] = Stored(base64.b64decode(value["content"]))
        elif value["oid"] not in repo.large:
            raise Refusal(400, f"the large file of {path} was never uploaded")
        else:
            files[path] = Stored(repo.large[value["oid"]], value["oid"])

    def check_card(self) -> object:
        content = json.loads(self.body)["content"]
        if content.startswith("---") and content.count("---") < 2:
            return 400, {}, {"errors": [{"message": "the metadata never ends"}], "warnings": []}
        return {"errors": [], "warnings": [{"message": "no licence"}]}

    def resolve(self, kind: str, repo_id: str, revision: str, path: str) -> object:
        repo = self.repo(kind, repo_id)
        if path not in repo.files(revision):
            raise Refusal(404, "Entry not found", "EntryNotFound")
        stored = repo.files(revision)[path]
        etag = stored.sha256 or git_blob(stored.content)
        commit = repo.branches.get(revision, revision)
        return 200, {"ETag": f'"{etag}"', "X-Repo-Commit": commit}, stored.content


def _as_answer(found: Any) -> tuple[int, dict[str, str], Any]:
    return found if isinstance(found, tuple) else (200, {}, found)


ROUTES: tuple[tuple[str, str, Callable[..., object]], ...] = (
    ("GET", "/api/whoami-v2", _Handler.who),
    ("POST", "/api/repos/create", _Handler.create),
    ("POST", "/api/validate-yaml", _Handler.check_card),
    ("GET", f"/api/{REPO}", _Handler.info),
    ("GET", f"/api/{REPO}/revision/(.+)", _Handler.info),
    ("GET", f"/api/{REPO}/tree/([^/]+)(?:/(.+))?", _Handler.tree),
    ("POST", f"/api/{REPO}/branch/(.+)", _Handler.branch),
    ("POST", f"/api/{REPO}/preupload/(.+)", _Handler.preupload),
    ("POST", f"/api/{REPO}/commit/(.+)", _Handler.commit),
    ("POST", rf"/{REPO}\.git/info/lfs/objects/batch", _Handler.batch),
    ("PUT", f"/storage/{REPO}/([0-9a-f]+)", _Handler.store),
    ("POST", f"/storage/{REPO}/([0-9a-f]+)", _Handler.join),
    ("POST", f"/storage/{REPO}/([0-9a-f]+)/verify", _Handler.verify),
    ("GET HEAD", f"/{REPO}/resolve/([^/]+)/(.+)", _Handler.resolve),
)


@contextlib.contextmanager
def serving() -> Iterator[Hub]:
    """Serve inside the block."""
    hub = Hub()
    try:
        yield hub
    finally:
        hub.stop()
