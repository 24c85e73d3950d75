"""An endpoint, an empty database, a folder; and reading is not tried again for seconds."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL

from resonare_pipeline.completions.batches import remote
from resonare_pipeline.completions.requests import CompletionRequest
from tests.completions.batches.campaigns import Desk, WalkOf, desk
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import BatchScript, FateRule, Script

Opening = Callable[..., AbstractContextManager[Desk]]
Strike = Callable[..., None]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "READ_TRIES", 0)


@pytest.fixture
def server() -> Iterator[Running]:
    with serving() as running:
        yield running


@pytest.fixture
def strike(server: Running) -> Strike:
    """Let the server do things wrong."""

    def struck(*fates: FateRule, script: dict[str, Any] | None = None, **batches: Any) -> None:
        server.use(Script(batches=BatchScript(fates=fates, **batches), **(script or {})))

    return struck


@pytest.fixture
def place(tmp_path: Path) -> URL:
    return URL.create("sqlite", database=str(tmp_path / "cache.sqlite"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "batches"


@pytest.fixture
def opening(server: Running, place: URL, folder: Path) -> Opening:
    """Open batches, by default of the same campaign, in the same database."""

    def opened(
        wanted: list[CompletionRequest] | WalkOf, **given: Any
    ) -> AbstractContextManager[Desk]:
        return desk(server, given.pop("database", place), folder, wanted, **given)

    return opened
