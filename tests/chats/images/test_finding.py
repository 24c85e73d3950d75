import unicodedata

import pytest

from resonare_pipeline.chats.images.finding import ImageFile, ImageFiles

COMPOSED = unicodedata.normalize("NFC", "photos/Füße.png")
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


def _files(*paths: str) -> ImageFiles:
    """Return files of an album, each of other bytes."""
    hashes = {f"album/{path}": f"hash {number}" for number, path in enumerate(paths)}
    return ImageFiles(hashes, ["album/result.json"])


def _found(files: ImageFiles, media_path: str) -> str | None:
    file = files.find(media_path)
    return None if file is None else file.path.removeprefix("album/")


@pytest.mark.parametrize(("said", "lies"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_find_takes_a_name_in_the_other_normal_form(said: str, lies: str) -> None:
    assert said != lies
    assert _files(lies).find(said) == ImageFile(path=f"album/{lies}", sha256="hash 0")


def test_find_takes_the_folder_of_the_export_in_either_normal_form() -> None:
    files = ImageFiles({"josé/photos/a.png": "hash"}, ["jose\u0301/result.json"])
    assert files.find("photos/a.png") is not None


@pytest.mark.parametrize("said", ["photos/A.PNG", "Photos/a.png", "photos\\A.png"])
def test_find_overlooks_case_where_one_file_answers(said: str) -> None:
    assert _found(_files("photos/a.png", "photos/b.png"), said) == "photos/a.png"


def test_find_overlooks_case_of_a_name_in_the_other_normal_form() -> None:
    assert _found(_files(DECOMPOSED.upper()), COMPOSED.lower()) == DECOMPOSED.upper()


def test_find_takes_the_name_as_it_is_written_before_others_like_it() -> None:
    files = _files("photos/a.png", "photos/A.png", COMPOSED, DECOMPOSED)
    for name in ("photos/a.png", "photos/A.png", COMPOSED, DECOMPOSED):
        assert _found(files, name) == name


def test_find_takes_none_of_two_that_differ_in_case_alone() -> None:
    assert _found(_files("photos/a.png", "photos/A.png"), "photos/a.PNG") is None


def test_find_takes_either_of_two_that_hold_the_same() -> None:
    files = ImageFiles({"b/photos/a.png": "one", "b/photos/A.png": "one"}, ["b/result.json"])
    found = files.find("photos/a.PNG")
    assert found is not None
    assert found.sha256 == "one"


@pytest.mark.parametrize("said", ["../other/a.png", "/album/photos/a.png", "photos/c.png"])
def test_find_takes_nothing_outside_of_the_export_or_absent(said: str) -> None:
    assert _files("photos/a.png").find(said) is None
