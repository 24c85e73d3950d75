import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from resonare_pipeline.cli import main
from tests.cli.command import DATA, Outcome, Resonare
from tests.fake_openai.running import Running, serving
from tests.fake_openai.script import Script


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own working folder with two exports, and no home of Dagster's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("DAGSTER_HOME", "unset below, and put back after the test")
    monkeypatch.delenv("DAGSTER_HOME")
    raw = tmp_path / "data" / "raw" / "chats"
    (raw / "group").mkdir(parents=True)
    shutil.copy(DATA / "chatpackcli_export.json", raw / "friends.json")
    shutil.copy(DATA / "ragtgbot_test_case1.json", raw / "group" / "result.json")
    (tmp_path / "resonare.toml").write_text("[blocks]\nmin_tokens_per_block = 8\n")
    return tmp_path


@pytest.fixture
def resonare(
    project: Path,  # noqa: ARG001  # the command runs in its folder
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Resonare:
    """Run the command in the project's folder."""

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr("sys.argv", ["resonare", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        code = left.value.code
        return Outcome(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Running]:
    with serving() as server:
        yield server


@pytest.fixture
def server(endpoint: Running, project: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """An endpoint that answers everything well, named in the project's .env."""
    for name in ("BASE_URL", "API_KEY", "MODEL"):
        monkeypatch.delenv(name, raising=False)
    (project / ".env").write_text(f"BASE_URL={endpoint.url}\nAPI_KEY=dummy\n")
    endpoint.use(Script())
    return endpoint
