from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.hub import Hub, serving


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty Hub; no account of this machine is used, and nobody waits before asking again."""
    import huggingface_hub

    for name in ("HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-login"))
    monkeypatch.setattr(
        "huggingface_hub.utils._http.time",
        SimpleNamespace(sleep=lambda seconds: None),  # noqa: ARG005
    )
    with serving() as server:
        yield server
    huggingface_hub.close_session()
