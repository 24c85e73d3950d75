"""Publishing when the Hub refuses, fails or vanishes: nothing half-published or sent twice."""

import logging
import re

import pytest

from resonare_pipeline.datasets.destination import PublishSettings, access
from resonare_pipeline.datasets.publishing import publish
from resonare_pipeline.errors import PublishError
from tests.datasets.publications import CONTENTS, REPO_ID, held, hub_files, send
from tests.hub import READ_TOKEN, TOKEN, Fault, Hub
from tests.repositories import Repo

EVER_AFTER = 1_000
PUT = "^PUT "
COMMIT = "/commit/"
LARGE = 3  # how many of CONTENTS go to the storage for large files
LATER = CONTENTS | {
    "README.md": b"# Later\n",
    "data/train-00000-of-00002.parquet": b"PAR1 later",
    "data/train-00001-of-00002.parquet": b"PAR1 later too",
}


def test_an_interrupted_upload_publishes_nothing_and_goes_on_where_it_stopped(hub: Hub) -> None:
    hub.faults = [Fault(PUT, at=2, times=EVER_AFTER)]
    with pytest.raises(PublishError, match="the connection failed") as raised:
        send(hub)
    assert "Nothing was published" in str(raised.value)
    assert held(hub) == {}
    assert len(hub.dataset(REPO_ID).large) == 1

    hub.faults, hub.calls = [], []
    assert send(hub).committed
    assert hub.count(PUT) == LARGE - 1
    assert held(hub) == CONTENTS
    assert hub.dataset(REPO_ID).messages == ["initial", "Publish the dataset"]


def test_a_connection_that_breaks_once_is_tried_again(hub: Hub) -> None:
    hub.faults = [Fault(PUT, at=2), Fault(PUT, at=3, status=503)]

    send(hub)

    assert held(hub) == CONTENTS
    assert hub.count(PUT) == LARGE + 2


def test_a_commit_that_never_arrived_is_made_by_the_next_attempt(hub: Hub) -> None:
    hub.faults = [Fault(COMMIT, times=EVER_AFTER)]
    with pytest.raises(PublishError, match="while committing"):
        send(hub)
    assert held(hub) == {}

    hub.faults, hub.calls = [], []
    send(hub)
    assert hub.count(PUT) == 0
    assert held(hub) == CONTENTS


def test_a_commit_whose_answer_was_lost_counts_as_made(hub: Hub) -> None:
    hub.faults = [Fault(COMMIT, after=True)]

    published = send(hub)

    assert published.committed
    assert published.revision == hub.dataset(REPO_ID).branches["main"]
    assert hub.dataset(REPO_ID).messages == ["initial", "Publish the dataset"]


def test_a_commit_of_which_nothing_can_be_learnt_is_found_by_the_next_attempt(hub: Hub) -> None:
    hub.faults = [Fault(COMMIT, after=True), Fault("^GET /api/datasets", at=4, times=EVER_AFTER)]
    with pytest.raises(PublishError, match="cannot be told now"):
        send(hub)

    hub.faults = []
    assert not send(hub).committed
    assert hub.dataset(REPO_ID).messages == ["initial", "Publish the dataset"]


@pytest.mark.parametrize("status", [0, 500])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_hub_that_fails_at_any_call_leaves_the_old_or_the_new(
    hub: Hub, status: int, *, after: bool
) -> None:
    send(hub)
    first = hub.dataset(REPO_ID).branches["main"]
    hub.calls.clear()
    send(hub, LATER)
    calls = len(hub.calls)
    assert calls > LARGE + 5

    for number in range(1, calls + 1):
        del hub.repos["datasets", REPO_ID]
        hub.faults = []
        send(hub)
        hub.faults = [Fault("", status=status, at=number, times=EVER_AFTER, after=after)]
        with pytest.raises(PublishError) as raised:
            send(hub, LATER)
        assert raised.value.remedy

        is_made = len(hub.dataset(REPO_ID).commits) == 3
        assert held(hub) == (LATER if is_made else CONTENTS)
        assert held(hub, first) == CONTENTS

        hub.faults = []
        assert send(hub, LATER).committed != is_made
        assert held(hub) == LATER


@pytest.mark.parametrize(
    ("match", "status", "words"),
    [
        ("repos/create", 401, "does not accept the token"),
        ("repos/create", 402, "asks for payment"),
        ("repos/create", 403, "may not do this"),
        ("repos/create", 404, "no such user"),
        ("preupload", 403, "may not do this"),
        ("preupload", 429, "too many requests"),
        ("preupload", 418, "refuses the request"),
        ("batch", 500, "the Hub failed"),
        (PUT, 413, "too large"),
        (PUT, 503, "the Hub failed"),
        (PUT, 507, "storage of this account is full"),
        (COMMIT, 400, "refuses the request"),
        (COMMIT, 409, "changed at the same time"),
        (COMMIT, 412, "changed at the same time"),
        (COMMIT, 429, "too many requests"),
        (COMMIT, 504, "the Hub failed"),
    ],
)
def test_each_refusal_says_what_it_means(hub: Hub, match: str, status: int, words: str) -> None:
    hub.faults = [Fault(match, status=status, times=EVER_AFTER)]

    with pytest.raises(PublishError, match=words) as raised:
        send(hub)

    assert f"({status})" in raised.value.found
    assert "Nothing was published" in raised.value.remedy
    assert ("datasets", REPO_ID) not in hub.repos or held(hub) == {}


def test_a_wrong_token_is_named_and_never_shown(
    hub: Hub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "hf_thisisnotthetoken"

    with pytest.raises(PublishError, match=r"does not accept the token \(401\)") as raised:
        publish(
            hub_files(CONTENTS), PublishSettings(repo_id=REPO_ID), token=wrong, endpoint=hub.url
        )

    assert f"{hub.url}/settings/tokens" in str(raised.value)
    shown = [str(raised.value), caplog.text, *capsys.readouterr()]
    assert not any(wrong in text for text in shown)
    assert hub.repos == {}


def test_nothing_is_logged_of_signed_addresses_or_the_token(
    hub: Hub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.faults = [Fault(PUT, status=503, times=EVER_AFTER)]

    with pytest.raises(PublishError) as raised:
        send(hub)

    shown = " ".join([str(raised.value), caplog.text, *capsys.readouterr()])
    assert "signature" not in shown
    assert TOKEN not in shown
    assert raised.value.__cause__ is None


def test_a_token_that_the_hub_repeats_is_taken_out(hub: Hub) -> None:
    hub.faults = [Fault("repos/create", status=400, message=f"bad {TOKEN}")]

    with pytest.raises(PublishError, match=re.escape("bad ***")) as raised:
        send(hub)

    assert TOKEN not in str(raised.value)


def test_a_token_that_may_only_read_changes_nothing(hub: Hub) -> None:
    send(hub)

    with pytest.raises(PublishError, match=r"may not do this \(403\)"):
        publish(
            hub_files(LATER), PublishSettings(repo_id=REPO_ID), token=READ_TOKEN, endpoint=hub.url
        )

    assert held(hub) == CONTENTS


def test_a_name_of_somebody_else_is_refused(hub: Hub) -> None:
    with pytest.raises(PublishError, match="no right to create a repository there"):
        send(hub, repo_id="somebody/chats")


def test_a_gated_repository_says_so(hub: Hub) -> None:
    hub.repos["datasets", REPO_ID] = Repo()
    hub.gated.add(REPO_ID)

    with pytest.raises(PublishError, match="gated"):
        send(hub)


def test_a_kind_in_the_way_that_was_not_seen_is_refused(hub: Hub) -> None:
    hub.repos["models", REPO_ID] = Repo()
    hub.faults = [Fault("GET /api/models", status=404)]

    with pytest.raises(PublishError, match="it is no dataset"):
        send(hub)


def test_a_repository_that_somebody_makes_meanwhile_is_used(hub: Hub) -> None:
    hub.repos["datasets", REPO_ID] = Repo()
    hub.faults = [Fault("GET /api/datasets", status=404)]

    send(hub)

    assert held(hub) == CONTENTS


def test_a_hub_that_is_down_says_so(hub: Hub) -> None:
    hub.faults = [Fault("", times=EVER_AFTER)]

    with pytest.raises(PublishError, match="the connection failed"):
        send(hub)


def test_an_address_where_nobody_listens_says_so(hub: Hub) -> None:
    hub.stop()

    with pytest.raises(PublishError, match="the connection failed") as raised:
        send(hub)
    assert "HF_ENDPOINT" in raised.value.remedy


def test_something_that_is_no_hub_is_told_from_one(hub: Hub) -> None:
    hub.faults = [Fault("", status=200, message="<html>Welcome</html>")]

    with pytest.raises(PublishError, match="what answers is no Hub"):
        send(hub)


def test_a_hub_that_is_not_to_be_asked_is_not_asked(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PublishError, match="HF_HUB_OFFLINE"):
        access({"HF_HUB_OFFLINE": "1", "HF_TOKEN": TOKEN})

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PublishError, match="HF_HUB_OFFLINE"):
        send(hub)
    assert hub.calls == []


def test_a_card_that_the_hub_cannot_read_is_refused_before_the_commit(hub: Hub) -> None:
    with pytest.raises(PublishError, match="the metadata never ends"):
        send(hub, CONTENTS | {"README.md": b"---\nlicense: mit\n"})

    assert held(hub) == {}
