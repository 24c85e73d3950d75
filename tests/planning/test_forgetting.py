"""Forgetting on both storages: who holds a person, what is removed, what stays."""

import json
from pathlib import Path

import pytest

from assets import chats, style
from resonare_pipeline.artifacts.files import write_bytes
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.chats.forgetting import ForgetSettings
from resonare_pipeline.planning.forgetting import Intent, concerned, intend, left
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.plan import Plan, Status, plan
from resonare_pipeline.planning.removal import Removed, remove
from resonare_pipeline.planning.rule_file import write_rule
from resonare_pipeline.planning.workspace import Workspace
from tests.projects import PARTITION, SAMPLE, Project, project_at

ALICE = "telegram:user123"


@pytest.fixture(params=["disk", "s3"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """A chat of Alice and Bob, and one of Bob and Cy."""
    root = str(tmp_path)
    if request.param == "s3":
        root = f"s3://{request.getfixturevalue('bucket')}/deep"
    found = project_at(tmp_path, f"{root}/raw", f"{root}/store", f"{root}/output")
    text = SAMPLE.read_text().replace("user123", "user9").replace("Alice", "Cy")
    other = json.loads(text) | {"id": 5}
    write_bytes(open_files(f"{root}/raw"), "chats/other.json", json.dumps(other).encode())
    return found


def make_all(workspace: Workspace) -> None:
    for key in ("friends", "other"):
        for stage in (*chats.STAGES, *style.STAGES):
            make(workspace, stage, key)


def planned(workspace: Workspace) -> Plan:
    return plan(workspace.graph, workspace.settings, workspace.list_raw(), workspace.store)


def carry_out(project: Project, intent: Intent) -> Removed:
    for person_id in intent.ids:
        write_rule(project.folder, person_id, intent.rule)
    workspace = project.open()
    return remove(
        workspace.store,
        workspace.outputs,
        intent.stages[::-1],
        intent.holdings.keys(),
        planned(workspace),
        intent.retired,
    )


def test_only_what_held_a_person_is_removed_and_made_again(project: Project) -> None:
    make_all(project.open())
    intent = intend(project.open(), "Alice")
    assert intent.ids == (ALICE,)
    assert intent.holdings.keys() == {PARTITION}
    assert intent.holdings[PARTITION].messages == 4
    assert intent.holdings[PARTITION].mentions == 1
    assert [item.key for item in intent.inputs] == [PARTITION]
    assert len(left(project.open(), intent)) == intent.holdings[PARTITION].files

    removed = carry_out(project, intent)

    assert removed.artifacts == 5 + len(style.STAGES)
    assert removed.deliverables > 5
    assert left(project.open(), intent) == []
    now = planned(project.open())
    assert concerned(now, intent) == [PARTITION]
    assert {entry.status for (_, key), entry in now.entries.items() if key == "other"} == {
        Status.HIT
    }

    make_all(project.open())
    assert left(project.open(), intent) == []
    again = planned(project.open()).entries
    assert {entry.status for (_, key), entry in again.items() if key} == {Status.HIT}


def test_what_is_current_under_the_rule_stays(project: Project) -> None:
    make_all(project.open())
    intent = intend(project.open(), ALICE)
    carry_out(project, intent)
    make_all(project.open())

    again = carry_out(project, intent)

    assert (again.artifacts, again.deliverables) == (0, 0)
    later = intend(project.open(), ALICE)
    assert later.was_ruled
    assert later.holdings == {}
    assert later.rule == intent.rule


def test_without_a_rule_everything_is_as_it_was_before(project: Project) -> None:
    make_all(project.open())
    before = {key: entry.fingerprint for key, entry in planned(project.open()).entries.items()}
    carry_out(project, intend(project.open(), ALICE))
    make_all(project.open())
    (project.folder / "resonare.toml").unlink()

    now = planned(project.open()).entries

    for key, entry in now.items():
        if entry.fingerprint:
            assert entry.fingerprint == before[key]
    make_all(project.open())
    after = {key: entry.fingerprint for key, entry in planned(project.open()).entries.items()}
    assert after == before


def test_a_further_name_is_looked_for_where_all_was_clear(project: Project) -> None:
    make_all(project.open())
    carry_out(project, intend(project.open(), ALICE))
    make_all(project.open())
    assert len(project.open().settings.section(ForgetSettings).people[ALICE].clear) == 1

    intent = intend(project.open(), ALICE, more=["wonderful"])

    assert intent.holdings.keys() == {"other"}  # in the first chat it was she who said so
    assert intent.rule.clear == ()
    carry_out(project, intent)
    make_all(project.open())
    assert left(project.open(), intent) == []
