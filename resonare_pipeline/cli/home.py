"""Dagster's home for runs started by the command line: generated once, never overwritten."""

import os
from pathlib import Path

from resonare_pipeline.artifacts.files import storage_errors

HOME_VARIABLE = "DAGSTER_HOME"

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
    """Return Dagster's home: the one that the environment names, or that of a data folder."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named) if named else (data_folder / ".dagster").absolute()


def ensure_dagster_home(data_folder: Path) -> Path:
    """Return Dagster's home, made in a data folder if the environment names none."""
    home = dagster_home(data_folder)
    if not os.environ.get(HOME_VARIABLE):
        with storage_errors(str(home)):
            home.mkdir(parents=True, exist_ok=True)
            settings = home / "dagster.yaml"
            if not settings.exists():
                settings.write_text(_DAGSTER_YAML, encoding="utf-8")
        os.environ[HOME_VARIABLE] = str(home)
    return home
