"""Files hold what was asked, each once, within every limit."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from resonare_pipeline.completions.batches.batch import Batch, State
from resonare_pipeline.completions.batches.ledger import Ledger
from resonare_pipeline.completions.batches.setbacks import Setback, SettledCache
from resonare_pipeline.completions.batches.staging import CHUNK, Staged, Stager
from resonare_pipeline.completions.environment import Endpoint, Provider
from resonare_pipeline.completions.estimating import prompt_tokens
from resonare_pipeline.completions.requests import CompletionRequest
from resonare_pipeline.completions.settings import CompletionsSettings
from tests.completions.asking import request, requests
from tests.completions.batches.campaigns import desk
from tests.completions.batches.conftest import Opening
from tests.fake_openai.running import Running

TEN = requests(10)


def staged(opening: Opening, wanted: list[CompletionRequest], **limits: int) -> list[list[bytes]]:
    """Return the lines of each file."""
    with opening(wanted, **limits) as opened:
        opened.driver.stage(iter(wanted))
        return [
            Path(b.path).read_bytes().splitlines(keepends=True)
            for b in opened.ledger.batches(live=True)
        ]


def sizes(files: list[list[bytes]]) -> list[int]:
    return [len(lines) for lines in files]


@pytest.mark.parametrize(("lines", "expected"), [(9, [9, 1]), (10, [10]), (11, [10]), (5, [5, 5])])
def test_files_are_full_at_exactly_so_many_lines(
    opening: Opening, lines: int, expected: list[int]
) -> None:
    assert sizes(staged(opening, TEN, batch_lines=lines)) == expected


@pytest.mark.parametrize(("more", "expected"), [(-1, [9, 1]), (0, [10]), (1, [10])])
def test_files_are_full_at_exactly_so_many_bytes(
    opening: Opening, more: int, expected: list[int]
) -> None:
    whole = sum(len(line) for line in staged(opening, TEN)[0])
    others = [msgspec.structs.replace(r, parameters={"seed": 1}) for r in TEN]
    size = whole + 10 * (len(others[0].batch_line("k")) - len(TEN[0].batch_line("k")))
    assert sizes(staged(opening, others, batch_bytes=size + more)) == expected


@pytest.mark.parametrize(("more", "expected"), [(-1, [9, 1]), (0, [10]), (1, [10])])
def test_files_are_full_at_exactly_so_many_tokens(
    opening: Opening, more: int, expected: list[int]
) -> None:
    tokens = sum(map(prompt_tokens, TEN))
    assert sizes(staged(opening, TEN, batch_enqueued_tokens=tokens + more)) == expected


def test_a_file_holds_one_model(opening: Opening) -> None:
    others = requests(3, model="gpt-4o")
    files = staged(opening, [*TEN[:4], *others, *TEN[4:]])
    models = [{msgspec.json.decode(line)["body"]["model"] for line in lines} for lines in files]
    assert sorted(sizes(files)) == [3, 4, 6]
    assert all(len(found) == 1 for found in models)


def test_a_request_that_is_over_a_limit_by_itself_is_alone_in_its_file(opening: Opening) -> None:
    giant = request("word " * 5_000)
    files = staged(opening, [*TEN[:5], giant, *TEN[5:]], batch_bytes=10_000)
    assert sizes(files) == [5, 1, 5]


def test_what_breaks_while_files_are_written_leaves_nothing(opening: Opening, folder: Path) -> None:
    def broken() -> Iterator[CompletionRequest]:
        yield from requests(CHUNK + 1)
        raise LookupError

    with opening(TEN) as opened, pytest.raises(LookupError):
        opened.driver.stage(broken())
    assert list(folder.iterdir()) == []
    with opening(TEN) as opened:
        opened.run()
        assert None not in opened.came(TEN)


@contextmanager
def stager(limits: dict[str, int]) -> Iterator[tuple[Stager, Ledger]]:
    endpoint = Endpoint(
        provider=Provider.OPENAI, base_url="http://nowhere/v1", name="nowhere/v1", api_key="none"
    )
    with tempfile.TemporaryDirectory() as place:
        cache = SettledCache(URL.create("sqlite", database=f"{place}/cache.db"), campaign="c")
        try:
            ledger = Ledger(cache, endpoint.name)

            def drop(batch: Batch) -> None:
                ledger.settle(batch, Setback(failure=None), 1, state=State.DROPPED)

            yield (
                Stager(
                    ledger=ledger,
                    settings=CompletionsSettings.model_validate(limits),
                    endpoint=endpoint,
                    folder=Path(place),
                    drop=drop,
                    cap_usd=None,
                    accounts=(),
                ),
                ledger,
            )
        finally:
            cache.close()


def within(batch: Batch, lines: list[bytes], limits: dict[str, int]) -> bool:
    kept = (len(lines), sum(map(len, lines)), batch.tokens)
    names = ("batch_lines", "batch_bytes", "batch_enqueued_tokens")
    return len(lines) == 1 or all(
        count <= limits[name] for count, name in zip(kept, names, strict=True)
    )


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(
        st.tuples(st.sampled_from("ab"), st.text(max_size=60) | st.integers(0, 9).map(str)),
        max_size=60,
    ),
    limits=st.fixed_dictionaries(
        {
            "batch_lines": st.integers(1, 12),
            "batch_bytes": st.integers(100, 2_500),
            "batch_enqueued_tokens": st.integers(1, 200),
        }
    ),
)
def test_files_part_the_requests_and_keep_to_every_limit(
    texts: list[tuple[str, str]], limits: dict[str, int]
) -> None:
    wanted = [request(text, model=model) for model, text in texts]
    with stager(limits) as (made, ledger):
        told: Staged = made.stage(iter(wanted))
        batches = ledger.batches()
        files = [Path(b.path).read_bytes().splitlines(keepends=True) for b in batches]
    lines = [msgspec.json.decode(line) for file in files for line in file]
    keys = {r.key("openai", "nowhere/v1"): r.body() for r in wanted}
    assert len(lines) == told.lines == len(keys)
    assert {line["custom_id"]: line["body"] for line in lines} == keys
    for batch, file in zip(batches, files, strict=True):
        assert (batch.lines, batch.bytes) == (len(file), sum(map(len, file)))
        bodies = [msgspec.json.decode(line)["body"] for line in file]
        assert {body["model"] for body in bodies} == {batch.model}
        assert batch.tokens == sum(
            prompt_tokens(CompletionRequest(model=b["model"], messages=tuple(b["messages"])))
            for b in bodies
        )
        assert within(batch, file, limits)


def test_the_folder_of_another_project_is_none_of_ours(server: Running, tmp_path: Path) -> None:
    """Files that lie in the folder, of whomever, stay there."""
    folder = tmp_path / "batches"
    folder.mkdir()
    (folder / "notes.txt").write_text("kept")
    place = URL.create("sqlite", database=str(tmp_path / "cache.sqlite"))
    with desk(server, place, folder, TEN) as opened:
        opened.run()
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
