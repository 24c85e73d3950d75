"""Where a dataset goes, and as whom: the environment, tokens and names."""

from pathlib import Path

import pytest
from huggingface_hub import hf_hub_download

from resonare_pipeline.datasets.destination import PublishSettings, access
from resonare_pipeline.datasets.publishing import publish
from resonare_pipeline.errors import PublishError, SettingsError
from tests.datasets.publications import CONTENTS, REPO_ID, hub_files, send
from tests.hub import TOKEN, Hub


def test_the_hub_that_the_environment_names_is_asked(hub: Hub, tmp_path: Path) -> None:
    found = access({"HF_ENDPOINT": f"{hub.url}/", "HF_TOKEN": f" {TOKEN}\n"})
    publish(
        hub_files(CONTENTS),
        PublishSettings(repo_id=REPO_ID),
        token=found.token,
        endpoint=found.endpoint,
    )
    assert TOKEN not in repr(found)

    path = hf_hub_download(
        REPO_ID, "README.md", repo_type="dataset", token=TOKEN, cache_dir=tmp_path / "cache"
    )
    assert Path(path).read_bytes() == CONTENTS["README.md"]


def test_the_account_that_is_logged_in_is_used_without_a_variable(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "no-login").write_text(TOKEN)

    assert access({"HF_ENDPOINT": hub.url}).token == TOKEN


def test_publishing_without_a_token_says_how_to_get_one(hub: Hub) -> None:
    with pytest.raises(PublishError, match="no token") as raised:
        access({"HF_ENDPOINT": hub.url})
    assert "HF_TOKEN" in str(raised.value)


@pytest.mark.parametrize("token", ["hf_one two", "hf_\x00", "hf_é"])
def test_what_cannot_be_a_token_is_refused_and_not_shown(hub: Hub, token: str) -> None:
    with pytest.raises(PublishError, match="no token") as raised:
        access({"HF_ENDPOINT": hub.url, "HF_TOKEN": token})
    assert token not in str(raised.value)


@pytest.mark.parametrize(
    "endpoint",
    ["huggingface.co", "https://", "https://me:secret@hub.example", "https://[", "ftp://x"],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused(endpoint: str) -> None:
    with pytest.raises(PublishError, match="HF_ENDPOINT is no address") as raised:
        access({"HF_TOKEN": TOKEN, "HF_ENDPOINT": endpoint})
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("repo_id", ["", "chats", "a/b/c", "maya/", "maya/cha ts", "maya/a--b"])
def test_a_name_that_is_none_is_a_setting_to_mend(hub: Hub, repo_id: str) -> None:
    with pytest.raises(SettingsError, match=r"published_dataset\.repo_id"):
        send(hub, repo_id=repo_id)
    assert hub.calls == []


def test_nothing_is_no_publication(hub: Hub) -> None:
    with pytest.raises(PublishError, match="nothing to publish"):
        send(hub, {})
    assert hub.calls == []
