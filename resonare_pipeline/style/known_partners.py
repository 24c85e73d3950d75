"""The partners that style.json tells of, read back by the stage that makes examples."""

import json

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.style.files import STYLE_FILE
from resonare_pipeline.style.partners import Partner


def read_partners(style: Artifact) -> dict[object, Partner]:
    """Return the partners that style.json tells of, by id."""
    with style.open(STYLE_FILE) as stream:
        document = json.load(stream)
    return {
        row["partner_id"]: Partner(
            partner_id=row["partner_id"],
            name=row["name"],
            chats=tuple(row["chats"]),
            messages=row["messages"],
            your_messages=row["your_messages"],
            conversations=row["conversations"],
            mean_length=row["mean_length"],
            your_mean_length=row["your_mean_length"],
            your_usual_length=row["your_usual_length"],
        )
        for row in document["partners"]
    }
