import os
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import Files, LocalFiles, write_bytes
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.errors import InputError, StoreError
from resonare_pipeline.planning.raw import MemberSet, list_one, list_raw, partition_key
from tests.places import DiskPlace, Place
from tests.planning.toy import TEXTS

PICTURED = replace(TEXTS, attachments=("*.jpg", "*.png"))


@pytest.fixture
def disk_files(tmp_path: Path) -> Files:
    return LocalFiles(tmp_path)


def _write(files: Files, *paths: str) -> None:
    for path in paths:
        write_bytes(files, path, b"x")


def test_list_raw_takes_files_and_folders_by_name(files: Files) -> None:
    names = ("a.txt", "b.v2.TXT", "c/one.txt", "c/deep/two.txt", ".hidden.txt", "notes.md")
    _write(files, *(f"texts/{name}" for name in names), "texts/.dir/x.txt", "texts/c/.x/y.txt")
    listing = list_raw(files, [TEXTS])
    assert listing.keys(TEXTS) == ["a", "b.v2", "c"]
    assert list(listing.inputs["texts", "c"].entries) == ["c/deep/two.txt", "c/one.txt"]
    assert listing.problems == {}
    assert listing.roots_missing == ()
    single = listing.inputs["texts", "a"]
    assert single.entries == {"a.txt": files.stat("texts/a.txt")}
    assert single.where == files.locate("texts/a.txt")
    with single.open("a.txt") as stream:
        assert stream.read() == b"x"


def test_list_raw_of_one_key_is_that_alone(files: Files) -> None:
    _write(files, "texts/a.txt", "texts/b.txt", "texts/c/x.txt", "texts/a.v2.txt")
    for key in ("a", "c", "a.v2"):
        listing = list_raw(files, [TEXTS], only=key)
        assert listing.keys(TEXTS) == [key]
        alone, among = (found.inputs["texts", key] for found in (listing, list_raw(files, [TEXTS])))
        assert alone.entries == among.entries
    assert list_raw(files, [TEXTS], only="nobody").is_empty


def test_list_raw_without_folder_is_empty(place: Place) -> None:
    listing = list_raw(place.files, [TEXTS])
    assert listing.is_empty
    on_disk = isinstance(place, DiskPlace)
    assert listing.roots_missing == ((place.files.locate("texts"),) if on_disk else ())


def test_list_raw_folder_that_is_a_file_is_an_error(disk_files: Files) -> None:
    _write(disk_files, "texts")
    with pytest.raises(StoreError, match="not a folder"):
        list_raw(disk_files, [TEXTS])


def test_list_raw_of_a_bucket_that_is_not_there_is_an_error(bucket: str) -> None:
    with pytest.raises(StoreError, match=r"s3://not-\S+/raw/texts/: no such bucket"):
        list_raw(open_files(f"s3://not-{bucket[:20]}/raw"), [TEXTS])


def test_list_raw_two_inputs_of_one_name_names_both(files: Files) -> None:
    _write(files, "texts/a.txt", "texts/a/part.txt", "texts/b.txt")
    listing = list_raw(files, [TEXTS])
    assert list(listing.inputs) == [("texts", "b")]
    message = str(listing.problems["texts", "a"])
    assert files.locate("texts/a.txt") in message
    assert f"{files.locate('texts/a')};" in message.replace("/part.txt", "")
    assert listing.keys(TEXTS) == ["a", "b"]


def test_list_raw_same_name_in_two_normal_forms_is_one_key(files: Files) -> None:
    composed = unicodedata.normalize("NFC", "josé")
    decomposed = unicodedata.normalize("NFD", composed)
    _write(files, f"texts/{composed}.txt", f"texts/{decomposed}/x.txt")
    listing = list_raw(files, [TEXTS])
    assert set(listing.problems) == {("texts", composed)}


def test_list_raw_folder_without_members_says_what_was_expected(files: Files) -> None:
    _write(files, "texts/photos/one.jpg")
    listing = list_raw(files, [TEXTS])
    message = str(listing.problems["texts", "photos"])
    assert files.locate("texts/photos") in message
    assert "1 files but none of *.txt" in message
    assert "expected a text file" in message


def test_list_raw_symbolic_link_to_nothing_is_a_problem_of_its_own(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    _write(files, "texts/a.txt")
    (tmp_path / "texts/gone.txt").symlink_to("nowhere")
    (tmp_path / "texts/loop.txt").symlink_to("loop.txt")
    listing = list_raw(files, [TEXTS])
    assert set(listing.inputs) == {("texts", "a")}
    assert set(listing.problems) == {("texts", "gone"), ("texts", "loop")}


@pytest.mark.parametrize(
    "name", [".hidden", "a/b", "tab\there", "", "line\nbreak", "caf\udce9", "a...b"]
)
def test_partition_key_unusable_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot name a partition"):
        partition_key(name, is_file=False)


def test_list_one_unknown_ending_says_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "a.doc").write_text("x")
    with pytest.raises(InputError, match=r"ending '.doc'.*expected a text file"):
        list_one(tmp_path / "a.doc", [TEXTS])
    with pytest.raises(InputError, match="no such file"):
        list_one(tmp_path / "absent.txt", [TEXTS])


def test_list_raw_attaches_regular_files_of_the_input_alone(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path / "raw")
    _write(files, "texts/a/a.txt", "texts/a/photos/one.jpg", "texts/b/b.txt", "texts/b/other.jpg")
    _write(LocalFiles(tmp_path), "private.png")
    photos = tmp_path / "raw/texts/a/photos"
    (photos / "again.jpg").symlink_to("one.jpg")
    (photos / "private.png").symlink_to(tmp_path / "private.png")
    (photos / "neighbour.jpg").symlink_to("../../b/other.jpg")
    (photos / "loop").symlink_to("../photos")
    os.mkfifo(photos / "pipe.png")
    listing = list_raw(files, [PICTURED])
    assert listing.problems == {}
    assert list(listing.inputs["texts", "a"].attachments) == [
        "a/photos/again.jpg",
        "a/photos/one.jpg",
    ]


def test_list_raw_attaches_what_lies_in_an_input_that_is_a_link(tmp_path: Path) -> None:
    _write(LocalFiles(tmp_path), "disk/a/a.txt", "disk/a/one.jpg")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/a").symlink_to(tmp_path / "disk/a")
    [found] = list_raw(LocalFiles(tmp_path), [PICTURED]).inputs.values()
    assert list(found.attachments) == ["a/one.jpg"]


def test_list_raw_takes_members_that_are_links_to_elsewhere(tmp_path: Path) -> None:
    _write(LocalFiles(tmp_path), "disk/one.txt", "texts/a/two.txt")
    (tmp_path / "texts/a/one.txt").symlink_to(tmp_path / "disk/one.txt")
    (tmp_path / "texts/a/more").symlink_to(tmp_path / "disk")
    [found] = list_raw(LocalFiles(tmp_path), [PICTURED]).inputs.values()
    assert list(found.entries) == ["a/more/one.txt", "a/one.txt", "a/two.txt"]


def test_list_raw_attaches_no_member_whatever_its_name(files: Files) -> None:
    kind = replace(TEXTS, members=("*.txt",), attachments=("*.txt", "*.jpg"))
    _write(files, "texts/a/one.txt", "texts/a/one.JPG")
    [found] = list_raw(files, [kind]).inputs.values()
    assert (list(found.entries), list(found.attachments)) == (["a/one.txt"], ["a/one.JPG"])


def test_list_raw_first_set_of_members_that_has_a_sign_decides(files: Files) -> None:
    tables = MemberSet(signs=("main.csv",), files=("main.csv", "side*.csv"))
    kind = replace(TEXTS, members=("result*.txt", tables, "*.txt"))
    _write(files, "texts/a/result1.txt", "texts/a/main.csv", "texts/a/x.txt")
    _write(files, "texts/b/MAIN.csv", "texts/b/side2.csv", "texts/b/other.csv", "texts/b/x.txt")
    _write(files, "texts/c/side1.csv", "texts/c/x.txt")
    listing = list_raw(files, [kind])
    assert {key: list(raw.entries) for (_, key), raw in listing.inputs.items()} == {
        "a": ["a/result1.txt"],
        "b": ["b/MAIN.csv", "b/side2.csv"],
        "c": ["c/x.txt"],
    }
