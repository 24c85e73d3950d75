"""From Signal's flat files to a file of training data, in one call."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from resonare_pipeline.errors import InputError, MissingFileError
from resonare_pipeline.signal_columns import separator_in
from resonare_pipeline.style.arguments import Path_, checked, file_path
from resonare_pipeline.style.clock import zone_of
from resonare_pipeline.style.columns import columns_of
from resonare_pipeline.style.creator import TrainingDataCreator
from resonare_pipeline.style.enhancing import ENHANCED, DescribeImage, enhance_frame
from resonare_pipeline.style.filters import apply_filters, parse_filters
from resonare_pipeline.style.strategies import count_by_strategy, known_strategies

MOST_HEADER = 1 << 16  # bytes; names of columns take two thousand


@checked
def create_training_data_from_signal(
    messages_csv_path: Path_,
    recipients_csv_path: Path_ | None,
    output_path: Path_,
    your_recipient_id: int | str = 2,
    include_twitter: bool = True,  # noqa: FBT001, FBT002  # a published signature
    include_images: bool = True,  # noqa: FBT001, FBT002
    strategies: Sequence[str] = ("conversational",),
    max_examples: int | None = None,
    filters: Mapping[str, Any] | None = None,
    *,
    describe_image: DescribeImage | None = None,
    time_zone: str = "UTC",
    seed: int = 0,
) -> dict[str, Any]:
    """Read Signal's files, make examples, write them, and return what came of it.

    Args:
        messages_csv_path: signal.csv, or message.csv.
        recipients_csv_path: recipient.csv; None: ids stand for names, and `exclude_blocked` is
            refused, since nothing tells who is blocked.
        output_path: Gets the examples and the style; JSON, or JSON lines if it ends with .jsonl.
        include_twitter: Put what is known of a tweet in the place of its link.
        include_images: Add descriptions of images, from the column `image_description` or by
            `describe_image`. No model is called unless it is given.
        filters: `min_message_length`, `exclude_blocked`, `date_range` (both days included).

    Returns:
        `success` (whether there are any examples), `total_examples`, `examples_by_type`,
        `style_analysis`, `output_path`, `processing_time` (seconds), `enhanced_messages`.

    Raises:
        MissingFileError: If there is no such file; a FileNotFoundError too.
        InputError: If a file is no CSV, or lacks columns.
    """
    started = time.perf_counter()
    target = file_path(output_path, "output_path")
    known_strategies(strategies)
    creator = TrainingDataCreator(your_recipient_id, time_zone=time_zone, seed=seed)
    rules = parse_filters(filters, zone_of(time_zone))
    messages = read_csv(messages_csv_path, "messages_csv_path")
    recipients = (
        None
        if recipients_csv_path is None
        else read_csv(recipients_csv_path, "recipients_csv_path")
    )
    columns_of(messages)
    frame = enhance_frame(
        apply_filters(messages, recipients, rules, your_recipient_id),
        tweets=include_twitter,
        images=include_images,
        describe_image=describe_image,
    )
    length = {"min_message_length": rules.min_message_length}
    examples, style = creator.create_training_examples(
        frame,
        recipients,
        strategies=strategies,
        include_twitter_content=False,  # enhanced already
        max_examples=max_examples,
        filters=length,
    )
    written = creator.save_training_data(examples, target, style_analysis=style)
    return {
        "success": bool(examples),
        "total_examples": len(examples),
        "examples_by_type": count_by_strategy(examples),
        "style_analysis": style,
        "output_path": str(written),
        "processing_time": round(time.perf_counter() - started, 3),
        "enhanced_messages": int(frame[ENHANCED].sum()),
    }


def read_csv(path: Path_, name: str) -> pd.DataFrame:
    r"""Read one of Signal's flat files.

    Lines end with \n alone: a message may hold a \r, which is not quoted there. Where the first
    line ends with \r\n, all do, since another program wrote the file.

    Args:
        name: Of the argument that the path was given as.

    Raises:
        MissingFileError: If there is no such file.
        InputError: If it is no CSV, or a folder, or cannot be read.
    """
    path = file_path(path, name)
    try:
        with path.open("rb") as stream:
            first = stream.readline(MOST_HEADER)
        end = None if first.endswith(b"\r\n") else "\n"
        separator = separator_in(first.decode("utf-8", "replace"))
        return pd.read_csv(path, sep=separator, lineterminator=end, low_memory=False)
    except FileNotFoundError as error:
        raise MissingFileError(
            "there is no such file", where=str(path), remedy="Export Signal's flat files first"
        ) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except pd.errors.EmptyDataError as error:
        raise InputError(
            "the file is empty", where=str(path), expected="a flat file of Signal, in UTF-8"
        ) from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(
            "cannot be read as CSV", where=str(path), expected="a flat file of Signal, in UTF-8"
        ) from error
