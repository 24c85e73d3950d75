import unicodedata
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.errors import InputError, StoreError
from resonare_pipeline.planning.raw import list_one, list_raw, partition_key
from tests.planning.toy import TEXTS


def _write(path: Path, content: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_list_raw_takes_files_and_folders_by_name(tmp_path: Path) -> None:
    for name in ("a.txt", "b.v2.txt", "c/one.txt", "c/deep/two.txt", ".hidden.txt", "notes.md"):
        _write(tmp_path / "texts" / name)
    listing = list_raw(LocalFiles(tmp_path), [TEXTS])
    assert listing.keys(TEXTS) == ["a", "b.v2", "c"]
    assert list(listing.inputs["texts", "c"].entries) == ["c/deep/two.txt", "c/one.txt"]
    assert listing.problems == {}


def test_list_raw_without_folder_is_empty(tmp_path: Path) -> None:
    assert list_raw(LocalFiles(tmp_path), [TEXTS]).is_empty


def test_list_raw_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    _write(tmp_path / "texts")
    with pytest.raises(StoreError, match="not a folder"):
        list_raw(LocalFiles(tmp_path), [TEXTS])


def test_list_raw_two_inputs_of_one_name_names_both(tmp_path: Path) -> None:
    _write(tmp_path / "texts/a.txt")
    _write(tmp_path / "texts/a/part.txt")
    _write(tmp_path / "texts/b.txt")
    listing = list_raw(LocalFiles(tmp_path), [TEXTS])
    assert list(listing.inputs) == [("texts", "b")]
    message = str(listing.problems["texts", "a"])
    assert "a.txt" in message
    assert str(tmp_path / "texts/a") in message
    assert listing.keys(TEXTS) == ["a", "b"]


def test_list_raw_same_name_in_two_normal_forms_is_one_key(tmp_path: Path) -> None:
    composed = unicodedata.normalize("NFC", "josé")
    _write(tmp_path / "texts" / f"{composed}.txt")
    _write(tmp_path / "texts" / unicodedata.normalize("NFD", composed) / "x.txt")
    listing = list_raw(LocalFiles(tmp_path), [TEXTS])
    assert set(listing.problems) == {("texts", composed)}


def test_list_raw_folder_without_members_says_what_was_expected(tmp_path: Path) -> None:
    _write(tmp_path / "texts/photos/one.jpg")
    listing = list_raw(LocalFiles(tmp_path), [TEXTS])
    message = str(listing.problems["texts", "photos"])
    assert "1 files but none of *.txt" in message
    assert "expected a text file" in message


@pytest.mark.parametrize("name", [".hidden", "a/b", "tab\there", "", "line\nbreak", "caf\udce9"])
def test_partition_key_unusable_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot name a partition"):
        partition_key(name, is_file=False)


def test_list_one_unknown_ending_says_what_was_expected(tmp_path: Path) -> None:
    _write(tmp_path / "a.doc")
    with pytest.raises(InputError, match=r"ending '.doc'.*expected a text file"):
        list_one(tmp_path / "a.doc", [TEXTS])
    with pytest.raises(InputError, match="no such file"):
        list_one(tmp_path / "absent.txt", [TEXTS])
