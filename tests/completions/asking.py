"""Engines against the fake server, and requests to ask."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from resonare_pipeline.completions.asking import Tally
from resonare_pipeline.completions.engine import Engine
from resonare_pipeline.completions.opening import open_engine
from resonare_pipeline.completions.requests import CompletionRequest, Outcome
from resonare_pipeline.completions.settings import CompletionsSettings

KEY = "sk-test"


def request(
    text: str = "hello", *, model: str = "gpt-4o-mini", **changes: Any
) -> CompletionRequest:
    messages = ({"role": "user", "content": text},)
    return CompletionRequest(model=model, messages=messages, **changes)


def requests(count: int, **changes: Any) -> list[CompletionRequest]:
    return [request(f"question {number}", **changes) for number in range(count)]


def engine(
    url: str, database: URL | Path, *, key: str = KEY, fresh: str = "", **settings: Any
) -> Engine:
    """Return an engine that asks the server at a URL and keeps answers in a database."""
    place = database if isinstance(database, URL) else URL.create("sqlite", database=str(database))
    environ = {"API_KEY": key, "RESONARE_DB": place.render_as_string(hide_password=False)}
    made = CompletionsSettings(base_url=url, **settings)
    return open_engine(made, environ, default_db=Path("unused.db"), fresh=fresh)


def ask(opened: Engine, wanted: Iterable[CompletionRequest]) -> tuple[list[Outcome], Tally]:
    """Ask all at once, and return what came of each and the tally."""

    async def run() -> list[Outcome]:
        async with opened as ready:
            return await asyncio.gather(*map(ready.complete, wanted))

    return asyncio.run(run()), opened.tally
