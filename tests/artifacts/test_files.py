import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import (
    LocalFiles,
    read_bytes,
    read_if_there,
    storage_errors,
    write_bytes,
)
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.errors import InputError, StoreError

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


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path / "root")


def write_and_fail(files: LocalFiles, path: str, error: Exception) -> None:
    with files.open_write(path) as stream:
        stream.write(b"new")
        raise error


@pytest.mark.parametrize("path", ["../a", "a/../../b", "a/..", "/etc/passwd", "..", "a/../b"])
def test_path_that_leaves_the_root_is_refused_by_every_call(files: LocalFiles, path: str) -> None:
    def write() -> None:
        write_bytes(files, path, b"x")

    calls: list[Callable[[], object]] = [
        write,
        lambda: files.open_read(path),
        lambda: files.stat(path),
        lambda: list(files.walk(path)),
        lambda: files.move(path, "a"),
        lambda: files.move("a", path),
        lambda: files.delete(path),
        lambda: files.locate(path),
    ]
    for call in calls:
        with pytest.raises(StoreError, match="leaves its root"):
            call()


@pytest.mark.parametrize("path", ["", "."])
def test_delete_of_the_root_itself_is_refused(files: LocalFiles, path: str) -> None:
    write_bytes(files, "a", b"x")
    with pytest.raises(StoreError, match="root itself"):
        files.delete(path)
    assert read_bytes(files, "a") == b"x"


def test_open_write_when_the_block_fails_leaves_what_was_there(files: LocalFiles) -> None:
    write_bytes(files, "a/b", b"old")
    with pytest.raises(InputError):
        write_and_fail(files, "a/b", InputError("broken"))
    assert read_bytes(files, "a/b") == b"old"
    assert [path for path, _ in files.walk("", drafts=True)] == ["a/b"]


def test_open_write_while_the_block_runs_shows_the_old_file(files: LocalFiles) -> None:
    write_bytes(files, "a", b"old")
    with files.open_write("a") as stream:
        stream.write(b"new")
        stream.flush()
        assert read_bytes(files, "a") == b"old"
    assert read_bytes(files, "a") == b"new"


def test_open_write_when_the_body_fails_to_reach_a_service_keeps_that_error(
    files: LocalFiles,
) -> None:
    with pytest.raises(ConnectionError, match="refused"):
        write_and_fail(files, "a", ConnectionError("refused"))


def test_walk_leaves_out_drafts_unless_asked(files: LocalFiles) -> None:
    write_bytes(files, "a/x", b"1")
    with files.open_write("a/y"):
        assert [path for path, _ in files.walk("a")] == ["a/x"]
        assert len(list(files.walk("a", drafts=True))) == 2


def test_walk_yields_files_below_a_folder_by_name(files: LocalFiles) -> None:
    for path in ("b/2", "b/1", "a", "b/c/3"):
        write_bytes(files, path, b"12")
    assert [path for path, _ in files.walk("b")] == ["b/1", "b/2", "b/c/3"]
    assert {stat.size for _, stat in files.walk("")} == {2}
    assert list(files.walk("absent")) == []
    assert list(files.walk("a")) == []


def test_stat_of_what_is_no_file_is_none(files: LocalFiles) -> None:
    write_bytes(files, "a/b", b"")
    assert files.stat("a") is None
    assert files.stat("absent") is None
    assert files.stat("a/b/c") is None


def test_stat_of_a_touched_file_is_another_version(files: LocalFiles, tmp_path: Path) -> None:
    write_bytes(files, "a", b"x")
    before = files.stat("a")
    os.utime(tmp_path / "root" / "a", ns=(1, 1))
    after = files.stat("a")
    assert before is not None
    assert before != after


def test_delete_of_what_is_not_there_does_nothing(files: LocalFiles) -> None:
    files.delete("a/b")


def test_move_of_what_is_not_there_does_nothing(files: LocalFiles) -> None:
    files.move("a", "b")
    assert list(files.walk("")) == []


def test_read_if_there_tells_absent_from_unreadable(files: LocalFiles) -> None:
    write_bytes(files, "a/b", b"x")
    assert read_if_there(files, "a/b") == b"x"
    assert read_if_there(files, "a/c") is None


def test_read_if_there_of_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StoreError, match="symbolic links"):
        read_if_there(LocalFiles(tmp_path), "loop")


def test_open_read_of_a_missing_file_says_which(files: LocalFiles) -> None:
    with pytest.raises(StoreError, match=r"root/gone: No such file"):
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
