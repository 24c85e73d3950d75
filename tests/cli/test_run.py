import json
import re
import shutil
from pathlib import Path

import pytest

import resonare_pipeline
from resonare_pipeline.chats.statistics.charts import PLOT_FILES
from tests.books.making import epub
from tests.cli.command import DATA, Resonare, imported_by

ASSETS = {
    "chat_export",
    "chats",
    "messages",
    "enriched_messages",
    "blocks",
    "chat_conversations",
    "chat_statistics",
}


def test_run_makes_everything_and_lays_it_out(project: Path, resonare: Resonare) -> None:
    outcome = resonare("run")
    assert outcome.code == 0, outcome.err
    assert "friends" in outcome.out
    assert "Example 1" in outcome.out
    for name in ("friends", "group"):
        folder = project / "data/output/chats" / name
        assert {path.name for path in folder.iterdir()} == {
            "manifest.json",
            "processed.json",
            "statistics.json",
            "statistics.md",
            "train.jsonl",
            *PLOT_FILES,
        }
    lines = (project / "data/output/chats/friends/train.jsonl").read_text().splitlines()
    roles = [turn["role"] for turn in json.loads(lines[0])["messages"]]
    assert roles[0] == "user"
    assert roles[-1] == "assistant"


def test_run_json_is_one_object_with_every_asset(resonare: Resonare) -> None:
    outcome = resonare("run", "chats", "--json")
    assert set(outcome.json) >= {"stages", "outputs"}
    assert {stage["asset"] for stage in outcome.json["stages"]} == ASSETS
    for stage in outcome.json["stages"]:
        assert set(stage) == {"asset", "partition", "cache", "seconds", "rows", "dropped"}
    [messages] = [
        stage
        for stage in outcome.json["stages"]
        if (stage["asset"], stage["partition"]) == ("messages", "group")
    ]
    assert messages["dropped"] == {"service": 1}
    assert messages["rows"] == 7


def test_run_again_is_all_hits_and_starts_no_dagster_run(resonare: Resonare) -> None:
    first = resonare("run", "--json")
    assert len(first.json["runs"]) == 3  # two exports, and the dataset
    again = resonare("run", "--json")
    assert again.json["runs"] == []
    assert set(again.caches.values()) == {"hit"}
    assert again.json["outputs"] == first.json["outputs"]


def test_run_again_imports_no_dagster(project: Path, resonare: Resonare) -> None:
    resonare("run")
    heavy = {"dagster", "pandas", "openai", "transformers", "torch"}
    assert not imported_by(project, "run", "--json") & heavy


def test_run_after_formatting_change_computes_export_and_reader_only(
    project: Path, resonare: Resonare
) -> None:
    resonare("run")
    path = project / "data/raw/chats/friends.json"
    export = json.loads(path.read_text())
    path.write_text(json.dumps(dict(reversed(export.items())), ensure_ascii=True))
    caches = resonare("run", "--json").caches
    missed = {key for key, cache in caches.items() if cache == "miss"}
    assert missed == {
        ("friends", "chat_export"),
        ("friends", "chats"),
        ("friends", "messages"),
    }


def test_run_setting_changed_and_back_is_all_hits(resonare: Resonare) -> None:
    resonare("run")
    change = ("--set", "chat_conversations.system_prompt=You are kind.")
    changed = resonare("run", *change, "--json").caches
    assert {asset for (_, asset), cache in changed.items() if cache == "miss"} >= {
        "blocks",
        "chat_conversations",
    }
    assert {cache for (_, asset), cache in changed.items() if asset == "messages"} == {"hit"}
    assert set(resonare("run", "--json").caches.values()) == {"hit"}
    assert set(resonare("run", *change, "--json").caches.values()) == {"hit"}


def test_run_partition_setting_touches_that_export_only(project: Path, resonare: Resonare) -> None:
    resonare("run")
    with (project / "resonare.toml").open("a") as file:
        file.write('[partition."chats/group".chat_conversations]\npersona = "user2"\n')
    caches = resonare("run", "--json").caches
    assert caches["friends", "chat_conversations"] == "hit"
    assert caches["group", "chat_conversations"] == "miss"


def test_run_with_moved_store_is_all_hits(project: Path, resonare: Resonare) -> None:
    resonare("run")
    shutil.move(project / "data/artifacts", project / "elsewhere")
    caches = resonare("run", "--store", "elsewhere", "--json").caches
    assert set(caches.values()) == {"hit"}


def test_run_force_makes_again_with_the_same_bytes(project: Path, resonare: Resonare) -> None:
    resonare("run")
    laid = project / "data/output/chats/friends"
    before = {path.name: path.read_bytes() for path in laid.iterdir()}
    caches = resonare("run", "--force", "--json").caches
    assert set(caches.values()) == {"miss"}
    assert {path.name: path.read_bytes() for path in laid.iterdir()} == before


def test_run_one_asset_makes_what_it_needs_and_no_more(resonare: Resonare) -> None:
    caches = resonare("run", "blocks", "-p", "friends", "--json").caches
    assert set(caches) == {
        ("friends", name) for name in ASSETS - {"chat_conversations", "chat_statistics"}
    }


def test_run_file_anywhere_is_its_own_export(project: Path, resonare: Resonare) -> None:
    shutil.copy(DATA / "chatpackcli_export.json", project / "download (1).json")
    caches = resonare("run", "download (1).json", "--json").caches
    assert {partition for partition, _ in caches} == {"download (1)"}
    assert (project / "data/output/chats/download (1)/train.jsonl").stat().st_size


def test_run_one_bad_input_never_stops_the_others(project: Path, resonare: Resonare) -> None:
    raw = project / "data/raw/chats"
    (raw / "broken.json").write_text("{not json")
    (raw / "friends").mkdir()
    shutil.copy(raw / "friends.json", raw / "friends" / "result.json")
    outcome = resonare("run", "--json")
    assert outcome.code == 1
    assert set(outcome.json["failures"]) == {"chats/broken", "chats/friends"}
    assert "two raw inputs have the name 'friends'" in outcome.json["failures"]["chats/friends"]
    assert "broken.json" in outcome.json["failures"]["chats/broken"]
    assert {partition for partition, asset in outcome.caches if asset == "blocks"} == {"group"}


def test_run_without_any_input_says_where_to_put_one(project: Path, resonare: Resonare) -> None:
    shutil.rmtree(project / "data/raw")
    outcome = resonare("run")
    assert outcome.code == 1
    assert "data/raw" in outcome.err
    assert "resonare demo" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "blcks"), "'blcks' is no group, asset, file or folder"),
        (("run", "--partition", "nobody"), "no raw input named 'nobody'; expected one of: friends"),
        (("run", "--set", "blocks.max=3"), "unknown setting blocks.max"),
        (("run", "--set", "blocks.min_tokens_per_block=9999"), "min_tokens_per_block"),
        (("run", "--set", "blocks"), "'blocks' sets nothing"),
        (("show", "nothing"), "'nothing' is no asset"),
        (("show", "messages"), "2 partitions; expected one of: friends, group"),
        (("show", "messages", "nobody"), "no raw input named 'nobody'"),
        (("plan", "--partition", "nobody"), "no raw input named 'nobody'"),
    ],
)
def test_usage_errors_exit_with_two_and_name_what_is_allowed(
    resonare: Resonare, arguments: tuple[str, ...], message: str
) -> None:
    outcome = resonare(*arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def test_run_tokenizer_folder_without_files_is_a_clear_failure(
    project: Path, resonare: Resonare
) -> None:
    (project / "empty").mkdir()
    outcome = resonare("run", "--set", "tokenizer.model_id=./empty", "--json")
    assert outcome.code == 1
    assert "empty" in outcome.json["failures"]["chats/friends"]


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no sysfs, where nobody may write")
def test_run_read_only_store_is_a_clear_failure(resonare: Resonare) -> None:
    outcome = resonare("run", "--store", "/sys/kernel/store", "--json")
    assert outcome.code == 1
    message = outcome.json["failures"]["chats/friends"]
    assert "/sys/kernel/store" in message
    assert "oint" in message  # point the setting elsewhere


def test_run_store_that_cannot_be_made_is_a_clear_failure(
    project: Path, resonare: Resonare
) -> None:
    (project / "file").write_text("in the way")
    outcome = resonare("run", "--store", "file/store", "--json")
    assert outcome.code == 1
    assert "file/store" in outcome.json["failures"]["chats/friends"]


def test_plan_says_status_and_why(resonare: Resonare) -> None:
    def statuses(*arguments: str) -> dict[tuple[str, str], tuple[str, str]]:
        return {
            (stage["partition"], stage["stage"]): (stage["status"], "; ".join(stage["reasons"]))
            for stage in resonare("plan", "--json", *arguments).json["stages"]
        }

    before = statuses()
    assert before["friends", "chat_export"][0] == "stale"
    assert before["friends", "blocks"] == ("waits", "waits for chat_tables, enriched_messages")
    resonare("run", "-p", "friends")
    after = statuses()
    assert {status for (name, _), (status, _) in after.items() if name == "friends"} == {"hit"}
    changed = statuses("--set", "blocks.max_tokens_per_block=512")
    assert changed["friends", "blocks"] == (
        "stale",
        "setting blocks.max_tokens_per_block: 2048 → 512",
    )
    assert changed["friends", "chat_tables"][0] == "hit"
    assert resonare("plan").code == 0


def test_tables_call_partitions_what_they_are(resonare: Resonare, project: Path) -> None:
    def column(*arguments: str) -> str:
        words = re.findall(r"\w+", resonare(*arguments).out)
        return " ".join(["", *words[:6]])

    assert " export assets status" in column("plan")
    folder = project / "data/raw/books"
    folder.mkdir(parents=True)
    (folder / "text.epub").write_bytes(epub({"a.xhtml": "<p>x</p>"}))
    assert " book assets status" in column("plan", "books")
    assert " partition assets status" in column("plan")
    assert " book asset cache" in column("run", "books")


def test_show_prints_rows_of_every_asset(resonare: Resonare) -> None:
    resonare("run", "-p", "friends")
    for asset in sorted(ASSETS):
        assert resonare("show", asset, "friends").code == 0
    rows = [
        json.loads(line)
        for line in resonare("show", "messages", "friends", "-n", "3", "--json").out.splitlines()
    ]
    assert [row["text"] for row in rows] == [
        "Hello! How are you?",
        "Hi Alice! I'm doing great, thanks for asking.",
        "That's wonderful to hear!",
    ]


def test_show_what_was_not_made_says_so(resonare: Resonare) -> None:
    outcome = resonare("show", "messages", "friends")
    assert outcome.code == 1
    assert "messages is not there" in outcome.err


def test_load_gives_a_table(resonare: Resonare) -> None:
    resonare("run", "-p", "friends")
    messages = resonare_pipeline.load("messages", "friends")
    assert list(messages["text"][:1]) == ["Hello! How are you?"]
    conversations = resonare_pipeline.load("chat_conversations", "friends")
    assert "messages" in conversations.columns


def test_cache_ls_verify_and_prune(project: Path, resonare: Resonare) -> None:
    resonare("run")
    resonare("run", "--set", "blocks.min_tokens_per_block=9")
    listed = json.loads(resonare("cache", "ls", "--json").out)
    assert {row["stage"] for row in listed} >= {"chat_export", "chat_tables", "blocks"}
    assert resonare("cache", "ls").code == 0
    assert resonare("cache", "verify").code == 0
    dry = resonare("cache", "prune", "--keep-days", "0", "--dry-run")
    assert dry.code == 0
    assert len(json.loads(resonare("cache", "ls", "--json").out)) == len(listed)
    path = next((project / "data/artifacts").rglob("train.jsonl"))
    path.write_bytes(path.read_bytes()[:-1])
    broken = resonare("cache", "verify")
    assert broken.code == 1
    assert "train.jsonl" in broken.out


def test_demo_makes_conversations_from_the_samples(project: Path, resonare: Resonare) -> None:
    (project / "resonare.toml").write_text('[chat_conversations]\npersona = "someone else"\n')
    outcome = resonare("demo")
    assert outcome.code == 0, outcome.err
    assert "Example 3" in outcome.out
    assert not (project / "data/output").exists()
    files = list((project / "data/demo/output/chats").glob("*/train.jsonl"))
    assert len(files) >= 2
    assert all(path.stat().st_size for path in files)


def test_demo_fills_records_offline_whatever_endpoint_is_named(
    project: Path, resonare: Resonare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9/v1")  # nobody listens there
    monkeypatch.setenv("API_KEY", "dummy")
    monkeypatch.setenv("DEFAULT_LLM_PROVIDER", "openai")
    outcome = resonare("demo")
    assert outcome.code == 0, outcome.err
    assert "12 answers are a mock's" in outcome.out + outcome.err
    laid = project / "data/demo/output/records/plant-questions/filled.jsonl"
    records = [json.loads(line) for line in laid.read_text(encoding="utf-8").splitlines()]
    assert len(records) == 10
    assert all(turn["content"] for record in records for turn in record["messages"])


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = {"dagster", "pandas", "pyarrow", "tiktoken", "pydantic"}
    assert not imported_by(tmp_path, "--help") & heavy
