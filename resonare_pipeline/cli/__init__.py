"""The `resonare` command. Only what a command needs is imported, when it is called."""

import gc
import sys

# Imports alone allocate some hundred thousand objects that stay; looking at them again and again
# for garbage takes half a second of a run.
GC_THRESHOLDS = (50_000, 20, 20)


def main() -> None:
    """Run the command line; expected errors are printed without a traceback."""
    gc.set_threshold(*GC_THRESHOLDS)
    import resonare_pipeline.cli.batch_commands
    import resonare_pipeline.cli.commands  # noqa: F401  # both register theirs on the app
    from resonare_pipeline.cli.app import app
    from resonare_pipeline.errors import (
        ResonareError,
        SettingsError,
        UnknownBatchError,
        UnknownExampleError,
        UnknownPartitionError,
        UnknownPersonError,
    )

    try:
        app()
    except (
        SettingsError,
        UnknownBatchError,
        UnknownExampleError,
        UnknownPartitionError,
        UnknownPersonError,
    ) as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except ResonareError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
