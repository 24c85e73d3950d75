"""Small Telegram exports, and a project that makes a dataset of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from assets.graph import GRAPH
from resonare_pipeline.datasets.summary import SUMMARY_FILE, Summary, decode_summary
from resonare_pipeline.planning.made import Made
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.workspace import Workspace, open_workspace
from resonare_pipeline.settings import Places

OWNER = "user1"
START = 1_600_000_000
HOUR = 3_600
SETTINGS = {"blocks.min_tokens_per_block": "1", "messages.owner": "telegram:user1"}
DATASET = GRAPH.makers["dataset"]


def chat(number: int, name: str, talks: Sequence[Sequence[str]], *, day: int = 0) -> dict[str, Any]:
    """Return a personal chat; each talk is answered in turn, and follows a silence of a day."""
    messages: list[dict[str, Any]] = []
    for talk_number, talk in enumerate(talks):
        for line_number, text in enumerate(talk):
            mine = line_number % 2 == 1
            seconds = START + (day + talk_number) * 24 * HOUR + line_number * 60
            messages.append(
                {
                    "id": len(messages) + 1,
                    "type": "message",
                    "date": "2020-09-13T12:00:00",
                    "date_unixtime": str(seconds),
                    "from": "Olga Owner" if mine else name,
                    "from_id": OWNER if mine else f"user{number}",
                    "text": text,
                    "text_entities": [],
                }
            )
    return {"name": name, "type": "personal_chat", "id": number, "messages": messages}


def account(*chats: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole account's export."""
    return {"personal_information": {"user_id": 1}, "chats": {"list": list(chats)}}


def talk(topic: str) -> list[str]:
    """Return one question and its answer."""
    return [
        f"what do you think about {topic} these days",
        f"I like {topic} a lot, let us talk about it tomorrow",
    ]


def many(count: int, *, first: int = 100, later: int = 0) -> dict[str, Any]:
    """Return an account with so many chats of three talks each, some days later."""
    return account(
        *(
            chat(
                number,
                f"Friend{number} Surname{number}",
                [talk(f"topic {number} {part}") for part in range(3)],
                day=number % 7 + later,
            )
            for number in range(first, first + count)
        )
    )


@dataclass(frozen=True)
class DatasetProject:
    """A project in a folder."""

    folder: Path

    def write(self, key: str, export: Mapping[str, Any]) -> None:
        path = self.folder / "raw/chats" / f"{key}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(export, ensure_ascii=False), encoding="utf-8")

    def remove(self, key: str) -> None:
        (self.folder / "raw/chats" / f"{key}.json").unlink()

    def open(self, **settings: str) -> Workspace:
        places = Places(
            raw=str(self.folder / "raw"),
            store=str(self.folder / "store"),
            output=str(self.folder / "output"),
        )
        overrides = SETTINGS | {name.replace("__", "."): text for name, text in settings.items()}
        return open_workspace(GRAPH, overrides=overrides, places=places, folder=self.folder)

    def fill(self, **settings: str) -> Workspace:
        """Make the conversations of every export."""
        workspace = self.open(**settings)
        for stage in GRAPH.stages:
            if stage.group == "chats" and stage.raw is not None:
                for key in workspace.list_raw().keys(stage.raw):
                    make(workspace, stage, key)
        return workspace

    def make(self, **settings: str) -> Made:
        """Make the dataset, and what it needs."""
        return make(self.fill(**settings), DATASET, None)

    @property
    def output(self) -> Path:
        return self.folder / "output/dataset"

    def summary(self) -> Summary:
        return decode_summary((self.output / SUMMARY_FILE).read_bytes())

    def rows(self, split: str) -> list[dict[str, Any]]:
        files = sorted(self.output.glob(f"data/{split}-*.parquet"))
        return [row for file in files for row in pq.read_table(file).to_pylist()]

    def table(self, name: str) -> list[dict[str, Any]]:
        """Return a table of the newest dataset, which need not be among the deliverables."""
        manifest = self.open().store.newest("dataset", None)
        assert manifest is not None
        artifact = self.open().store.artifact(manifest, "dataset")
        return list(artifact.rows(name))

    def all_rows(self) -> list[dict[str, Any]]:
        return [row for split in self.summary().splits for row in self.rows(split)]

    def texts(self) -> str:
        return "\n".join(
            message["content"] for row in self.all_rows() for message in row["messages"]
        )

    def split_by_id(self) -> dict[str, str]:
        return {
            row["example_id"]: split for split in self.summary().splits for row in self.rows(split)
        }
