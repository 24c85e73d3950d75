"""What describing the images of some messages would take, before any of them is read."""

from itertools import repeat

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.chats.images.describing import Viewing, image_request
from resonare_pipeline.chats.images.finding import ImageFiles, image_rows
from resonare_pipeline.completions.estimating import Estimate, estimate

MESSAGES_FILE = "messages.parquet"


def expected_images(
    messages: Artifact, files: ImageFiles, viewing: Viewing, *, most: int | None = None
) -> Estimate:
    """Estimate the requests for all images that messages show, each file once.

    It is an upper bound: which of them are answered in the cache, left out by their senders or
    time, or alike, is known when they are read.

    Args:
        messages: The messages.
        files: The images.
        viewing: Who describes them.
        most: No more than so many are to be described; None: all.
    """
    columns = ["media_kind", "media_path"]
    found = {
        file.path
        for batch in messages.batches(MESSAGES_FILE, columns=columns)
        for _, path in image_rows(batch)
        if (file := files.find(path)) is not None
    }
    request = image_request(viewing, viewing.prompt(), b"", "image/jpeg")
    count = len(found) if most is None else min(most, len(found))
    return estimate(repeat(request, count), viewing.settings)
