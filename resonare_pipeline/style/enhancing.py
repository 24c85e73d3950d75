"""Messages made more telling before examples are made of them: links to tweets, and images.

Nothing is fetched: what a tweet says is taken from the preview that Signal keeps beside the
message, and an image is described by whatever the caller gives, or by a column of the frame.
"""

import json
import os
import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from resonare_pipeline.post_links import POST
from resonare_pipeline.style.frames import Reading, authors, columns_of, read_frame
from resonare_pipeline.style.recipients import recipient_names

_HAS_TWEET = r"(?:twitter|x)\.com/\w{1,15}/status"
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
            ids = authors(frame, columns, self.your_recipient_id)
            keys = ids.astype("Int64") if ids.dtype.kind == "f" else ids
            frame["sender_name"] = keys.astype(str).map(names)
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
    frame = messages.copy()
    before = frame[columns.text].astype(object)
    texts = before.copy()
    if tweets:
        texts = _with_tweets(frame, texts)
    if images:
        texts = _with_images(frame, texts, describe_image)
    frame[columns.text] = texts
    changed = texts.ne(before) & texts.notna()
    earlier = frame[ENHANCED].fillna(value=False).astype(bool) if ENHANCED in frame else False
    frame[ENHANCED] = changed | earlier
    return frame


def _with_tweets(frame: pd.DataFrame, texts: "pd.Series[Any]") -> "pd.Series[Any]":
    mask = texts.notna() & texts.astype(str).str.contains(_HAS_TWEET, case=False, regex=True)
    if not mask.any():
        return texts
    previews = frame[PREVIEWS] if PREVIEWS in frame else pd.Series(None, frame.index, dtype=object)
    told = [
        enhance_tweets(text, preview)
        for text, preview in zip(texts[mask].tolist(), previews[mask].tolist(), strict=True)
    ]
    texts = texts.copy()
    texts[mask] = told
    return texts


def _with_images(
    frame: pd.DataFrame, texts: "pd.Series[Any]", describe_image: DescribeImage | None
) -> "pd.Series[Any]":
    described = pd.Series(None, frame.index, dtype=object)
    if DESCRIPTION in frame:
        described = frame[DESCRIPTION].astype(object)
    if describe_image is not None and {"media_kind", "media_path"} <= set(frame.columns):
        for row, kind, path in zip(
            range(len(frame)), frame["media_kind"], frame["media_path"], strict=True
        ):
            if kind in IMAGE_KINDS and isinstance(path, str) and pd.isna(described.iloc[row]):
                described.iloc[row] = describe_image(os.fspath(path))
    mask = described.notna() & described.astype(str).str.strip().ne("")
    if not mask.any():
        return texts
    texts = texts.copy()
    texts[mask] = [
        _joined(text, str(said).strip())
        for text, said in zip(texts[mask].tolist(), described[mask].tolist(), strict=True)
    ]
    return texts


def _joined(text: object, said: str) -> str:
    shown = f"[Image: {said}]"
    return f"{text} {shown}" if isinstance(text, str) and text.strip() else shown
