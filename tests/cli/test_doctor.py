import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Outcome, Resonare


def verdicts(outcome: Outcome) -> dict[str, str]:
    return {row["subject"]: row["verdict"] for row in outcome.json["findings"]}


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BASE_URL", "API_KEY", "OPENAI_API_KEY", "MODEL", "OPENAI_MODEL", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def endpoint() -> Iterator[str]:
    class Models(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/elsewhere"):
                self.send_response(302)
                self.send_header("Location", "/v1/models")
                self.end_headers()
                return
            right = self.headers["Authorization"] == "Bearer right"
            self.send_response(200 if right and self.path == "/v1/models" else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Models) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def test_doctor_of_a_sound_project_finds_nothing_failed(resonare: Resonare) -> None:
    outcome = resonare("doctor", "--json")
    assert outcome.code == 0
    assert "failed" not in verdicts(outcome).values()
    found = {row["subject"]: row["found"] for row in outcome.json["findings"]}
    assert "2 in data/raw" in found["raw inputs"]
    assert "o200k_base counts 8 tokens" in found["tokenizer"]
    assert not Path("data/artifacts").exists()


def test_doctor_prints_a_table_with_every_subject(resonare: Resonare) -> None:
    outcome = resonare("doctor")
    for subject in ("Python", "settings", "tokenizer", "store", "output", "API_KEY", "endpoint"):
        assert subject in outcome.out


def test_doctor_wrong_setting_is_told_and_ends_the_examination(resonare: Resonare) -> None:
    Path("resonare.toml").write_text("[blocks]\nmax_tokens = 3\n")
    outcome = resonare("doctor", "--json")
    assert outcome.code == 1
    assert verdicts(outcome)["settings"] == "failed"
    assert "unknown setting blocks.max_tokens" in outcome.json["findings"][-1]["found"]


def test_doctor_missing_tokenizer_and_unwritable_store_do_not_hide_one_another(
    resonare: Resonare, tmp_path: Path
) -> None:
    Path("resonare.toml").write_text('[tokenizer]\nmodel_id = "./nowhere"\n')
    (tmp_path / "file").write_text("no folder")
    outcome = resonare("doctor", "--json", "--store", str(tmp_path / "file" / "store"))
    assert outcome.code == 1
    found = verdicts(outcome)
    assert (found["tokenizer"], found["store"], found["output"]) == ("failed", "failed", "ok")


def test_doctor_examines_the_second_place_of_deliverables_too(
    resonare: Resonare, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    Path("resonare.toml").write_text(f'[delivery]\nalso_to = "{tmp_path}/file/output"\n')
    rows = resonare("doctor", "--json").json["findings"]
    assert [row["verdict"] for row in rows if row["subject"] == "output"] == ["ok", "failed"]


def test_doctor_two_inputs_of_one_name_fail(resonare: Resonare) -> None:
    folder = Path("data/raw/chats/friends")
    folder.mkdir()
    (folder / "result.json").write_text("{}")
    assert verdicts(resonare("doctor", "--json"))["raw inputs"] == "failed"


@pytest.mark.parametrize(("key", "verdict"), [("right", "ok"), ("wrong", "failed")])
def test_doctor_asks_the_endpoint_with_the_key_and_never_prints_it(
    resonare: Resonare, endpoint: str, monkeypatch: pytest.MonkeyPatch, key: str, verdict: str
) -> None:
    monkeypatch.setenv("BASE_URL", endpoint)
    monkeypatch.setenv("OPENAI_API_KEY", key)
    outcome = resonare("doctor", "--json")
    assert verdicts(outcome)["endpoint"] == verdict
    found = {row["subject"]: row["found"] for row in outcome.json["findings"]}
    assert found["API_KEY"] == "set as OPENAI_API_KEY"
    assert f"Bearer {key}" not in outcome.out


def test_doctor_endpoint_that_does_not_answer_fails(
    resonare: Resonare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:9/v1")
    assert verdicts(resonare("doctor", "--json"))["endpoint"] == "failed"


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/hostname",
        "ftp://u:hunter2@h/v1",
        "http://u:hunter2@127.0.0.1:9/v1",
        "http://user:hunter2@127.0.0.1/v1",
        "http://127.0.0.1:hunter2/v1",
        "http://ho st/hunter2",
    ],
)
def test_doctor_endpoint_that_is_no_address_fails_and_shows_no_secret(
    resonare: Resonare, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("BASE_URL", address)
    monkeypatch.setenv("API_KEY", "right")
    outcome = resonare("doctor", "--json")
    assert verdicts(outcome)["endpoint"] == "failed"
    if "@" in address or ":hunter2" in address:
        assert "hunter2" not in outcome.out + outcome.err


def test_doctor_key_that_no_header_can_hold_fails_and_is_not_shown(
    resonare: Resonare, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_URL", endpoint)
    monkeypatch.setenv("API_KEY", "sk-secret\nx")
    outcome = resonare("doctor", "--json")
    assert verdicts(outcome)["endpoint"] == "failed"
    assert "sk-secret" not in outcome.out + outcome.err


def test_doctor_takes_the_key_to_no_other_host(
    resonare: Resonare, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASE_URL", endpoint.replace("/v1", "/elsewhere"))
    monkeypatch.setenv("API_KEY", "right")
    outcome = resonare("doctor", "--json")
    assert verdicts(outcome)["endpoint"] == "note"
    assert "HTTP 302" in outcome.out


def test_doctor_of_an_empty_folder_makes_nothing(
    resonare: Resonare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")
    assert resonare("doctor").code == 0
    assert list((tmp_path / "new").iterdir()) == []


def test_doctor_names_settings_file_that_is_no_text(resonare: Resonare) -> None:
    Path(".env").write_bytes(b"NAME=caf\xe9")
    outcome = resonare("doctor", "--json")
    assert outcome.code == 2
    assert ".env: not UTF-8" in outcome.err
