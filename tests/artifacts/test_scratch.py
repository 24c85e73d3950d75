import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.scratch import scratch_folder
from resonare_pipeline.errors import StoreError

PROGRAM = """
import sys
from resonare_pipeline.artifacts.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "rows").write_bytes(b"left behind")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def folder_of(program: subprocess.Popen[str]) -> Path:
    assert program.stdout is not None
    return Path(program.stdout.readline().strip())


def test_folder_is_gone_behind_the_block_also_after_an_error(root: Path) -> None:
    def fail() -> None:
        with scratch_folder() as folder:
            (folder / "rows").write_bytes(b"x")
            assert folder.parent == root
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert list(root.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="needs locks that end with their process")
def test_folder_of_a_killed_process_goes_with_the_next_and_one_in_use_stays(root: Path) -> None:
    with started() as killed, started() as living:
        left, used = folder_of(killed), folder_of(living)
        killed.kill()
        killed.wait()
        assert (left / "rows").is_file()

        with scratch_folder():
            assert not left.exists()
            assert (used / "rows").is_file()

        living.communicate("")
    assert list(root.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="elsewhere nothing is swept")
def test_folders_and_links_that_only_look_like_it_stay(root: Path) -> None:
    precious = root / "precious"
    precious.mkdir()
    (precious / "lock").touch()
    link, strange = root / "resonare-scratch-link", root / "resonare-scratch-strange"
    link.symlink_to(precious)
    strange.mkdir()

    with scratch_folder():
        assert (precious / "lock").is_file()
        assert strange.is_dir()


def test_folder_that_cannot_be_made_is_an_error_that_names_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(root / "absent"))

    with pytest.raises(StoreError, match="temporary folder"), scratch_folder():
        pass
