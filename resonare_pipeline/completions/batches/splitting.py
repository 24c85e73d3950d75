"""An input file of any size → files that a batch takes, beside it or in a folder.

Nothing is written unless every line is right, and then all files or none.
"""

import re
import tempfile
from pathlib import Path
from typing import BinaryIO

from resonare_pipeline.artifacts.files import storage_errors
from resonare_pipeline.completions.batches.checking import InputFile
from resonare_pipeline.completions.batches.parting import Limits, Part, plan_parts, write_parts
from resonare_pipeline.errors import StoreError

NAME = "{stem}_split_{number}.jsonl"


def split_file(
    file: InputFile, folder: Path, limits: Limits, *, assumed_output_tokens: int
) -> list[tuple[Path, Part]]:
    """Split an input file, and return the files with what is in each.

    Args:
        file: The input file.
        folder: Where to; it is made if it is not there.
        limits: Of each file.
        assumed_output_tokens: Length of an answer whose request does not bound it.

    Raises:
        InputError: For a file that is none of a batch's requests.
        StoreError: If files of an earlier split would stay beside these, or none can be written.
    """
    path = file.path
    parts = plan_parts(
        file.checked(), limits, where=path, assumed_output_tokens=assumed_output_tokens
    )
    paths = [
        folder / NAME.format(stem=path.stem, number=number) for number in range(1, len(parts) + 1)
    ]
    _require_no_others(folder, path.stem, set(paths))
    with storage_errors(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".split-") as drafts:
            names = {id(part): Path(drafts) / place.name for part, place in _both(parts, paths)}

            def opening(part: Part) -> BinaryIO:
                return names[id(part)].open("wb")

            write_parts(file, parts, opening)
            for part, place in _both(parts, paths):
                names[id(part)].replace(place)
    return [(place, part) for part, place in _both(parts, paths)]


def _both(parts: list[Part], paths: list[Path]) -> list[tuple[Part, Path]]:
    return list(zip(parts, paths, strict=True))


def _require_no_others(folder: Path, stem: str, paths: set[Path]) -> None:
    """Refuse to leave files beside the new ones that would be taken for some of them."""
    if not folder.is_dir():
        return
    form = re.compile(re.escape(NAME.format(stem=stem, number="#")).replace(r"\#", r"\d+"))
    others = sorted(
        place.name
        for place in folder.iterdir()
        if form.fullmatch(place.name) and place not in paths
    )
    if others:
        raise StoreError(
            f"files of an earlier split are there: {others[0]}"
            + (f" and {len(others) - 1} more" if len(others) > 1 else ""),
            where=str(folder),
            expected=f"none beside the {len(paths)} that are to be written",
            remedy="Remove them, or name another folder with -o",
        )
