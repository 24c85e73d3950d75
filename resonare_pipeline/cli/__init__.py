"""The `resonare` command. Only what a command needs is imported, when it is called."""

import sys


def main() -> None:
    """Run the command line; expected errors are printed without a traceback."""
    from resonare_pipeline.cli.app import app
    from resonare_pipeline.errors import ResonareError, SettingsError, UnknownPartitionError

    try:
        app()
    except (SettingsError, UnknownPartitionError) as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    except ResonareError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
