import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from resonare_pipeline.chats.forgetting import ForgetSettings, ForgottenPerson
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.planning.rule_file import write_rule
from resonare_pipeline.settings import load_settings

ANN = ForgottenPerson(names=("Ann",), clear=("ab",))


def ruled(folder: Path) -> dict[str, ForgottenPerson]:
    loaded = load_settings([ForgetSettings], folder=folder, environ={}, overrides={})
    return loaded.section(ForgetSettings).people


def test_a_rule_is_written_where_there_is_no_file(tmp_path: Path) -> None:
    assert write_rule(tmp_path, "telegram:user1", ANN)
    assert ruled(tmp_path) == {"telegram:user1": ANN}


def test_a_rule_that_stands_there_already_changes_nothing(tmp_path: Path) -> None:
    write_rule(tmp_path, "telegram:user1", ANN)
    assert not write_rule(tmp_path, "telegram:user1", ANN)


def test_only_the_table_of_the_person_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "resonare.toml"
    write_rule(tmp_path, "telegram:user1", ANN)
    write_rule(tmp_path, "telegram:user2", ANN)
    comment = "# about the last one\n[messages] # here\nowner = 'x' # [forget]\n"
    path.write_text(path.read_text() + "\n" + comment)
    changed = ANN.model_copy(update={"names": ("Bo",)})

    write_rule(tmp_path, "telegram:user2", changed)

    assert path.read_text().endswith("\n\n" + comment)
    found = tomllib.loads(path.read_text())
    assert found["messages"] == {"owner": "x"}
    assert found["forget"]["people"]["telegram:user1"] == {"names": ["Ann"], "clear": ["ab"]}
    assert found["forget"]["people"]["telegram:user2"] == {"names": ["Bo"], "clear": ["ab"]}


def test_a_rule_in_another_form_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "resonare.toml"
    path.write_text('[forget]\npeople = {"telegram:user1" = {names = ["Ann"]}}\n')
    before = path.read_text()

    with pytest.raises(SettingsError, match="cannot be edited"):
        write_rule(tmp_path, "telegram:user1", ANN)
    assert path.read_text() == before


def test_mode_and_link_of_the_file_stay(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.toml"
    real.write_text("# mine\n")
    real.chmod(0o600)
    (tmp_path / "resonare.toml").symlink_to(real)

    write_rule(tmp_path, "telegram:user1", ANN)

    assert (tmp_path / "resonare.toml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert real.read_text().startswith("# mine\n")


def test_line_ends_of_the_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "resonare.toml"
    path.write_bytes(b"# mine\r\n[forget]\r\n")

    write_rule(tmp_path, "telegram:user1", ANN)
    write_rule(tmp_path, "telegram:user1", ForgottenPerson(names=("a\x85b\u2028c\r",)))

    assert path.read_bytes().startswith(b"# mine\r\n[forget]\r\n")
    assert ruled(tmp_path)["telegram:user1"].names == ("a\x85b\u2028c\r",)


@example(person_id="\x85", names=["\u2028"], before="")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    person_id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=3),
    before=st.sampled_from(["", "a = 1", "# x\n[t]\nb = [\n 1,\n]\n", "[t.u]\n\n\n"]),
)
def test_any_name_survives_and_all_else_stays(
    tmp_path: Path, person_id: str, names: list[str], before: str
) -> None:
    (tmp_path / "resonare.toml").write_text(before)
    person = ForgottenPerson(names=tuple(names))

    write_rule(tmp_path, person_id, ForgottenPerson(names=("first",)))
    write_rule(tmp_path, person_id, person)

    text = (tmp_path / "resonare.toml").read_text()
    assert text.startswith(before)
    found = tomllib.loads(text)
    assert found.pop("forget") == {"people": {person_id: {"names": names, "clear": []}}}
    assert found == tomllib.loads(before)
