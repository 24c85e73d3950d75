"""What walking a folder on disk makes of links, pipes and names that lead nowhere."""

import os
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import LocalFiles


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "root" / "album"
    (folder / "photos").mkdir(parents=True)
    (folder / "photos/a.png").write_bytes(b"own")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/b.png").write_bytes(b"foreign")
    return folder


def _walked(folder: Path) -> dict[str, bool]:
    """Return path → whether the file is the folder's own."""
    files = LocalFiles(folder.parent)
    return {path: stat.is_own for path, stat in files.walk(folder.name)}


def test_walk_tells_links_that_lead_out_from_those_that_stay(album: Path) -> None:
    (album / "in.png").symlink_to("photos/a.png")
    (album / "out.png").symlink_to(album.parent.parent / "elsewhere/b.png")
    (album / "folder").symlink_to(album.parent.parent / "elsewhere")
    (album / "same").symlink_to("photos")
    assert _walked(album) == {
        "album/folder/b.png": False,
        "album/in.png": True,
        "album/out.png": False,
        "album/photos/a.png": True,
        "album/same/a.png": True,
    }


def test_walk_takes_a_folder_whose_name_begins_alike_for_another(album: Path) -> None:
    beside = album.parent / "album of another"
    beside.mkdir()
    (beside / "c.png").write_bytes(b"foreign")
    (album / "c.png").symlink_to(beside / "c.png")
    assert _walked(album) == {"album/c.png": False, "album/photos/a.png": True}


def test_walk_of_a_folder_that_is_a_link_has_files_of_its_own(album: Path) -> None:
    link = album.parent / "linked"
    link.symlink_to(album)
    assert _walked(link) == {"linked/photos/a.png": True}


def test_walk_through_links_to_folders_above_ends(album: Path) -> None:
    (album / "photos/loop").symlink_to(album / "photos")
    (album / "photos/up").symlink_to("../..")
    found = _walked(album)
    assert found.pop("album/photos/a.png")
    # The folder around the album is not the album's own, and is walked no more than once.
    assert found == {}.fromkeys(found, False)
    assert all(path.count("/up/") == 1 for path in found)


def test_walk_passes_over_links_that_lead_nowhere(album: Path) -> None:
    (album / "gone.png").symlink_to("nowhere.png")
    (album / "self.png").symlink_to("self.png")
    (album / "through.png").symlink_to("photos/a.png/deeper")
    assert _walked(album) == {"album/photos/a.png": True}


def test_walk_calls_a_pipe_none_of_the_folder_s_own(album: Path) -> None:
    os.mkfifo(album / "photos/pipe.png")
    assert _walked(album) == {"album/photos/a.png": True, "album/photos/pipe.png": False}
