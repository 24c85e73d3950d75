"""`resonare people`, from two apps' exports to one person in what is made of them."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.chats.signal.dumps import BEA, ME, csv_of, dump, recipient, row
from tests.cli.command import Resonare

BEA_ON_TELEGRAM = "telegram:user301"
PHONE = "+12025550103"  # of a range that is kept for fiction


def telegram(names: dict[str, str], **more: object) -> dict[str, Any]:
    senders = ["user301", "user201"] * 8
    messages = [
        {
            "id": number,
            "type": "message",
            "date": "2024-02-01T00:00:00",
            "date_unixtime": str(1_706_745_600 + number * 60),
            "from": names[sender],
            "from_id": sender,
            "text": f"some words about number {number}",
        }
        for number, sender in enumerate(senders, 1)
    ]
    chat = {"name": names["user301"], "type": "personal_chat", "id": 301, "messages": messages}
    return {**more, "chats": {"list": [chat]}}


@pytest.fixture
def exports(project: Path) -> Path:
    raw = project / "data" / "raw" / "chats"
    for path in sorted(raw.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (raw / "phone").mkdir()
    people = [
        recipient(ME, profile_joined_name="Ann Tan"),
        recipient(BEA, profile_joined_name="Beatrix", e164=PHONE),
    ]
    rows = [row(n, f"words {n} of this talk", sender=(BEA, ME)[n % 2]) for n in range(1, 17)]
    for name, content in dump(rows, recipient=people).items():
        (raw / "phone" / name).write_bytes(content)
    names = {"user301": "B. Moss", "user201": "Ann Tan"}
    contacts = [{"user_id": 301, "first_name": "B.", "phone_number": PHONE}]
    me = {"user_id": 201, "first_name": "Ann", "last_name": "Tan", "phone_number": ""}
    account = telegram(names, personal_information=me, contacts={"list": contacts})
    (raw / "account.json").write_text(json.dumps(account))
    (project / "resonare.toml").write_text("[blocks]\nmin_tokens_per_block = 8\n")
    return raw


def test_people_before_any_run_says_what_was_not_read(exports: Path, resonare: Resonare) -> None:
    found = resonare("people", "--json").json

    assert exports.is_dir()
    assert found == {"people": [], "proposals": [], "unread": ["account", "phone"]}


def test_people_before_any_run_says_what_to_run_and_shows_no_table(
    exports: Path, resonare: Resonare
) -> None:
    shown = resonare("people").out

    assert shown.startswith("Nothing has been read yet of 2 exports (account, phone).")
    assert "resonare run chats" in shown
    assert "No links" not in shown
    assert "messages" not in shown

    for path in sorted(exports.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert resonare("people").out.startswith("There is no export of chats")


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_table_of_people_fits_the_terminal_and_loses_nothing(
    columns: int, exports: Path, project: Path, resonare: Resonare, monkeypatch: pytest.MonkeyPatch
) -> None:
    (exports / "account.json").rename(exports / "an-account-with-a-long-name-of-2024.json")
    with (project / "resonare.toml").open("a") as settings:
        settings.write('[people.bea]\nids = ["signal:3", "telegram:user301"]\n')
    assert resonare("run", "messages", "--json").code == 0
    monkeypatch.setenv("COLUMNS", str(columns))

    table = resonare("people").out.partition(" to propose")[0]

    assert max(map(len, table.splitlines())) <= columns
    for words in ("telegram:user301", "signal:user3", "messages", " 8"):
        assert words in table
    squeezed = "".join(table.split())
    assert squeezed.count("linked") == squeezed.count("bea") == 2
    assert "owner" in squeezed


def test_proposals_that_are_pasted_make_one_person_of_two_ids(
    exports: Path, project: Path, resonare: Resonare
) -> None:
    assert resonare("run", "chats", "--json").code == 0
    before = resonare("people")
    found = resonare("people", "--json").json

    assert {tuple(p["ids"]): tuple(p["why"]) for p in found["proposals"]} == {
        ("signal:user2", "telegram:user201"): (
            "the same name, Ann Tan",
            "both are the owner of an export",
        ),
        ("signal:user3", BEA_ON_TELEGRAM): ("the same phone's number",),
    }
    assert "5550103" not in before.out + json.dumps(found)
    assert exports.is_dir()

    pasted = before.out[before.out.index("# ") :]
    with (project / "resonare.toml").open("a") as settings:
        settings.write(pasted)
    assert resonare("run", "chats", "--json").code == 0

    tables = [
        pq.read_table(path).to_pylist()
        for path in (project / "data" / "artifacts").glob(
            "stages/enriched_messages/*/*/*/enriched_messages/messages.parquet"
        )
    ]
    assert len(tables) == 2
    assert {found["sender_id"] for table in tables for found in table} == {
        "signal:user2",
        "signal:user3",
    }
    assert {found["sender_name"] for table in tables for found in table} == {"Ann Tan", "Beatrix"}
    assert resonare("people", "--json").json["proposals"] == []
    blocked = resonare("plan", "--json", "--set", "chat_conversations.persona=telegram:user301")
    assert blocked.code == 0


LINK = """
[people.bea]
ids = ["signal:3", "telegram:user301"]
name = "Beatrix Moss"
"""


def holding(folder: Path, *needles: str) -> set[str]:
    """Files below a folder in whose bytes or tables any of some words stands."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file():
            said = path.read_bytes().decode(errors="replace")
            if path.suffix == ".parquet":
                said += repr(pq.read_table(path).to_pylist())
            if any(needle in said for needle in needles):
                found.add(path.name)
    return found


@pytest.mark.parametrize("wanted", ["bea", "Beatrix Moss", "Beatrix", "B. Moss", BEA_ON_TELEGRAM])
def test_a_dry_look_at_a_linked_person_shows_all_of_their_ids(
    wanted: str, exports: Path, project: Path, resonare: Resonare
) -> None:
    assert resonare("run", "chats", "--json").code == 0
    with (project / "resonare.toml").open("a") as settings:
        settings.write(LINK)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}

    looked = resonare("forget", wanted, "--dry-run")

    assert looked.code == 0, looked.err
    assert exports.is_dir()
    assert looked.out.startswith("signal:user3, telegram:user301\n")
    assert f"[people.bea] in {project / 'resonare.toml'}, line 4" in looked.out
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_a_linked_person_is_forgotten_in_all_sources_at_once(
    exports: Path, project: Path, resonare: Resonare
) -> None:
    with (project / "resonare.toml").open("a") as settings:
        settings.write(LINK)
    assert resonare("run", "chats", "--json").json["failures"] == {}
    words = ("user301", "signal:user3", "Beatrix", "B. Moss")
    assert "people.json" in holding(project / "data/artifacts", *words)

    outcome = resonare("forget", "signal:3", "--yes")

    assert outcome.code == 0, outcome.out + outcome.err
    assert exports.is_dir()
    assert "nothing of them is left" in outcome.out
    assert "may be taken out by hand" in outcome.out
    for place in ("artifacts", "output", ".dagster"):
        assert holding(project / "data" / place, *words) == set()
    rule = (project / "resonare.toml").read_text()
    assert '[forget.people."signal:user3"]' in rule
    assert '[forget.people."telegram:user301"]' in rule
    assert LINK in rule
    (project / "resonare.toml").write_text(rule.replace(LINK, ""))
    assert resonare("run", "chats", "--json").json["failures"] == {}
    assert holding(project / "data/artifacts", *words) == set()


def test_a_persona_that_is_called_by_the_table_of_the_forgotten_must_go_first(
    exports: Path, project: Path, resonare: Resonare
) -> None:
    assert resonare("run", "chats", "--json").code == 0
    link = LINK.replace("people.bea", "people.sis")
    persona = '[chat_conversations]\npersona = "sis"\n'
    with (project / "resonare.toml").open("a") as settings:
        settings.write(link + persona)

    refused = resonare("forget", "sis", "--yes")

    assert exports.is_dir()
    assert refused.code == 2
    assert "chat_conversations.persona names the person" in refused.err


def test_a_link_that_is_another_in_one_export_must_go_first(
    exports: Path, project: Path, resonare: Resonare
) -> None:
    assert resonare("run", "chats", "--json").code == 0
    own = '\n[partition."chats/phone".people.bea]\nids = ["signal:9", "telegram:user301"]\n'
    with (project / "resonare.toml").open("a") as settings:
        settings.write(LINK + own)

    refused = resonare("forget", "bea", "--yes")

    assert exports.is_dir()
    assert refused.code == 2
    assert '[partition."chats/phone".people.bea] in ' in refused.err
    assert "line 8" in refused.err
    assert "[people.bea] in " in refused.err


def test_a_file_without_a_phone_column_tells_of_nobody(exports: Path, resonare: Resonare) -> None:
    (exports / "phone" / "recipient.csv").write_bytes(csv_of([{"_id": 3, "type": 0}]))

    assert resonare("people", "--json").code == 0
