"""The books group: a textbook → its chapters, and these cleaned."""

from functools import partial

from assets.columns import CHAPTER_COLUMNS
from resonare_pipeline.artifacts.manifest import CheckEntry
from resonare_pipeline.books.cleaning.making import (
    CleanChaptersSettings,
    check_clean_chapters,
    make_clean_chapters,
)
from resonare_pipeline.books.making import ChaptersSettings, check_chapters, make_chapter_rows
from resonare_pipeline.books.raw import make_book
from resonare_pipeline.books.tables import CHAPTERS
from resonare_pipeline.planning.graph import Check, Output, StageRun, asset
from resonare_pipeline.planning.raw import RawKind

BOOKS = RawKind(
    folder="books",
    partitions="books",
    suffixes=(".epub",),
    members=("*.epub",),
    expected="a textbook as EPUB without DRM (a file, or a folder that holds it)",
    item="book",
)

books_asset = partial(asset, group="books", raw=BOOKS)


@books_asset(
    reads_raw=True,
    distributions=("lxml",),
    outputs=(
        Output(
            asset="book",
            description="What a raw book says of itself, and its hash. The content is not copied.",
            kinds=("source", "json"),
        ),
    ),
)
def book(run: StageRun) -> None:
    """Identify a raw book, and refuse what is none or is protected."""
    sizes = {name: stat.size for name, stat in run.raw.entries.items()}
    make_book(sizes, dict(run.raw_hashes), run.raw.open, run.outputs["book"])


def _verify_chapters(run: StageRun) -> list[CheckEntry]:
    return check_chapters(run.outputs["chapters"].staged(), run.get(ChaptersSettings))


@books_asset(
    inputs=("book",),
    settings=(ChaptersSettings,),
    distributions=("lxml", "msgspec", "pyarrow"),
    outputs=(
        Output(
            asset="chapters",
            description="One row per section, in the order of reading, as Markdown; and one JSON "
            "document per chapter with its topics.",
            schema=CHAPTERS,
            columns=CHAPTER_COLUMNS,
            kinds=("table", "parquet"),
            deliver=("chapters/*.json", "contents.md"),
        ),
    ),
    checks=(
        Check(
            name="no_empty_chapter",
            asset="chapters",
            description="Every row has text.",
        ),
        Check(
            name="words_kept",
            asset="chapters",
            description="The words that a reader sees in the book are in its chapters.",
        ),
        Check(
            name="nothing_doubled",
            asset="chapters",
            description="No word stands in chapters more often than in the book.",
        ),
        Check(
            name="formulas_kept",
            asset="chapters",
            description="Every formula of the book is written.",
        ),
        Check(
            name="notes_with_their_calls",
            asset="chapters",
            description="Each section holds the notes that it calls, and no others.",
        ),
    ),
    verify=_verify_chapters,
)
def chapters(run: StageRun) -> None:
    """Read a book into sections of Markdown."""
    make_chapter_rows(
        run.inputs["book"],
        run.raw.key,
        run.raw.open,
        run.outputs["chapters"],
        run.get(ChaptersSettings),
        progress=run.progress,
    )


def _verify_clean_chapters(run: StageRun) -> list[CheckEntry]:
    return check_clean_chapters(run.outputs["clean_chapters"].staged(), run.inputs["chapters"])


@books_asset(
    inputs=("book", "chapters"),
    settings=(CleanChaptersSettings,),
    distributions=("ftfy", "msgspec", "pyarrow"),
    outputs=(
        Output(
            asset="clean_chapters",
            description="The same sections with their text mended: misread words, quotes, dashes, "
            "spaces, powers and units. Code and formulas are as they were.",
            schema=CHAPTERS,
            columns=CHAPTER_COLUMNS,
            kinds=("table", "parquet"),
            deliver=("clean_chapters/*.json", "cleaning.md"),
        ),
    ),
    checks=(
        Check(
            name="no_empty_clean_chapter",
            asset="clean_chapters",
            description="Every row has text still.",
        ),
        Check(
            name="code_and_formulas_untouched",
            asset="clean_chapters",
            description="Code and formulas are what they were in chapters.",
        ),
    ),
    verify=_verify_clean_chapters,
)
def clean_chapters(run: StageRun) -> None:
    """Mend what scanning and converting did to a book's text."""
    make_clean_chapters(
        run.inputs["book"],
        run.inputs["chapters"],
        run.outputs["clean_chapters"],
        run.get(CleanChaptersSettings),
    )


STAGES = (book, chapters, clean_chapters)
