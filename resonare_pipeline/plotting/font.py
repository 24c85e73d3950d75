"""The font of the plots, which comes with the project: its place and its hash."""

from functools import cache
from pathlib import Path

from resonare_pipeline.bundled import shipped_bytes
from resonare_pipeline.errors import StageError

FONT_NAME = "DejaVuSans.ttf"
FONT_SHA256 = "3fdf69cabf06049ea70a00b5919340e2ce1e6d02b0cc3c4b44fb6801bd1e0d22"

_FOLDER = Path(__file__).parents[1] / "fonts"


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
    return shipped_bytes(_FOLDER / FONT_NAME, FONT_SHA256, "font of the plots", StageError)
