import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

from assets.graph import GRAPH
from resonare_pipeline.artifacts.files import LocalFiles, read_bytes
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.definitions import build_defs, defs
from tests.places import copy_all
from tests.s3 import Server

PARTITIONS = {
    "chats": "chat_exports",
    "style": "chat_exports",
    "records": "record_sets",
    "books": "books",
}
ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "tests" / "data" / "telegram" / "chatpackcli_export.json"


def test_definitions_have_these_assets_in_these_groups() -> None:
    graph = defs.resolve_asset_graph()
    found = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    expected = {
        "chats": (
            "chat_export",
            "chats",
            "messages",
            "enriched_messages",
            "blocks",
            "chat_conversations",
            "chat_statistics",
        ),
        "style": (
            "texting_style",
            "conversation_windows",
            "dialogue_episodes",
            "style_examples",
        ),
        "records": (
            "prompt_records",
            "record_requests",
            "record_batch_files",
            "record_completions",
            "filled_conversations",
        ),
        "books": ("book", "chapters", "clean_chapters"),
        "dataset": ("dataset", "dataset_report", "published_dataset"),
    }
    assert found == {name: group for group, names in expected.items() for name in names}


def test_every_asset_is_described_and_versioned() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.code_version, key
        assert node.kinds, key
        name = PARTITIONS.get(str(node.group_name))
        assert node.partitions_def == (name and dg.DynamicPartitionsDefinition(name=name))


def test_tables_have_column_schemas() -> None:
    graph = defs.resolve_asset_graph()
    for name in ("chats", "messages", "enriched_messages", "blocks"):
        schema = graph.get(dg.AssetKey(name)).metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert "chat_id" in [column.name for column in schema.columns], name


def test_every_column_is_described_and_comes_from_columns_that_are() -> None:
    outputs = {output.asset: output for stage in GRAPH.stages for output in stage.outputs}
    for output in outputs.values():
        if output.schema is None:
            continue
        assert set(output.columns) == set(output.schema.names), output.asset
        for column, sources in output.lineage.items():
            assert column in output.columns
            for asset, _, source in (name.partition(".") for name in sources):
                assert source in outputs[asset].columns, (output.asset, column)


def test_definitions_have_these_jobs_and_checks() -> None:
    assert defs.resolve_job_def("chats_job").name == "chats_job"
    checks = {check.name for check in defs.resolve_asset_graph().asset_check_keys}
    of_chats = {"token_bounds", "roles", "no_empty_turns", "unique_ids"}
    of_books = {"no_empty_chapter", "words_kept", "nothing_doubled", "formulas_kept"}
    of_books |= {"notes_with_their_calls"}
    of_books |= {"no_empty_clean_chapter", "code_and_formulas_untouched"}
    of_dataset = {"no_leaks", "unique_rows", "counts", "openai_rules"}
    assert checks == of_chats | of_books | of_dataset
    assert defs.resolve_job_def("books_job").name == "books_job"


def test_build_defs_overrides_are_the_defaults_of_every_run() -> None:
    made = build_defs({"blocks.min_tokens_per_block": "3"})
    assert made.resolve_job_def("chats_job").name == "chats_job"


def test_workspace_file_and_project_block_name_the_same_module() -> None:
    import tomllib

    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert workspace == {"load_from": [{"python_module": "resonare_pipeline.definitions"}]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    assert project["code_location_target_module"] == "resonare_pipeline.definitions"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    raw = tmp_path / "data" / "raw" / "chats" / "friends.json"
    raw.parent.mkdir(parents=True)
    raw.write_bytes(SAMPLE.read_bytes())
    (tmp_path / "resonare.toml").write_text("[blocks]\nmin_tokens_per_block = 8\n")
    return tmp_path


def job_execute(
    project: Path,
    home: Path | None,
    partition: str = "friends",
    *,
    without: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    left_out = ("DAGSTER_HOME", *without)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    environ |= {"DAGSTER_DISABLE_TELEMETRY": "yes"}
    if home is not None:
        home.mkdir(exist_ok=True)
        environ["DAGSTER_HOME"] = str(home)
    command = [sys.executable, "-m", "dagster", "job", "execute"]
    command += ["-m", "resonare_pipeline.definitions", "-j", "chats_job"]
    command += ["--tags", f'{{"dagster/partition": "{partition}"}}']
    return subprocess.run(
        command, cwd=project, env=environ, capture_output=True, text=True, check=False
    )


def test_job_execute_works_with_no_a_fresh_and_a_used_home(project: Path) -> None:
    first = job_execute(project, None)
    assert first.returncode == 0, first.stderr
    laid = project / "data/output/chats/friends/train.jsonl"
    content = laid.read_bytes()
    assert content.count(b'"role"') >= 2
    for home in (project / "home", project / "home"):
        laid.unlink()
        again = job_execute(project, home)
        assert again.returncode == 0, again.stderr
        assert laid.read_bytes() == content


def test_job_execute_with_all_places_on_s3(project: Path, bucket: str, s3_server: Server) -> None:
    location = f"s3://{bucket}/team"
    copy_all(LocalFiles(project / "data" / "raw"), open_files(f"{location}/raw"))
    shutil.rmtree(project / "data")
    variables = s3_server.environment | {
        f"RESONARE_{name.upper()}": f"{location}/{name}" for name in ("raw", "store", "output")
    }
    (project / ".env").write_text("".join(f"{name}={text}\n" for name, text in variables.items()))
    done = job_execute(project, None, without=("AWS_", "RESONARE_"))
    assert done.returncode == 0, done.stderr
    assert b'"role"' in read_bytes(open_files(location), "output/chats/friends/train.jsonl")
    assert not (project / "data").exists()


def test_job_execute_unknown_partition_fails_and_lists_the_known(project: Path) -> None:
    failed = job_execute(project, None, "nobody")
    assert failed.returncode != 0
    assert "no raw input named 'nobody'; expected one of: friends" in failed.stderr


def test_dagsters_home_holds_previews_unless_they_are_turned_off(project: Path) -> None:
    assert job_execute(project, project / "with").returncode == 0
    assert b"Hi Alice!" in everything_in(project / "with")
    with (project / "resonare.toml").open("a") as settings:
        settings.write("[ui]\npreview_rows = 0\n")
    assert job_execute(project, project / "without").returncode == 0
    kept = everything_in(project / "without")
    assert b"made_at" in kept
    assert b"Alice" not in kept
    assert b"data:image" not in kept


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
