"""`resonare batch split`, and files that are none."""

import json
from pathlib import Path

import pytest

from tests.cli.batch_files import ids, line, lines, put
from tests.cli.command import Resonare
from tests.fake_openai.running import Running


def test_split_keeps_lines_as_they_are_and_one_model_and_url_a_file(
    resonare: Resonare, project: Path
) -> None:
    mixed = [line(n, model="gpt-4o" if n % 3 == 0 else "gpt-4o-mini") for n in range(10)]
    mixed.append(line(10, url="/v1/responses"))
    source = put(project / "in.jsonl", mixed)
    done = resonare("batch", "split", "in.jsonl", "-o", "parts", "--max-lines", "3", "--json")
    assert done.code == 0, done.err
    files = done.json["files"]
    names = [f"parts/in_split_{number}.jsonl" for number in range(1, len(files) + 1)]
    assert [file["path"] for file in files] == names
    assert sorted(p.name for p in (project / "parts").iterdir()) == sorted(
        Path(name).name for name in names
    )
    parted = []
    for file in files:
        content = (project / file["path"]).read_bytes()
        found = content.splitlines()
        assert (file["lines"], file["bytes"]) == (len(found), len(content))
        assert file["lines"] <= 3
        assert {(json.loads(t)["url"], json.loads(t)["body"]["model"]) for t in found} == {
            (file["url"], file["model"])
        }
        assert file["tokens"] > 0
        assert file["cost_usd"] > 0
        parted += found
    assert sorted(parted) == sorted(source.read_bytes().splitlines())


@pytest.mark.parametrize("limit", ["--max-bytes", "--max-tokens"])
def test_split_holds_the_limits_on_bytes_and_tokens(
    resonare: Resonare, project: Path, limit: str
) -> None:
    put(project / "in.jsonl", lines(12))
    whole = resonare("batch", "split", "in.jsonl", "-o", "whole", "--json").json["files"]
    assert len(whole) == 1
    field = limit.removeprefix("--max-")
    most = whole[0][field] // 3
    files = resonare("batch", "split", "in.jsonl", limit, str(most), "--json").json["files"]
    assert len(files) > 2
    assert all(file[field] <= most for file in files)
    assert sum(file[field] for file in files) == whole[0][field]
    assert [name for file in files for name in ids(project / file["path"])] == ids(
        project / "in.jsonl"
    )


WITHOUT_BODY = {"custom_id": "x", "response": None, "error": {"code": "e"}}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([line(1), "{no"], "in.jsonl, line 2: no JSON"),
        ([line(1), line(2), line(1)], "line 3: the custom_id 'r1' stands in line 1 too"),
        ([line(1, custom_id="")], "line 1: it has an unusable custom_id"),
        ([line(1, custom_id=7)], "line 1: it has an unusable custom_id"),
        ([{"method": "POST"}], "line 1: it has no custom_id"),
        ([line(1, method="GET")], "line 1: its method is 'GET'"),
        ([line(1, url="/v1/threads")], "line 1: its url is '/v1/threads'"),
        ([line(1, body={"messages": []})], "line 1: it has no body.model"),
        ([line(1, body=[])], "line 1: it has no body"),
        ([[1]], "line 1: it is no JSON object"),
        ([WITHOUT_BODY], "line 1: it is a result, as output files hold"),
        ([{"messages": []}], "line 1: it is a record"),
        ([], "in.jsonl: no request in it"),
        (["", ""], "in.jsonl: no request in it"),
        ([line(1), "{", "[]", line(2), "1"], "(2 more lines are at fault: 3, 5)"),
    ],
)
@pytest.mark.usefixtures("server")
def test_a_file_that_is_none_is_refused_by_line_and_nothing_is_written_or_sent(
    resonare: Resonare, project: Path, found: list[object], said: str, server: Running
) -> None:
    put(project / "in.jsonl", found)
    before = {path.name for path in project.iterdir()}
    for command in (("split",), ("submit",)):
        done = resonare("batch", *command, "in.jsonl")
        assert done.code == 1
        assert said in done.err
    assert {path.name for path in project.iterdir()} - before <= {"data"}
    assert server.files() == []


def test_split_refuses_to_leave_files_of_an_earlier_split_beside_its_own(
    resonare: Resonare, project: Path
) -> None:
    put(project / "in.jsonl", lines(4))
    assert resonare("batch", "split", "in.jsonl", "--max-lines", "1").code == 0
    done = resonare("batch", "split", "in.jsonl", "--max-lines", "2")
    assert done.code == 1
    assert "in_split_3.jsonl and 1 more" in done.err
    assert ids(project / "in_split_1.jsonl") == ["r0"]
    assert resonare("batch", "split", "in.jsonl", "--max-lines", "1").code == 0
