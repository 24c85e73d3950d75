"""What models an endpoint offers, for the message that it does not know the one that was asked."""

import difflib
from collections.abc import Sequence

import msgspec

LOOK_SECONDS = 5.0  # longest wait for the list, which only makes a message better
SHOWN = 3
MOST_NAMES = 10_000


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    """The answer to `GET /models`, of OpenAI's API and of Anthropic's."""

    data: list[_Model]


def read_models(body: bytes) -> list[str]:
    """Return the names in a list of models; none if it is no such list."""
    try:
        found = msgspec.json.decode(body, type=_Models)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    return [model.id for model in found.data[:MOST_NAMES]]


def unknown_model(model: str, detail: str, offered: Sequence[str]) -> str:
    """Say that a model is unknown, and which ones of those that are offered have a like name.

    Args:
        model: That was asked.
        detail: What the endpoint said.
        offered: Names; none if they are not known.
    """
    near = difflib.get_close_matches(model, offered, n=SHOWN, cutoff=0.0)
    known = f"; it offers {', '.join(near)}" if near else ""
    more = f" and {len(offered) - len(near):,} more" if len(offered) > len(near) else ""
    return f"the model {model!r} is unknown there{known}{more} ({detail})"
