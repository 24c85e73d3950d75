"""Which of a dataset's files go out, and which datasets never do."""

import dataclasses
from typing import Any

import msgspec
import pytest

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.artifacts.files import Files
from resonare_pipeline.datasets.destination import PublishSettings
from resonare_pipeline.datasets.published import (
    hub_ingredients,
    publish_dataset,
    read_publication,
    refusal,
)
from resonare_pipeline.datasets.summary import SUMMARY_FILE, Summary, encode_summary
from resonare_pipeline.errors import PublishError
from tests.datasets.publications import REPO_ID, held
from tests.hub import TOKEN, Hub

SUMMARY = Summary(
    name="Chats",
    license="other",
    examples=2,
    tokens=20,
    redacted=True,
    sources={},
    splits={},
    dropped={},
    redactions={},
    left={},
    languages={},
    absent=(),
    mock_examples=0,
    notes=(),
    training={},
    tokenizer="o200k_base",
    settings={},
)
SETTINGS = PublishSettings(repo_id=REPO_ID)
ALLOWED = PublishSettings(repo_id=REPO_ID, allow_unredacted=True)


@dataclasses.dataclass(frozen=True)
class Place:
    files: Files

    def draft(self, asset: str) -> OutputDraft:
        return OutputDraft(asset, self.files, asset)

    def dataset(self, **summary: Any) -> Artifact:
        out = self.draft("dataset")
        contents = {
            "data/train-00000-of-00001.parquet": b"PAR1",
            "jsonl/train.jsonl": b"{}\n",
            "openai/train.jsonl": b"{}\n",
            "README.md": b"# Chats\n",
            "notes.txt": b"for the owner",
            SUMMARY_FILE: encode_summary(msgspec.structs.replace(SUMMARY, **summary)),
        }
        for name, content in contents.items():
            with out.open(name) as stream:
                stream.write(content)
        with out.open("audit.json", auxiliary=True) as stream:
            stream.write(b"{}")
        out.report(rows=2)
        return out.staged()


@pytest.fixture
def local(files: Files) -> Place:
    """Artifacts on disk, then in a bucket."""
    return Place(files)


def test_only_what_is_meant_for_the_hub_goes_out(hub: Hub, local: Place) -> None:
    out = local.draft("published_dataset")

    environ = {"HF_TOKEN": TOKEN, "HF_ENDPOINT": hub.url}
    publish_dataset(local.dataset(), out, SETTINGS, environ=environ)

    expected = {
        "README.md",
        "data/train-00000-of-00001.parquet",
        "jsonl/train.jsonl",
        "openai/train.jsonl",
    }
    assert set(held(hub)) == expected
    publication = read_publication(out.staged())
    assert set(publication.files) == expected
    assert publication.revision == hub.dataset(REPO_ID).branches["main"]
    assert publication.endpoint == hub.url
    entry = out.staged().entry
    assert entry.metadata["revision"] == publication.revision
    assert entry.metadata["committed"]
    assert TOKEN not in repr(entry)


@pytest.mark.parametrize(
    ("summary", "settings", "words"),
    [
        ({"redacted": False}, SETTINGS, "redaction is off"),
        ({"mock_examples": 3}, SETTINGS, "3 examples hold answers of the mock provider"),
        ({"mock_examples": 1, "redacted": False}, ALLOWED, "mock provider"),
        ({"examples": 0}, ALLOWED, "no examples"),
    ],
)
def test_what_must_not_be_published_is_not(
    hub: Hub, local: Place, summary: dict[str, Any], settings: PublishSettings, words: str
) -> None:
    environ = {"HF_TOKEN": TOKEN, "HF_ENDPOINT": hub.url}

    with pytest.raises(PublishError, match=words) as raised:
        publish_dataset(local.dataset(**summary), local.draft("out"), settings, environ=environ)

    assert raised.value.remedy
    assert hub.calls == []


def test_an_unredacted_dataset_may_go_out_when_that_is_forced() -> None:
    unredacted = msgspec.structs.replace(SUMMARY, redacted=False)

    assert refusal(unredacted, SETTINGS) is not None
    assert refusal(unredacted, ALLOWED) is None
    assert refusal(SUMMARY, SETTINGS) is None


def test_the_hub_is_a_part_of_the_identity_however_it_is_spelt() -> None:
    assert hub_ingredients({}) == hub_ingredients({"HF_ENDPOINT": "https://huggingface.co/"})
    assert hub_ingredients({}) != hub_ingredients({"HF_ENDPOINT": "https://hub.example"})


def test_only_repository_and_branch_of_the_settings_are_identity() -> None:
    assert SETTINGS.identity() == {"repo_id": REPO_ID, "branch": "main"}
