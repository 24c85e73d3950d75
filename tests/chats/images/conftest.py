"""A project with an album, and a server that is shown its images."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chats.telling import Album, message
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import Script

ASKING = {"enriched_messages__describe_images": "true"}
KEEP_BODIES = Script(keeps_bodies=True)


@pytest.fixture
def server() -> Iterator[Running]:
    with serving(KEEP_BODIES) as server:
        yield server


@pytest.fixture
def album(tmp_path: Path, server: Running) -> Album:
    album = Album(folder=tmp_path)
    album.environ(BASE_URL=server.url, API_KEY="dummy", MODEL="gpt-4o")
    return album


def photo(number: int, name: str, text: str = "") -> dict[str, object]:
    return message(number, text, photo=f"photos/{name}.png")
