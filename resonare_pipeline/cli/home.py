"""Dagster's home for runs started by the command line: generated once, never overwritten."""

import os
from pathlib import Path

from resonare_pipeline.artifacts.files import storage_errors
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.planning.workspace import environment

HOME_VARIABLE = "DAGSTER_HOME"
SETTINGS_NAME = "dagster.yaml"

_DAGSTER_YAML = """\
# Written once by the resonare command; yours to change.
telemetry:
  enabled: false
nux:
  # No dialog that asks for an e-mail address.
  enabled: false
run_launcher:
  # Knows when a run's process has died; Dagster's own does not.
  module: resources.liveness
  class: WatchfulRunLauncher
compute_logs:
  # What a step prints would cost four processes a step to keep; these steps print nothing.
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
run_monitoring:
  # A run whose process died must end as failed, and not hang as started.
  enabled: true
  start_timeout_seconds: 180
  cancel_timeout_seconds: 60
  poll_interval_seconds: 30
run_retries:
  # A run whose process died is started again; one that failed by its own word is not.
  enabled: true
  max_retries: 2
  retry_on_asset_or_op_failure: false
concurrency:
  runs:
    # Each run spreads its work over the processors by itself, and may take 600 MB.
    max_concurrent_runs: 2
    tag_concurrency_limits:
      # Two runs of one partition would only do the same work twice.
      - key: dagster/partition
        value:
          applyLimitPerUniqueValue: true
        limit: 1
retention:
  schedule:
    purge_after_days: 90
  sensor:
    # Ticks that asked for nothing come every half minute.
    purge_after_days:
      skipped: 2
      failure: 30
      success: 90
"""


def dagster_home(data_folder: Path) -> Path:
    """Return Dagster's home: the one that the environment names, or that of a data folder.

    Raises:
        SettingsError: If the environment names what cannot be one.
    """
    named = environment(Path.cwd()).get(HOME_VARIABLE)
    if not named:
        return (data_folder / ".dagster").absolute()
    if not Path(named).is_absolute() or not Path(named).is_dir():
        raise SettingsError(
            f"{HOME_VARIABLE} = {named!r} cannot be used",
            expected="the full name of a folder that is there",
            remedy="Make it, or unset the variable: the project then has a home of its own",
        )
    return Path(named)


def ensure_dagster_home(data_folder: Path) -> Path:
    """Return Dagster's home, made in a data folder if the environment names none."""
    home = dagster_home(data_folder)
    if not environment(Path.cwd()).get(HOME_VARIABLE):
        with storage_errors(str(home)):
            home.mkdir(parents=True, exist_ok=True)
            if not (home / SETTINGS_NAME).exists():
                aside = home / f".{SETTINGS_NAME}.{os.getpid()}"  # nobody reads half a file
                aside.write_text(_DAGSTER_YAML, encoding="utf-8")
                aside.replace(home / SETTINGS_NAME)
    os.environ[HOME_VARIABLE] = str(home)
    return home
