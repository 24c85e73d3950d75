"""How tests publish: files from memory, to a repository of the local Hub."""

import hashlib
import io
from typing import Any

from resonare_pipeline.datasets.destination import PublishSettings
from resonare_pipeline.datasets.listing import LISTING_NAME, HubFile
from resonare_pipeline.datasets.publishing import Published, publish
from tests.hub import TOKEN, Hub

REPO_ID = "maya/chats"
CONTENTS = {
    "README.md": b"---\nlicense: mit\n---\n# Chats\n",
    "data/test-00000-of-00001.parquet": b"PAR1 a few rows",
    "data/train-00000-of-00002.parquet": b"PAR1" + bytes(range(256)) * 999,
    "data/train-00001-of-00002.parquet": b"PAR1" + bytes(range(255)) * 999,
    "jsonl/train.jsonl": b'{"messages": []}\n' * 50,
}


def hub_file(path: str, content: bytes) -> HubFile:
    return HubFile(
        path_in_repo=path,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        open=lambda: io.BytesIO(content),
    )


def hub_files(contents: dict[str, bytes]) -> list[HubFile]:
    return [hub_file(path, content) for path, content in contents.items()]


def send(hub: Hub, contents: dict[str, bytes] = CONTENTS, **settings: Any) -> Published:
    return publish(
        hub_files(contents),
        PublishSettings.model_validate({"repo_id": REPO_ID, "upload_threads": 1} | settings),
        token=TOKEN,
        endpoint=hub.url,
    )


def held(hub: Hub, revision: str = "main") -> dict[str, bytes]:
    """What the repository holds, but for the listing and what the Hub itself put there."""
    files = hub.dataset(REPO_ID).files(revision)
    own = (LISTING_NAME, ".gitattributes")
    return {path: stored.content for path, stored in files.items() if path not in own}
