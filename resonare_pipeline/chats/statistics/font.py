"""The font of the plots, which comes with the project: its place and its hash."""

import hashlib
from functools import cache
from pathlib import Path

from resonare_pipeline.errors import StageError

FONT_NAME = "DejaVuSans.ttf"
FONT_SHA256 = "3fdf69cabf06049ea70a00b5919340e2ce1e6d02b0cc3c4b44fb6801bd1e0d22"

_FOLDER = Path(__file__).parents[2] / "fonts"


def plot_ingredients() -> dict[str, str]:
    """Return file name → SHA-256 of the files that decide how plots look, for fingerprints.

    Opens none: the font is checked against this hash when it is read.
    """
    return {FONT_NAME: FONT_SHA256}


@cache
def font_bytes() -> bytes:
    """Return the font.

    Raises:
        StageError: If it is not the one that came with the project.
    """
    path = _FOLDER / FONT_NAME
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != FONT_SHA256:
        raise StageError(
            "not the font that plots are drawn with",
            where=str(path),
            expected=f"SHA-256 {FONT_SHA256}",
            remedy="Install the project anew",
        )
    return content
