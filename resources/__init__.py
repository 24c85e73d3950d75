"""The outside world as Dagster resources, and the one IO manager."""
