"""Messages made more telling before examples are made of them: links to tweets, and images.

Nothing is fetched: what a tweet says is taken from the preview that Signal keeps beside the
message, and an image is described by whatever the caller gives, or by a column of the frame.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from resonare_pipeline.post_links import POST
from resonare_pipeline.style.arguments import checked
from resonare_pipeline.style.columns import columns_of
from resonare_pipeline.style.frames import Reading, authors, read_frame, values_of
from resonare_pipeline.style.ids import coded_ids, truths, whole_text
from resonare_pipeline.style.recipients import key_of, recipient_names

PREVIEWS = "link_previews"  # Signal's column: JSON of url, title and description
DESCRIPTION = "image_description"
IMAGE_KINDS = ("photo", "image")
ENHANCED = "enhanced"
LONGEST_PREVIEW = 500  # characters of a tweet

DescribeImage = Callable[[str], str]


def enhance_tweets(text: str, previews: object) -> str:
    """Return a text in which each link to a tweet says whose it is, and what, if that is known."""
    known = _previews(previews)

    def told(match: re.Match[str]) -> str:
        said = known.get(match["id"], "")
        return f"[Tweet by @{match['user']}: {said}]" if said else f"[Tweet by @{match['user']}]"

    return POST.sub(told, text)


def _previews(value: object) -> dict[str, str]:
    """Return tweet id → what its preview says; empty for what is no list of previews."""
    if not isinstance(value, str) or not value.strip():
        return {}
    try:
        entries = json.loads(value)
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and (match := POST.search(str(entry.get("url", "")))):
            said = entry.get("description") or entry.get("title") or ""
            found[match["id"]] = " ".join(str(said).split())[:LONGEST_PREVIEW]
    return found


class ConversationProcessor:
    """Makes messages more telling: who wrote a tweet and what it said, what an image shows.

    Args:
        your_recipient_id: Who you are.
        enhance_with_twitter: Put what is known of a tweet in the place of its link.
        include_images: Add descriptions of images: those of the column `image_description`, else
            what `describe_image` says of `media_path`. Without either images stay as they are.
        describe_image: Describes the image at a path; called once for each image.
    """

    @checked
    def __init__(
        self,
        your_recipient_id: int | str = 2,
        *,
        enhance_with_twitter: bool = True,
        include_images: bool = True,
        describe_image: DescribeImage | None = None,
    ) -> None:
        self.your_recipient_id = your_recipient_id
        self.enhance_with_twitter = enhance_with_twitter
        self.include_images = include_images
        self.describe_image = describe_image

    def process_conversations(
        self, messages_df: pd.DataFrame, recipients_df: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Return a copy of the messages with richer texts.

        All columns and rows stay. `enhanced` says which texts changed; `sender_name` is added
        where recipients are given and there is none.

        Raises:
            MissingColumnsError: If columns are missing.
            UnknownPersonError: If nobody has your recipient id.
        """
        columns = columns_of(messages_df)
        read_frame(messages_df, recipients_df, Reading(your_recipient_id=self.your_recipient_id))
        frame = enhance_frame(
            messages_df,
            tweets=self.enhance_with_twitter,
            images=self.include_images,
            describe_image=self.describe_image,
        )
        if recipients_df is not None and "sender_name" not in frame:
            names = recipient_names(recipients_df)
            wrote = authors(frame, np.arange(len(frame)), self.your_recipient_id)
            codes, ids = coded_ids(wrote, counted=columns.is_signal)
            known = np.array([*(names.get(key_of(one)) for one in ids), None], object)
            frame["sender_name"] = known[codes]
        return frame


def enhance_frame(
    messages: pd.DataFrame,
    *,
    tweets: bool,
    images: bool,
    describe_image: DescribeImage | None = None,
) -> pd.DataFrame:
    """Return a copy with richer texts, and whether each changed in the column `enhanced`."""
    columns = columns_of(messages)
    texts = messages[columns.text]
    told = _tweets(messages, texts) if tweets else {}
    if images:
        for row, said in _descriptions(messages, describe_image).items():
            told[row] = _joined(told[row] if row in told else texts.iloc[row], said)
    changed = truths(messages[ENHANCED]) if ENHANCED in messages else np.zeros(len(texts), np.bool_)
    changed[list(told)] = bool(told)
    frame = messages.assign(**{ENHANCED: changed})
    if told:
        richer = texts.astype(object)
        richer.iloc[list(told)] = list(told.values())
        frame[columns.text] = richer
    return frame


def _tweets(messages: pd.DataFrame, texts: "pd.Series[Any]") -> dict[int, str]:
    """Return row → text with tweets told, for texts that hold a link to one."""
    found = [
        row
        for row, text in enumerate(values_of(texts))
        if isinstance(text, str) and "://" in text and POST.search(text)
    ]
    given = messages[PREVIEWS].iloc[found].tolist() if PREVIEWS in messages else []
    previews = given or [None] * len(found)
    linked = texts.iloc[found].tolist()
    return {
        row: enhance_tweets(whole_text(text), preview)
        for row, text, preview in zip(found, linked, previews, strict=True)
    }


def _descriptions(messages: pd.DataFrame, describe: DescribeImage | None) -> dict[int, str]:
    """Return row → what its image shows: as its column says, else as the caller describes it."""
    found: dict[int, str] = {}
    if DESCRIPTION in messages:
        given = messages[DESCRIPTION].tolist()
        found = {
            row: said.strip()
            for row, said in enumerate(given)
            if isinstance(said, str) and said.strip()
        }
    if describe is None or not {"media_kind", "media_path"} <= set(messages.columns):
        return found
    kinds, paths = messages["media_kind"].tolist(), messages["media_path"].tolist()
    for row, (kind, path) in enumerate(zip(kinds, paths, strict=True)):
        if row not in found and kind in IMAGE_KINDS and isinstance(path, str):
            said = describe(path)
            if said and str(said).strip():
                found[row] = str(said).strip()
    return found


def _joined(text: object, said: str) -> str:
    shown = f"[Image: {said}]"
    return f"{text} {shown}" if isinstance(text, str) and text.strip() else shown
