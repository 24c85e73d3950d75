"""`resonare publish`, from exports to a repository on the local Hub."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import DATA, Resonare
from tests.hub import READ_TOKEN, TOKEN, Fault, Hub
from tests.repositories import Repo, Stored

REPO_ID = "maya/chats"
PUBLISH = ("publish", "--repo-id", REPO_ID)
EVER_AFTER = 1_000


@pytest.fixture(scope="module")
def shared_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with two exports, whose store serves every test: publishing is the point."""
    folder = tmp_path_factory.mktemp("project")
    raw = folder / "data" / "raw" / "chats"
    raw.mkdir(parents=True)
    shutil.copy(DATA / "chatpackcli_export.json", raw / "friends.json")
    shutil.copy(DATA / "ragtgbot_test_case1.json", raw / "group.json")
    (folder / "resonare.toml").write_text("[blocks]\nmin_tokens_per_block = 8\n")
    return folder


@pytest.fixture
def project(shared_project: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder, with an account on a new Hub, to which nothing was published yet."""
    monkeypatch.chdir(shared_project)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("DAGSTER_HOME", "unset below, and put back after the test")
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for name in ("artifacts/stages/published_dataset", "output"):
        shutil.rmtree(shared_project / "data" / name, ignore_errors=True)
    return shared_project


def paths(hub: Hub) -> set[str]:
    return set(hub.dataset(REPO_ID).files()) - {".gitattributes", ".resonare.json"}


def test_exports_become_a_private_repository_and_later_nothing_is_sent(
    resonare: Resonare, hub: Hub, project: Path
) -> None:
    first = resonare(*PUBLISH, "--json")
    assert first.code == 0, first.err
    there = first.json["publication"]
    repo = hub.dataset(REPO_ID)
    assert there["revision"] == repo.branches["main"]
    assert there["committed"]
    assert repo.private
    assert {"README.md", "data/train-00000-of-00001.parquet", "jsonl/train.jsonl"} <= paths(hub)
    assert "summary.json" not in paths(hub)
    for path in paths(hub):
        laid = project / "data" / "output" / "dataset" / path
        assert laid.read_bytes() == repo.files()[path].content
    hub.calls.clear()

    again = resonare(*PUBLISH, "--json")
    assert again.code == 0
    assert again.json["publication"] == there | {"committed": False}
    assert set(again.caches.values()) == {"hit"}
    assert {call.split()[0] for call in hub.calls} == {"GET"}


def test_datasets_reads_back_what_was_published(
    resonare: Resonare, hub: Hub, tmp_path: Path
) -> None:
    assert resonare(*PUBLISH).code == 0
    lines = hub.dataset(REPO_ID).files()["jsonl/train.jsonl"].content.splitlines()
    program = (
        "import datasets, json\n"
        f"train = datasets.load_dataset({REPO_ID!r}, split='train')\n"
        "print(json.dumps([[turn['content'] for turn in row['messages']] for row in train]))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_TELEMETRY": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    expected = [[turn["content"] for turn in json.loads(line)["messages"]] for line in lines]
    assert json.loads(done.stdout) == expected
    assert expected


def test_what_is_published_says_so_and_where(resonare: Resonare, hub: Hub) -> None:
    said = resonare(*PUBLISH).out
    assert f"published {hub.url}/datasets/{REPO_ID} at revision" in said

    assert "nothing changed" in resonare(*PUBLISH).out


def test_only_what_a_setting_changed_is_sent(resonare: Resonare, hub: Hub) -> None:
    resonare(*PUBLISH)
    hub.calls.clear()

    later = resonare(*PUBLISH, "--set", "dataset.name=Other", "--json")

    assert later.json["publication"]["committed"]
    assert hub.count("^PUT ") == 0
    assert b"# Other" in hub.dataset(REPO_ID).files()["README.md"].content


def test_no_upload_makes_everything_and_asks_nobody_without_a_token(
    resonare: Resonare, hub: Hub, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")

    done = resonare("publish", "--no-upload", "--json")

    assert done.code == 0, done.err
    assert {file["change"] for file in done.json["files"]} == {None}
    laid = project / "data" / "output" / "dataset"
    assert all((laid / file["path"]).stat().st_size == file["size"] for file in done.json["files"])
    assert any("no token" in note for note in done.json["notes"])
    assert done.json["publication"] is None
    assert hub.calls == []


def test_no_upload_compares_with_what_is_there(resonare: Resonare, hub: Hub) -> None:
    before = resonare(*PUBLISH, "--no-upload", "--json").json
    assert {file["change"] for file in before["files"]} == {"new"}
    assert hub.repos == {}
    resonare(*PUBLISH)
    hub.calls.clear()

    later = resonare(*PUBLISH, "--no-upload", "--set", "dataset.name=Other", "--json").json

    changes = {file["path"]: file["change"] for file in later["files"]}
    assert changes.pop("README.md") == "changed"
    assert set(changes.values()) == {"unchanged"}
    assert {call.split()[0] for call in hub.calls} == {"GET"}


def test_a_listing_for_people_names_files_and_where_they_lie(resonare: Resonare) -> None:
    said = resonare(*PUBLISH, "--no-upload").out

    assert "jsonl/train.jsonl" in said
    assert "Nothing was sent. The files lie in data/output/dataset" in said


def test_without_redaction_nothing_is_published_unless_forced(resonare: Resonare, hub: Hub) -> None:
    refused = resonare(*PUBLISH, "--set", "privacy.redact=false")
    assert refused.code == 1
    assert "redaction is off" in refused.err
    assert hub.repos == {}

    looked = resonare(*PUBLISH, "--set", "privacy.redact=false", "--no-upload", "--json")
    assert looked.code == 0
    assert "redaction is off" in looked.json["refused"]

    forced = resonare(*PUBLISH, "--set", "privacy.redact=false", "--force-unredacted")
    assert forced.code == 0, forced.err
    assert "README.md" in paths(hub)


def test_nothing_is_published_while_an_export_cannot_be_made(
    resonare: Resonare, hub: Hub, project: Path
) -> None:
    broken = project / "data" / "raw" / "chats" / "broken.json"
    broken.write_text('{"no": "export"}')
    done = resonare(*PUBLISH)
    broken.unlink()

    assert done.code == 1
    assert "broken" in done.err
    assert "Nothing was published" in done.err
    assert hub.repos == {}


def test_a_dataset_without_examples_is_refused(resonare: Resonare, hub: Hub) -> None:
    done = resonare(*PUBLISH, "--set", "dataset.min_tokens=1000000")

    assert done.code == 1
    assert hub.repos == {}


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("hf_wrongtoken", "does not accept the token (401)"),
        (READ_TOKEN, "may not do this (403)"),
    ],
)
def test_a_token_that_the_hub_refuses_ends_without_a_traceback(
    resonare: Resonare, hub: Hub, monkeypatch: pytest.MonkeyPatch, token: str, words: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)

    done = resonare(*PUBLISH)

    assert done.code == 1
    assert words in done.err
    assert "Traceback" not in done.err
    assert token not in done.err + done.out
    assert hub.repos == {}


@pytest.mark.parametrize("arguments", [("publish",), ("publish", "--repo-id", "chats")])
def test_a_missing_name_is_told_before_any_work(
    resonare: Resonare, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = resonare(*arguments, "--store", str(tmp_path / "store"))

    assert done.code == 2
    assert "--repo-id" in done.err or "user/name" in done.err
    assert not (tmp_path / "store").exists()


def test_a_missing_token_is_told_before_any_work(
    resonare: Resonare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")

    done = resonare(*PUBLISH, "--store", str(tmp_path / "store"))

    assert done.code == 1
    assert "no token" in done.err
    assert not (tmp_path / "store").exists()


def test_an_upload_that_breaks_off_goes_on_at_the_next_call(resonare: Resonare, hub: Hub) -> None:
    hub.large_bytes = 0
    hub.faults = [Fault("^PUT ", at=3, times=EVER_AFTER)]
    one_by_one = ("--set", "published_dataset.upload_threads=1")
    broken = resonare(*PUBLISH, *one_by_one)
    assert broken.code == 1
    assert "the connection failed" in broken.err
    assert paths(hub) == set()
    assert len(hub.dataset(REPO_ID).large) == 2

    hub.faults, hub.calls = [], []
    done = resonare(*PUBLISH, *one_by_one)
    assert done.code == 0, done.err
    assert hub.count("^PUT ") == len(paths(hub)) + 1 - 2  # with the listing, without those sent


def test_a_repository_that_was_deleted_is_made_again(resonare: Resonare, hub: Hub) -> None:
    resonare(*PUBLISH)
    hub.repos.clear()

    done = resonare(*PUBLISH, "--json")

    assert done.json["publication"]["committed"]
    assert "README.md" in paths(hub)


def test_a_hub_that_is_down_is_no_failure_of_what_is_published(
    resonare: Resonare, hub: Hub
) -> None:
    first = resonare(*PUBLISH, "--json").json["publication"]
    hub.faults = [Fault("", times=EVER_AFTER)]

    done = resonare(*PUBLISH, "--json")

    assert done.code == 0
    assert done.json["publication"] == first | {"committed": False}
    assert any("could not be asked" in note for note in done.json["notes"])


def test_another_hub_is_another_publication(
    resonare: Resonare, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    resonare(*PUBLISH)
    monkeypatch.setenv("HF_ENDPOINT", hub.url.replace("127.0.0.1", "localhost"))
    monkeypatch.setenv("NO_PROXY", "localhost")

    done = resonare(*PUBLISH, "--json")

    assert done.caches[None, "published_dataset"] == "miss"
    assert not done.json["publication"]["committed"]


def test_a_public_repository_takes_what_may_be_public(resonare: Resonare, hub: Hub) -> None:
    hub.repos["datasets", REPO_ID] = Repo(private=False)
    refused = resonare(*PUBLISH)
    assert refused.code == 1
    assert "the repository is public" in refused.err
    looked = resonare(*PUBLISH, "--no-upload", "--json")
    assert "the repository is public" in looked.json["refused"]

    assert resonare(*PUBLISH, "--public").code == 0
    assert "README.md" in paths(hub)


def test_files_of_somebody_else_are_replaced_only_when_told_to(
    resonare: Resonare, hub: Hub
) -> None:
    resonare(*PUBLISH)
    repo = hub.dataset(REPO_ID)
    edited = {"README.md": Stored(b"# Mine")}
    repo.add_commit("main", dict(repo.files()) | edited, "by hand")

    assert resonare(*PUBLISH).code == 1
    assert resonare(*PUBLISH, "--overwrite").code == 0
    assert repo.files()["README.md"].content.startswith(b"---")


def test_the_token_of_env_is_used_and_written_nowhere(
    resonare: Resonare, hub: Hub, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    (project / ".env").write_text(f"HF_TOKEN={TOKEN}\n")

    assert resonare(*PUBLISH).code == 0

    assert "README.md" in paths(hub)
    written = [path for path in (project / "data").rglob("*") if path.is_file()]
    assert len(written) > 20
    assert not [path for path in written if TOKEN.encode() in path.read_bytes()]


def test_running_everything_publishes_nothing(resonare: Resonare, hub: Hub) -> None:
    done = resonare("run", "--json", "--set", f"published_dataset.repo_id={REPO_ID}")

    assert done.code == 0
    assert (None, "dataset") in done.caches
    assert (None, "published_dataset") not in done.caches
    assert hub.calls == []
