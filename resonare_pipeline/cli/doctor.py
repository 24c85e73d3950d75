"""`resonare doctor`: whether this machine and these settings can do the work, before work is lost.

Each examination answers with a finding, and none stops the others. Keys are never printed, only
whether they are there. Nothing is changed but a probe file, written and deleted at once.
"""

import http.client
import json
import os
import platform
import shutil
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assets.graph import GRAPH
from resonare_pipeline.artifacts.files import Files, LocalFiles, read_bytes, write_bytes
from resonare_pipeline.cli.home import HOME_VARIABLE, dagster_home
from resonare_pipeline.errors import ResonareError
from resonare_pipeline.planning.workspace import Workspace, environment, open_workspace
from resonare_pipeline.settings import Places
from resonare_pipeline.tokenizers import TokenizerSettings, load_tokenizer

NEWEST_PYTHON = (3, 14)
LOW_SPACE_BYTES = 5_000_000_000  # a large export, its artifacts and its deliverables
ANSWER_SECONDS = 10
PROBE_TEXT = "How many tokens does this sentence have?"
KEYS = ("API_KEY", "MODEL", "HF_TOKEN")
ALIASES = {"API_KEY": ("OPENAI_API_KEY",), "MODEL": ("OPENAI_MODEL",)}


class Verdict(StrEnum):
    """What an examination came to."""

    OK = "ok"
    NOTE = "note"  # works, but a person should know
    FAILED = "failed"


_STYLES = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.FAILED: "red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer of one examination."""

    subject: str
    verdict: Verdict
    found: str


def examine(folder: Path, places: Places | None = None) -> Iterator[Finding]:
    """Yield a finding for each thing that runs depend on.

    Args:
        folder: Where resonare.toml and .env lie.
        places: Where things lie; None: as the environment says.
    """
    yield _python()
    yield _packages()
    try:
        workspace = open_workspace(GRAPH, places=places, folder=folder)
    except ResonareError as error:
        yield Finding(subject="settings", verdict=Verdict.FAILED, found=str(error))
        return
    yield Finding(subject="settings", verdict=Verdict.OK, found=_settings_found(folder))
    yield _guarded("tokenizer", partial(_tokenizer, workspace))
    yield _guarded("raw inputs", partial(_raw, workspace))
    yield _guarded("store", partial(_place, "store", workspace.store.files))
    for files in workspace.outputs:
        yield _guarded("output", partial(_place, "output", files))
    yield _guarded("Dagster's home", partial(_home, folder))
    environ = environment(folder)
    for name in KEYS:
        yield _key(name, environ)
    yield _guarded("endpoint", partial(_endpoint, environ))


def show_findings(findings: Iterator[Finding], *, as_json: bool) -> int:
    """Print findings, and return the exit code."""
    found = list(findings)
    if as_json:
        rows = [asdict(finding) for finding in found]
        sys.stdout.write(json.dumps({"findings": rows}, ensure_ascii=False) + "\n")
    else:
        table = Table()
        for name in ("subject", "verdict", "found"):
            table.add_column(name, overflow="fold")
        for finding in found:
            verdict = f"[{_STYLES[finding.verdict]}]{finding.verdict.value}[/]"
            table.add_row(finding.subject, verdict, escape(finding.found))
        Console().print(table)
    return 1 if any(finding.verdict is Verdict.FAILED for finding in found) else 0


def _guarded(subject: str, examination: Callable[[], Finding]) -> Finding:
    try:
        return examination()
    except (ResonareError, OSError) as error:
        return Finding(subject=subject, verdict=Verdict.FAILED, found=str(error))


def _python() -> Finding:
    newer = sys.version_info[:2] > NEWEST_PYTHON
    note = "; newer than what is tested" if newer else ""
    return Finding(
        subject="Python",
        verdict=Verdict.NOTE if newer else Verdict.OK,
        found=f"{platform.python_version()} on {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} processors{note}",
    )


def _packages() -> Finding:
    names = ("resonare-pipeline", "dagster", "dagster-webserver", "pyarrow", "tiktoken")
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        text = f"not installed: {', '.join(missing)}; install the project again"
        return Finding(subject="packages", verdict=Verdict.FAILED, found=text)
    return Finding(subject="packages", verdict=Verdict.OK, found=", ".join(found))


def _settings_found(folder: Path) -> str:
    there = [name for name in ("resonare.toml", ".env") if (folder / name).is_file()]
    return f"{' and '.join(there) or 'defaults'} in {folder}"


def _tokenizer(workspace: Workspace) -> Finding:
    settings = workspace.settings.section(TokenizerSettings)
    tokenizer = load_tokenizer(settings)
    (count,) = tokenizer.count_texts([PROBE_TEXT])
    found = (
        f"{tokenizer.name} counts {count} tokens in a sentence of {len(PROBE_TEXT.split())} words"
    )
    return Finding(subject="tokenizer", verdict=Verdict.OK, found=found)


def _raw(workspace: Workspace) -> Finding:
    raw = workspace.list_raw()
    where = workspace.places.raw
    if raw.problems:
        problems = "; ".join(str(error) for error in raw.problems.values())
        return Finding(subject="raw inputs", verdict=Verdict.FAILED, found=problems)
    if raw.is_empty:
        kinds = " or ".join(kind.expected for kind in GRAPH.raw_kinds())
        text = f"none yet in {where}; put there {kinds}"
        return Finding(subject="raw inputs", verdict=Verdict.NOTE, found=text)
    size = sum(stat.size for one in raw.inputs.values() for stat in one.entries.values())
    text = f"{len(raw.inputs)} in {where}, {size / 1e6:,.1f} MB"
    return Finding(subject="raw inputs", verdict=Verdict.OK, found=text)


def _place(subject: str, files: Files) -> Finding:
    """Write a probe, read it back and delete it."""
    if isinstance(files, LocalFiles) and not files.root.exists():
        parent = next(folder for folder in files.root.absolute().parents if folder.exists())
        able = os.access(parent, os.W_OK | os.X_OK) and parent.is_dir()
        text = f"{files.uri}: not there yet; {parent} {'can' if able else 'cannot'} be written"
        return Finding(subject=subject, verdict=_passed(able), found=text)
    path = f"probe-{uuid.uuid4().hex}"
    content = path.encode()
    try:
        write_bytes(files, path, content)
        same = read_bytes(files, path) == content
    finally:
        files.delete(path)
    text = (
        f"{files.uri}: {'written, read and deleted' if same else 'reads other bytes than written'}"
    )
    if not isinstance(files, LocalFiles) or not same:
        return Finding(subject=subject, verdict=_passed(same), found=text)
    free = shutil.disk_usage(files.root).free
    text += f"; {free / 1e9:,.0f} GB free"
    low = free < LOW_SPACE_BYTES
    return Finding(subject=subject, verdict=Verdict.NOTE if low else Verdict.OK, found=text)


def _passed(value: object) -> Verdict:
    return Verdict.OK if value else Verdict.FAILED


def _home(folder: Path) -> Finding:
    home = dagster_home(folder / "data")
    named = f"named by {HOME_VARIABLE}" if os.environ.get(HOME_VARIABLE) else "the project's own"
    if not home.is_dir():
        text = f"{home} ({named}), made by the first run"
        return Finding(subject="Dagster's home", verdict=Verdict.OK, found=text)
    if not (home / "dagster.yaml").is_file():
        text = (
            f"{home} ({named}) has no dagster.yaml: no run monitoring, and Dagster's telemetry on"
        )
        return Finding(subject="Dagster's home", verdict=Verdict.NOTE, found=text)
    return Finding(subject="Dagster's home", verdict=Verdict.OK, found=f"{home} ({named})")


def _key(name: str, environ: dict[str, str]) -> Finding:
    there = next((one for one in (name, *ALIASES.get(name, ())) if environ.get(one)), None)
    if there is None:
        return Finding(subject=name, verdict=Verdict.OK, found="not set; chats need none")
    return Finding(subject=name, verdict=Verdict.OK, found=f"set as {there}")


def _endpoint(environ: dict[str, str]) -> Finding:
    """Ask an OpenAI-compatible endpoint for its models, which costs nothing.

    Neither the key nor what an address may hold of credentials is ever printed, and the key goes to
    that address alone.
    """
    base = environ.get("BASE_URL")
    if not base:
        return Finding(subject="endpoint", verdict=Verdict.OK, found="not set; chats need none")
    key = environ.get("API_KEY") or environ.get("OPENAI_API_KEY") or ""
    shown, problem = _address(base)
    if not problem and not (key.isascii() and key.isprintable()):
        problem = "API_KEY holds a character that no key has, perhaps a line end; copy it again"
    if problem:
        return Finding(subject="endpoint", verdict=Verdict.FAILED, found=problem)
    request = urllib.request.Request(  # noqa: S310  # http or https, as checked
        f"{base.rstrip('/')}/models", headers={"Authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=ANSWER_SECONDS) as got:
            return Finding(subject="endpoint", verdict=Verdict.OK, found=f"{shown}: {got.status}")
    except urllib.error.HTTPError as error:
        refused = error.code in (401, 403)
        text = f"{shown}: HTTP {error.code}" + ("; check API_KEY" if refused else " for /models")
        verdict = Verdict.FAILED if refused else Verdict.NOTE
        return Finding(subject="endpoint", verdict=verdict, found=text)
    except (OSError, ValueError, http.client.HTTPException) as error:
        text = f"{shown}: no answer over HTTP ({type(error).__name__})"
        return Finding(subject="endpoint", verdict=Verdict.FAILED, found=text)


def _address(base: str) -> tuple[str, str]:
    """Return what may be shown of an address, and what is wrong with it."""
    try:
        parts = urllib.parse.urlsplit(base)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "", "BASE_URL is no http address"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "", "BASE_URL is no http address"
    if parts.username or parts.password:
        return "", "BASE_URL holds a name or a password; keep the key in API_KEY"
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}", ""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Takes a redirection for an answer: a key is for one host."""

    def redirect_request(self, *_: object) -> None:
        return None
