"""What tests of `resonare batch` share: a project with a server, and scripts of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_openai.running import Running, serving


@pytest.fixture
def server(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for name in ("BASE_URL", "API_KEY", "MODEL"):
        monkeypatch.delenv(name, raising=False)
    with serving() as running:
        (project / ".env").write_text(
            f"BASE_URL={running.url}\nAPI_KEY=dummy\nRESONARE_BATCH_POLL_SECONDS=0.02\n"
        )
        yield running
        running.advance(1e6)  # what is under way ends, and lets go of its files
        running.batches()
