from pathlib import Path

import dagster as dg
import pytest

from resonare_pipeline.cli.home import ensure_dagster_home
from resonare_pipeline.errors import SettingsError
from resources.liveness import WatchfulRunLauncher


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "unset below, and put back after the test")
    monkeypatch.delenv("DAGSTER_HOME")


def test_dagster_home_is_generated_without_telemetry_and_with_monitoring(tmp_path: Path) -> None:
    home = ensure_dagster_home(tmp_path)
    assert home == tmp_path / ".dagster"
    with dg.DagsterInstance.get() as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.run_monitoring_enabled
        assert isinstance(instance.run_launcher, WatchfulRunLauncher)
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 2
        assert queue.tag_concurrency_limits == [
            {
                "key": "dagster/partition",
                "value": {"applyLimitPerUniqueValue": True},
                "limit": 1,
            }
        ]


def test_dagster_home_of_the_environment_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "mine"))
    assert ensure_dagster_home(tmp_path) == tmp_path / "mine"
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.parametrize("named", ["relative", "/nowhere/at/all"])
def test_dagster_home_that_cannot_be_one_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", named)
    with pytest.raises(SettingsError, match=f"DAGSTER_HOME = '{named}' cannot be used"):
        ensure_dagster_home(tmp_path)


def test_dagster_home_may_stand_in_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / ".env").write_text(f"DAGSTER_HOME={tmp_path}/mine\n")
    assert ensure_dagster_home(tmp_path / "data") == tmp_path / "mine"


def test_dagster_home_settings_that_a_person_changed_stay(tmp_path: Path) -> None:
    settings = tmp_path / ".dagster" / "dagster.yaml"
    settings.parent.mkdir()
    settings.write_text("telemetry:\n  enabled: false\n")
    ensure_dagster_home(tmp_path)
    assert settings.read_text() == "telemetry:\n  enabled: false\n"
