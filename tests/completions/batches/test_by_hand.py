"""Submitting by hand as several processes do it, on each kind of database."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from resonare_pipeline.completions.batches.by_hand import prepare, stage
from resonare_pipeline.completions.batches.driving import Driver
from resonare_pipeline.completions.batches.hand_made import CAMPAIGN, submissions
from resonare_pipeline.completions.batches.opening import open_batches
from resonare_pipeline.completions.batches.results import write_results
from resonare_pipeline.completions.settings import CompletionsSettings
from resonare_pipeline.errors import StageError
from tests.cli.batch_files import ids, lines, made, put
from tests.completions.asking import KEY
from tests.fake_openai.running import Running, serving


@pytest.fixture
def server() -> Iterator[Running]:
    with serving() as running:
        yield running
        running.advance(1e6)
        running.batches()


def settings(server: Running) -> CompletionsSettings:
    return CompletionsSettings(base_url=server.url, batch_poll_seconds=0.02)


def opened(server: Running, database: URL, folder: Path) -> AbstractContextManager[Driver]:
    environ = {"API_KEY": KEY, "RESONARE_DB": database.render_as_string(hide_password=False)}
    return open_batches(
        settings(server), environ, campaign=CAMPAIGN, default_db=folder / "unused.db"
    )


def test_of_two_processes_that_submit_one_file_at_once_one_does(
    server: Running, database: URL, tmp_path: Path
) -> None:
    path = put(tmp_path / "in.jsonl", lines(3))
    chosen = settings(server)
    with opened(server, database, tmp_path / "a") as one:
        first = prepare(one.ledger, chosen, path, again=False)
        with opened(server, database, tmp_path / "b") as two:
            second = prepare(two.ledger, chosen, path, again=False)
            stage(one, first)
            with pytest.raises(StageError, match="another process is submitting the same file"):
                stage(two, second)
        one.advance()
    assert made(server) == 1
    assert not list((tmp_path / "b").rglob("*.jsonl"))


def test_of_two_processes_that_collect_at_once_the_later_one_spoils_nothing(
    server: Running, database: URL, tmp_path: Path
) -> None:
    path = put(tmp_path / "in.jsonl", lines(3))
    chosen = settings(server)
    with opened(server, database, tmp_path) as one, opened(server, database, tmp_path) as two:
        stage(one, prepare(one.ledger, chosen, path, again=False))
        one.advance()
        one.advance()
        (ended,) = submissions(one.ledger)
        (seen,) = submissions(two.ledger)
        assert ended.is_over
        write_results(one, ended, chosen, None)
        before = (tmp_path / "in.output.jsonl").read_bytes()
        with pytest.raises(StageError, match="another process has written its results"):
            write_results(two, seen, chosen, None)
        assert submissions(one.ledger) == []
        one.advance()
        assert server.files() == []
        assert one.ledger.batches(live=True) == []
    assert (tmp_path / "in.output.jsonl").read_bytes() == before
    assert ids(tmp_path / "in.output.jsonl") == ["r0", "r1", "r2"]
    assert not (tmp_path / "in.failed.jsonl").exists()
