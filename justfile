# What CI runs, by hand.

check:
    uv run ruff check .
    uv run ruff format --check .
    uv run mypy
    uv run lint-imports

test:
    uv run pytest
