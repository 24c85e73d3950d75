"""Forgetting a person through the command line, looked at with eyes of the tests' own."""

import datetime as dt
import json
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from assets import chats, style
from assets.chats import CHAT_EXPORTS
from assets.datasets import dataset
from assets.graph import GRAPH
from resonare_pipeline.planning import removal
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import open_workspace
from tests.cli.command import Resonare

MAYA = "telegram:user501"
NEEDLES = ("Maya", "maya", "Chen", "user501", "@mayac", "secret of hers", "secret of mine")


def chat(kind: str, number: int, name: str, *lines: tuple[int, str, str]) -> dict[str, Any]:
    messages = []
    for at, (sender, who, text) in enumerate(lines, 1):
        time = dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=at)
        messages.append(
            {
                "id": number * 1000 + at,
                "type": "message",
                "date": time.strftime("%Y-%m-%dT%H:%M:%S"),
                "date_unixtime": str(int(time.timestamp())),
                "from": who,
                "from_id": f"user{sender}",
                "text": text,
            }
        )
    return {"name": name, "type": kind, "id": number, "messages": messages}


def dialogue(*people: tuple[int, str], words: str) -> list[tuple[int, str, str]]:
    return [(*people[at % len(people)], f"{words} number {at}") for at in range(12)]


ANN, CY, HER = (1, "Ann"), (3, "Cy"), (501, "Maya Chen")
EXPORTS = {
    "direct": chat("personal_chat", 501, "Maya Chen", *dialogue(HER, ANN, words="secret of hers")),
    "group": chat(
        "private_group",
        7,
        "Us and Maya",
        *dialogue(ANN, CY, words="other talk"),
        (*HER, "secret of mine"),
        (*CY, "Did MAYA say it, or @mayac?"),
        (*ANN, "that was Cy"),
    ),
    "mention": chat(
        "private_group", 8, "Work", *dialogue(ANN, CY, words="we talk"), (*ANN, "ask Maya Chen")
    ),
    "clear": chat("private_group", 9, "Home", *dialogue(ANN, CY, words="we dine")),
}


@pytest.fixture
def made(project: Path) -> Path:
    """A project in which everything is made, of exports that hold her in three ways, or not."""
    raw = project / "data/raw/chats"
    shutil.rmtree(raw)
    raw.mkdir()
    for name, content in EXPORTS.items():
        (raw / f"{name}.json").write_text(json.dumps(content))
    (project / "resonare.toml").write_text(
        '# mine\n[messages]\nowner = "Ann"  # me\n\n[blocks]\nmin_tokens_per_block = 8\n'
    )
    make_all(project)
    return project


def make_all(project: Path, **settings: str) -> None:
    """Make everything, as a run does, but without Dagster, which takes most of a run's time."""
    workspace = open_workspace(GRAPH, folder=project, overrides=settings)
    for key in workspace.list_raw().keys(CHAT_EXPORTS):
        for stage in (*chats.STAGES, *style.STAGES):
            make(workspace, stage, key)
    make(workspace, dataset, None)


def texts(path: Path) -> Iterator[str]:
    """Yield all that a file says: values of tables and databases, else its bytes as text."""
    if path.suffix == ".parquet":
        yield repr(pq.read_table(path).to_pylist())
    elif path.suffix == ".db":
        with closing(sqlite3.connect(path)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (name,) in tables.fetchall():
                for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608  # its own
                    yield repr(row)
                    for value in row:
                        if isinstance(value, bytes) and value[:1] == b"x":
                            yield zlib.decompress(value).decode()
    if path.suffix != ".png":
        yield path.read_bytes().decode(errors="replace")


def found(folder: Path) -> dict[str, set[str]]:
    places: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            everything = "\n".join(texts(path))
            hits = {needle for needle in NEEDLES if needle in everything}
            if hits:
                places[str(path.relative_to(folder))] = hits
    return places


def manifests(project: Path, partition: str) -> set[Path]:
    return set((project / "data/artifacts/stages").glob(f"*/{partition}/*/manifest.json"))


def test_everything_of_a_person_is_gone_and_the_rest_is_as_it_was(
    made: Path, resonare: Resonare
) -> None:
    make_all(made, **{"enriched_messages.since": "2020-01-01"})  # artifacts of old
    assert resonare("run", "--json", "--force").json["failures"] == {}  # and Dagster's history
    data = made / "data"
    before = found(data)
    assert {hit.split("/")[0] for hit in before} == {"artifacts", "output", "raw", ".dagster"}
    assert "secret of hers" in before["output/dataset/jsonl/train.jsonl"]
    clear = {path: path.stat().st_mtime_ns for path in manifests(made, "clear")}
    assert len(clear) > 6

    outcome = resonare("forget", "maya chen", "--also", "@mayac", "--yes")

    assert outcome.code == 0, outcome.out + outcome.err
    assert "nothing of them is left" in outcome.out
    left = found(data)
    assert set(left) == {"raw/chats/direct.json", "raw/chats/group.json", "raw/chats/mention.json"}
    assert {path: path.stat().st_mtime_ns for path in manifests(made, "clear")} == clear
    assert set(resonare("run", "--json").caches.values()) == {"hit"}
    train = (data / "output/chats/group/train.jsonl").read_text()
    assert "Did [forgotten] say it, or [forgotten]?" in train
    assert (data / "output/chats/direct/train.jsonl").read_text() == ""
    assert "other talk" in (data / "output/dataset/jsonl/train.jsonl").read_text()
    for command in ("rm ", "resonare forget telegram:user501 --yes"):
        assert command in outcome.out


def test_the_rule_stands_in_a_file_that_is_otherwise_the_persons_own(
    made: Path, resonare: Resonare
) -> None:
    before = (made / "resonare.toml").read_text()
    resonare("forget", MAYA, "--yes")
    after = (made / "resonare.toml").read_text()

    assert after.startswith(before)
    assert '[forget.people."telegram:user501"]' in after
    listed = resonare("forget", "--list")
    assert "telegram:user501: Maya Chen, Maya, Chen (occurs nowhere)" in listed.out


def test_a_dry_run_and_a_no_change_nothing(
    made: Path, resonare: Resonare, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}

    dry = resonare("forget", MAYA, "--dry-run")
    monkeypatch.setattr("typer.confirm", lambda _: False)
    no = resonare("forget", MAYA)

    assert (dry.code, no.code) == (0, 1)
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("made")
def test_no_text_is_shown(resonare: Resonare) -> None:
    outcome = resonare("forget", MAYA, "--yes")
    shown = outcome.out + outcome.err
    assert not any(words in shown for words in ("secret", "other talk", "we dine", "Did"))


def test_a_crash_between_rule_and_removal_is_finished_by_the_next_call(
    made: Path, resonare: Resonare, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crashing:
        crashing.setattr("resonare_pipeline.cli.forgetting.remove", _crash)
        with pytest.raises(_CrashError):
            resonare("forget", MAYA, "--yes", "--also", "@mayac")
    assert "telegram:user501" in (made / "resonare.toml").read_text()

    assert resonare("forget", MAYA, "--yes").code == 0
    assert {path.split("/")[0] for path in found(made / "data")} == {"raw"}


def test_a_crash_within_removal_is_finished_by_the_next_call(
    made: Path, resonare: Resonare, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crashing:
        real, calls = removal._remove_homes, iter(range(100))

        def dies(*arguments: Any) -> None:
            if next(calls) == 9:
                raise _CrashError
            real(*arguments)

        crashing.setattr(removal, "_remove_homes", dies)
        with pytest.raises(_CrashError):
            resonare("forget", MAYA, "--yes", "--also", "@mayac")

    assert resonare("forget", "Maya Chen", "--yes").code == 0
    assert {path.split("/")[0] for path in found(made / "data")} == {"raw"}
    assert set(resonare("run", "--json").caches.values()) == {"hit"}


class _CrashError(Exception):
    pass


def _crash(*_: object) -> None:
    raise _CrashError


def test_what_is_left_of_an_export_that_is_gone_and_of_failed_attempts_goes_too(
    made: Path, resonare: Resonare
) -> None:
    data = made / "data"
    stages = data / "artifacts/stages"
    (data / "raw/chats/direct.json").unlink()
    rejected = data / "artifacts/rejected/chat_conversations/group/f/attempt/train.jsonl"
    rejected.parent.mkdir(parents=True)
    rejected.write_text("secret of mine")
    unfinished = stages / "blocks/group/ffff/0123/blocks/.x.tmp"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_text("Maya Chen")

    assert resonare("forget", MAYA, "--yes", "--also", "@mayac").code == 0

    assert {path.split("/")[0] for path in found(data)} == {"raw"}
    assert not (data / "output/chats/direct").exists()
    assert not list(stages.glob("chat_tables/direct/*/manifest.json"))
    assert not list((data / "artifacts/hashes").rglob("direct*"))


def test_an_export_that_comes_later_is_read_under_the_rule(made: Path, resonare: Resonare) -> None:
    resonare("forget", MAYA, "--yes", "--also", "@mayac")
    later = EXPORTS["group"] | {"id": 77}
    (made / "data/raw/chats/later.json").write_text(json.dumps(later))

    make_all(made)

    assert manifests(made, "later")
    assert {path.split("/")[0] for path in found(made / "data")} == {"raw"}


def test_a_name_that_stands_in_an_exports_name_is_said_to_be_out_of_reach(
    made: Path, resonare: Resonare
) -> None:
    raw = made / "data/raw/chats"
    (raw / "clear.json").rename(raw / "maya-2024.json")
    make_all(made)

    outcome = resonare("forget", MAYA, "--yes")

    assert outcome.code == 0, outcome.out
    assert "mv " in outcome.out
    assert "export-1.json" in outcome.out


def test_names_that_others_bear_are_not_looked_for(made: Path, resonare: Resonare) -> None:
    other = chat("private_group", 10, "Two", *dialogue(ANN, (9, "Maya Long"), words="hello Maya"))
    (made / "data/raw/chats/other.json").write_text(json.dumps(other))
    make_all(made)

    outcome = resonare("forget", "Maya Chen", "--yes")

    assert outcome.code == 0, outcome.out
    assert "others go by it as well: Maya" in outcome.out
    kept = (made / "data/output/chats/other/train.jsonl").read_text()
    assert "hello Maya number" in kept


def test_a_person_nobody_knows_is_an_error_with_close_names(made: Path, resonare: Resonare) -> None:
    outcome = resonare("forget", "Maya Chan", "--yes")

    assert outcome.code == 2
    assert "Did you mean Maya Chen?" in outcome.err
    assert "forget" not in (made / "resonare.toml").read_text()


def test_a_name_of_two_people_is_an_error_with_their_ids(made: Path, resonare: Resonare) -> None:
    twin = chat("private_group", 10, "Two", *dialogue(ANN, (9, "Maya Chen"), words="hello"))
    (made / "data/raw/chats/twin.json").write_text(json.dumps(twin))
    make_all(made)

    outcome = resonare("forget", "Maya Chen", "--yes")

    assert outcome.code == 2
    assert "telegram:user501, telegram:user9" in outcome.err


def test_a_setting_that_names_the_person_must_go_first(made: Path, resonare: Resonare) -> None:
    with (made / "resonare.toml").open("a") as stream:
        stream.write('\n[enriched_messages]\nexclude_senders = ["Maya Chen"]\n')

    outcome = resonare("forget", MAYA, "--yes")

    assert outcome.code == 2
    assert "enriched_messages.exclude_senders names the person" in outcome.err


def test_forgetting_nobody_is_a_usage_error(resonare: Resonare) -> None:
    assert resonare("forget").code == 2
