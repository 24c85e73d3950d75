import contextlib
import errno
import io
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonare_pipeline.artifacts.files import (
    Files,
    LocalFiles,
    read_bytes,
    read_if_there,
    storage_errors,
    write_bytes,
)
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.errors import FileChangedError, InputError, MissingFileError, StoreError
from tests.places import Place, contents

NOBODY = 65534


@pytest.fixture
def read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand in a folder that may only be read; as root, be another user meanwhile."""
    tmp_path.chmod(0o555)
    monkeypatch.chdir(tmp_path)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield Path()
    finally:
        if is_root:
            os.seteuid(0)
        tmp_path.chmod(0o755)


def write_and_fail(files: Files, path: str, error: Exception) -> None:
    with files.open_write(path) as stream:
        stream.write(b"new")
        raise error


@pytest.mark.parametrize("path", ["../a", "a/../../b", "a/..", "/etc/passwd", "..", "a/../b"])
def test_path_that_leaves_the_root_is_refused_by_every_call(files: Files, path: str) -> None:
    def write() -> None:
        write_bytes(files, path, b"x")

    calls: list[Callable[[], object]] = [
        write,
        lambda: files.open_read(path),
        lambda: files.stat(path),
        lambda: list(files.walk(path)),
        lambda: files.children(path),
        lambda: files.below(path),
        lambda: files.move(path, "a"),
        lambda: files.move("a", path),
        lambda: files.delete(path),
        lambda: files.locate(path),
    ]
    for call in calls:
        with pytest.raises(StoreError, match="leaves its root"):
            call()


@pytest.mark.parametrize("path", ["", "."])
def test_delete_of_the_root_itself_is_refused(files: Files, path: str) -> None:
    write_bytes(files, "a", b"x")
    with pytest.raises(StoreError, match="root itself"):
        files.delete(path)
    assert read_bytes(files, "a") == b"x"


def test_open_write_when_the_block_fails_leaves_what_was_there(files: Files) -> None:
    write_bytes(files, "a/b", b"old")
    with pytest.raises(InputError):
        write_and_fail(files, "a/b", InputError("broken"))
    assert read_bytes(files, "a/b") == b"old"
    assert [path for path, _ in files.walk("", drafts=True)] == ["a/b"]


def test_open_write_while_the_block_runs_shows_the_old_file(files: Files) -> None:
    write_bytes(files, "a", b"old")
    with files.open_write("a") as stream:
        stream.write(b"new")
        stream.flush()
        assert read_bytes(files, "a") == b"old"
    assert read_bytes(files, "a") == b"new"


def test_open_write_when_the_body_fails_to_reach_a_service_keeps_that_error(
    files: Files,
) -> None:
    with pytest.raises(ConnectionError, match="refused"):
        write_and_fail(files, "a", ConnectionError("refused"))


def test_walk_leaves_out_drafts_unless_asked(place: Place) -> None:
    files = place.files
    write_bytes(files, "a/x", b"1")
    with files.open_write("a/y") as stream:
        stream.write(b"2" * place.draft_bytes)
        assert [path for path, _ in files.walk("a")] == ["a/x"]
        assert len(list(files.walk("a", drafts=True))) == 2


def test_walk_yields_files_below_a_folder_by_name(files: Files) -> None:
    for path in ("b/2", "b/1", "a", "b/c/3"):
        write_bytes(files, path, b"12")
    assert [path for path, _ in files.walk("b")] == ["b/1", "b/2", "b/c/3"]
    assert [path for path, _ in files.below("b").walk("")] == ["1", "2", "c/3"]
    assert {stat.size for _, stat in files.walk("")} == {2}
    assert list(files.walk("absent")) == []
    assert list(files.walk("a")) == []


def test_stat_of_what_is_no_file_is_none(files: Files) -> None:
    write_bytes(files, "a/b", b"")
    assert files.stat("a") is None
    assert files.stat("absent") is None
    assert files.stat("a/b/c") is None


def test_walk_orders_paths_by_their_bytes_on_every_storage(files: Files) -> None:
    names = ["a/x", "a.txt", "a", "a-b", "B", "é", "😀", "ﬀ", "a b", "a/x.txt", "a/x-y", "_"]
    paths = [f"{index % 2}/{name}/f" for index, name in enumerate(names)] + ["1/a.txt.f"]
    for path in paths:
        write_bytes(files, path, b"")
    assert [path for path, _ in files.walk("")] == sorted(paths, key=str.encode)


def test_children_are_files_and_folders_in_order_of_path(files: Files) -> None:
    for path in ("in/a/x", "in/a.json", "in/b", "in/.hidden", "in/a/y", "other"):
        write_bytes(files, path, b"1")
    found = files.children("in")
    assert [(child.name, child.is_folder) for child in found or ()] == [
        (".hidden", False),
        ("a.json", False),
        ("a", True),
        ("b", False),
    ]
    for child in found or ():
        assert child.stat in (None, files.stat(f"in/{child.name}"))


def test_children_of_an_absent_folder_are_none_or_nothing(files: Files) -> None:
    assert not files.children("absent")
    assert not files.below("absent").children("")


def test_open_read_of_a_file_replaced_meanwhile_never_mixes_the_two(files: Files) -> None:
    size = 3_000_000
    write_bytes(files, "a", b"1" * size)
    with files.open_read("a") as stream:
        head = stream.read(1000)
        write_bytes(files, "a", b"2" * size)
        with contextlib.suppress(FileChangedError):
            assert head + stream.read() == b"1" * size


@given(
    moves=st.lists(st.tuples(st.integers(0, 1_100_000), st.integers(0, 700_000)), max_size=12),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None
)
def test_open_read_at_any_position_gives_the_bytes_there(
    files: Files, moves: list[tuple[int, int]]
) -> None:
    content = random.Random(1).randbytes(1_000_000)  # noqa: S311  # nothing secret
    if files.stat("a") is None:
        write_bytes(files, "a", content)
    with files.open_read("a") as stream:
        for start, length in moves:
            assert stream.seek(start) == start
            assert stream.read(length) == content[start : start + length]
        assert stream.seek(-7, io.SEEK_END) == len(content) - 7
        assert stream.read() == content[-7:]


def test_open_write_of_any_size_gives_the_same_bytes_back(place: Place) -> None:
    for size in (0, 1, place.draft_bytes - 1, place.draft_bytes, place.draft_bytes + 1):
        content = random.Random(size).randbytes(size)  # noqa: S311  # nothing secret
        write_bytes(place.files, "a", content)
        assert read_bytes(place.files, "a") == content
        stat = place.files.stat("a")
        assert stat == dict(place.files.walk(""))["a"]
        assert stat
        assert stat.size == size


def test_open_write_when_a_long_block_fails_leaves_nothing(place: Place) -> None:
    def fail() -> None:
        with place.files.open_write("a") as stream:
            stream.write(b"2" * (2 * place.draft_bytes + 1))
            raise InputError("broken")

    with pytest.raises(InputError):
        fail()
    assert list(place.files.walk("", drafts=True)) == []


def test_move_takes_a_folder_with_all_in_it_and_nothing_else(files: Files) -> None:
    for path in ("a/x", "a/b/y", "ab", "a.txt"):
        write_bytes(files, path, path.encode())
    files.move("a", "c/d")
    assert contents(files) == {
        "a.txt": b"a.txt",
        "ab": b"ab",
        "c/d/b/y": b"a/b/y",
        "c/d/x": b"a/x",
    }


def test_delete_takes_a_folder_with_drafts_and_nothing_else(place: Place) -> None:
    for path in ("a/x", "a/b/y", "ab", "a.txt"):
        write_bytes(place.files, path, b"1")
    place.leave_draft("a/b/dead", b"1", days=0)
    place.leave_draft("ab2/dead", b"1", days=0)
    place.files.delete("a")
    left = [path for path, _ in place.files.walk("", drafts=True)]
    assert [path for path in left if not path.endswith(".tmp")] == ["a.txt", "ab"]
    [draft] = [path for path in left if path.endswith(".tmp")]
    assert draft.startswith("ab2/")
    place.files.delete(draft)
    assert [path for path, _ in place.files.walk("", drafts=True)] == ["a.txt", "ab"]


def test_stat_of_a_touched_file_is_another_version(place: Place) -> None:
    files = place.files
    write_bytes(files, "a", b"x")
    before = files.stat("a")
    place.touch("a")
    after = files.stat("a")
    assert before is not None
    assert before != after


def test_delete_of_what_is_not_there_does_nothing(files: Files) -> None:
    files.delete("a/b")


def test_move_of_what_is_not_there_does_nothing(files: Files) -> None:
    files.move("a", "b")
    assert list(files.walk("")) == []


def test_read_if_there_tells_absent_from_unreadable(files: Files) -> None:
    write_bytes(files, "a/b", b"x")
    assert read_if_there(files, "a/b") == b"x"
    assert read_if_there(files, "a/c") is None


def test_read_if_there_of_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StoreError, match="symbolic links"):
        read_if_there(LocalFiles(tmp_path), "loop")


def test_open_read_of_a_missing_file_says_which(files: Files) -> None:
    with pytest.raises(MissingFileError, match=rf"{files.locate('gone')}: No such file"):
        files.open_read("gone")


def test_open_write_in_a_read_only_folder_says_what_to_do(read_only_folder: Path) -> None:
    with pytest.raises(StoreError, match=r"Permission denied.*Give this user permission"):
        write_bytes(LocalFiles(read_only_folder), "stages/a", b"x")


def test_storage_errors_of_a_full_device_say_what_to_do() -> None:
    with (
        pytest.raises(StoreError, match=r"^the place: No space left.*Free some space"),
        storage_errors("the place"),
        Path("/dev/full").open("wb", buffering=0) as device,
    ):
        device.write(b"x")


def test_storage_errors_keep_the_first_explanation() -> None:
    with pytest.raises(StoreError, match=r"^inner: "), storage_errors("outer"):  # noqa: SIM117
        with storage_errors("inner"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_root_that_is_a_file_says_that_a_folder_is_needed(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"")
    with pytest.raises(StoreError, match="at folders"):
        write_bytes(LocalFiles(tmp_path / "store"), "a/b", b"x")


def test_open_files_of_another_scheme_is_refused() -> None:
    with pytest.raises(StoreError, match=r"ftp://host: .*not supported"):
        open_files("ftp://host")


def test_open_files_of_a_folder_keeps_its_name(tmp_path: Path) -> None:
    assert open_files(str(tmp_path)).uri == str(tmp_path)


@pytest.mark.parametrize("root", ["/", "/a", "a/b", "."])
@pytest.mark.parametrize("path", ["", ".", "x", "x/y.z", "x//y", "x/./y", "x/", ".x/y", "..x", "é"])
def test_locate_on_disk_is_the_path_below_the_root(root: str, path: str) -> None:
    assert LocalFiles(Path(root)).locate(path) == str(Path(root) / path)


@pytest.mark.parametrize("path", ["..", "../x", "x/../y", "x/..", "/x"])
def test_locate_on_disk_refuses_what_leaves_the_root(path: str) -> None:
    with pytest.raises(StoreError, match="leaves its root"):
        LocalFiles(Path("/a")).locate(path)
