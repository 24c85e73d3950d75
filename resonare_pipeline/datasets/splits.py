"""Which split an example belongs to. Its root alone decides, so that no later data moves it.

A root (chat, book, …) is held out as a whole: neighbouring conversations of one chat know each
other. With a time, the future is held out as well, and what lies on the wrong side is left out.
"""

import hashlib
from collections.abc import Callable

from resonare_pipeline.datasets.settings import DatasetSettings

TRAIN = "train"
VALIDATION = "validation"
TEST = "test"


def draw(*parts: object) -> float:
    """Return a number in [0, 1) that depends on the parts alone, evenly spread over them."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:7]) / (1 << 56)


def splitter(settings: DatasetSettings) -> Callable[[str], str]:
    """Return the function from root id to split."""
    held_out_for_test = settings.test_part
    held_out = held_out_for_test + settings.validation_part

    def split_of(root_id: str) -> str:
        place = draw("split", settings.seed, root_id)
        if place < held_out_for_test:
            return TEST
        return VALIDATION if place < held_out else TRAIN

    return split_of


def in_time(split: str, started_us: int | None, ended_us: int | None, border_us: int) -> bool:
    """Tell whether an example lies on its split's side of the border; one without times does not.

    Args:
        started_us: Its first message's time, in µs since 1970, as all times here.
        border_us: Examples of train end before it, those of the others start from it on.
    """
    if started_us is None or ended_us is None:
        return False
    return ended_us < border_us if split == TRAIN else started_us >= border_us
