"""Publishing over HTTP: what is sent, what is left alone, and what the repository holds then."""

import hashlib
import io
import threading
from collections import Counter
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from resonare_pipeline.datasets.destination import PublishSettings
from resonare_pipeline.datasets.listing import Change, HubFile
from resonare_pipeline.datasets.publishing import preview, publish
from resonare_pipeline.errors import DamagedArtifactError, PublishError, StoreError
from tests.datasets.publications import CONTENTS, REPO_ID, held, hub_file, hub_files, send
from tests.hub import TOKEN, Hub
from tests.repositories import Repo, Stored

PUT = "^PUT "
COMMIT = "/commit/"


def test_first_publication_is_one_commit_to_a_private_repository(hub: Hub) -> None:
    published = send(hub)

    repo = hub.dataset(REPO_ID)
    assert repo.private
    assert repo.messages == ["initial", "Publish the dataset"]
    assert held(hub, published.revision) == CONTENTS
    assert published.committed
    assert published.counts == {Change.NEW: 5}
    assert published.url == f"{hub.url}/datasets/{REPO_ID}"


def test_what_was_published_is_read_back_byte_for_byte(hub: Hub, tmp_path: Path) -> None:
    published = send(hub)

    folder = Path(
        snapshot_download(
            REPO_ID,
            repo_type="dataset",
            revision=published.revision,
            token=TOKEN,
            endpoint=hub.url,
            local_dir=tmp_path / "back",
        )
    )
    assert {path: (folder / path).read_bytes() for path in CONTENTS} == CONTENTS


def test_nothing_is_sent_when_nothing_changed(hub: Hub) -> None:
    first = send(hub)
    hub.calls.clear()

    again = send(hub)

    assert not again.committed
    assert again.revision == first.revision
    assert again.counts == {Change.UNCHANGED: 5}
    assert {call.split()[0] for call in hub.calls} == {"GET"}


def test_nobody_is_told_what_started_it(hub: Hub) -> None:
    send(hub)

    assert hub.count("agent") == 0


def test_only_what_changed_is_sent_and_what_went_away_is_deleted(hub: Hub) -> None:
    send(hub)
    hub.calls.clear()
    later = CONTENTS | {"README.md": b"# Other\n", "data/test-00000-of-00001.parquet": b"PAR1 new"}
    del later["data/train-00001-of-00002.parquet"]

    published = send(hub, later)

    assert held(hub) == later
    assert published.counts == {Change.UNCHANGED: 2, Change.CHANGED: 2, Change.DELETED: 1}
    assert hub.count(PUT) == 1
    assert len(hub.dataset(REPO_ID).messages) == 3


def test_files_that_somebody_added_by_hand_stay(hub: Hub) -> None:
    send(hub)
    repo = hub.dataset(REPO_ID)
    by_hand = {"LICENCE": Stored(b"by hand"), "data/own.parquet": Stored(b"PAR1 own")}
    repo.add_commit("main", dict(repo.files()) | by_hand, "by hand")

    send(hub, {"README.md": b"# Alone\n"})

    assert held(hub) == {
        "README.md": b"# Alone\n",
        "LICENCE": b"by hand",
        "data/own.parquet": b"PAR1 own",
    }


def test_a_file_edited_on_the_hub_is_replaced_only_when_that_is_allowed(hub: Hub) -> None:
    send(hub)
    repo = hub.dataset(REPO_ID)
    repo.add_commit("main", dict(repo.files()) | {"README.md": Stored(b"# Mine\n")}, "edited")
    later = CONTENTS | {"README.md": b"# Theirs\n"}

    with pytest.raises(PublishError, match=r"edited since: README\.md"):
        send(hub, later)
    assert held(hub)["README.md"] == b"# Mine\n"

    send(hub, later, overwrite=True)
    assert held(hub) == later


def test_an_edited_file_is_not_deleted_unasked(hub: Hub) -> None:
    send(hub)
    repo = hub.dataset(REPO_ID)
    repo.add_commit("main", dict(repo.files()) | {"README.md": Stored(b"# Mine\n")}, "edited")

    with pytest.raises(PublishError, match=r"README\.md"):
        send(hub, {"jsonl/train.jsonl": CONTENTS["jsonl/train.jsonl"]})


def test_files_of_a_repository_never_published_to_are_not_replaced(hub: Hub) -> None:
    repo = hub.repos["datasets", REPO_ID] = Repo()
    repo.add_commit("main", {"README.md": Stored(b"# Years of work\n")}, "by hand")

    with pytest.raises(PublishError, match="not published from here"):
        send(hub)

    assert held(hub) == {"README.md": b"# Years of work\n"}
    assert hub.count(PUT) == 0


def test_a_damaged_listing_makes_everything_somebody_elses(hub: Hub) -> None:
    send(hub)
    repo = hub.dataset(REPO_ID)
    damaged = dict(repo.files()) | {".resonare.json": Stored(b'{"version": 9}')}
    repo.add_commit("main", damaged, "by hand")

    with pytest.raises(PublishError, match="not published from here"):
        send(hub, CONTENTS | {"README.md": b"# Other\n"})


def test_a_repository_that_holds_the_same_already_is_taken_over(hub: Hub) -> None:
    send(hub)
    repo = hub.dataset(REPO_ID)
    unlisted = {path: file for path, file in repo.files().items() if path != ".resonare.json"}
    repo.add_commit("main", unlisted, "by hand")
    hub.calls.clear()

    assert send(hub).committed
    assert hub.count(PUT) == 0
    assert not send(hub).committed


def test_a_public_repository_is_refused_unless_it_may_be(hub: Hub) -> None:
    hub.repos["datasets", REPO_ID] = Repo(private=False)

    with pytest.raises(PublishError, match="the repository is public"):
        send(hub)
    assert held(hub) == {}

    send(hub, private=False)
    assert held(hub) == CONTENTS
    assert not hub.dataset(REPO_ID).private


def test_a_private_repository_stays_private(hub: Hub) -> None:
    hub.repos["datasets", REPO_ID] = Repo(private=True)

    send(hub, private=False)

    assert hub.dataset(REPO_ID).private


def test_a_new_repository_is_public_only_when_that_is_said(hub: Hub) -> None:
    send(hub, private=False)

    assert not hub.dataset(REPO_ID).private


@pytest.mark.parametrize("kind", ["models", "spaces"])
def test_a_name_of_another_kind_is_refused(hub: Hub, kind: str) -> None:
    hub.repos[kind, REPO_ID] = Repo()

    with pytest.raises(PublishError, match=f"there is a {kind[:-1]} of this name"):
        send(hub)

    assert list(hub.repos) == [(kind, REPO_ID)]


def test_a_dataset_beside_a_model_of_its_name_is_published(hub: Hub) -> None:
    hub.repos["models", REPO_ID] = Repo()
    hub.repos["datasets", REPO_ID] = Repo()

    send(hub)

    assert held(hub) == CONTENTS


def test_a_change_at_the_same_time_is_never_overwritten(hub: Hub) -> None:
    send(hub)
    repo = hub.dataset(REPO_ID)
    content = b"PAR1 later"

    def read_while_another_commits() -> io.BytesIO:
        repo.add_commit("main", dict(repo.files()) | {"NEW": Stored(b"theirs")}, "theirs")
        return io.BytesIO(content)

    late = HubFile(
        path_in_repo="data/train-00000-of-00002.parquet",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        open=read_while_another_commits,
    )
    others = [file for file in hub_files(CONTENTS) if file.path_in_repo != late.path_in_repo]
    settings = PublishSettings(repo_id=REPO_ID)
    with pytest.raises(PublishError, match="changed at the same time"):
        publish([late, *others], settings, token=TOKEN, endpoint=hub.url)
    assert held(hub) == CONTENTS | {"NEW": b"theirs"}


def test_what_is_not_what_was_written_is_never_sent(hub: Hub) -> None:
    broken = hub_file("data/train-00000-of-00002.parquet", b"PAR1 as written")
    damaged = HubFile(
        path_in_repo=broken.path_in_repo,
        size=broken.size,
        sha256=broken.sha256,
        open=lambda: io.BytesIO(b"PAR1 As written"),
    )

    with pytest.raises(DamagedArtifactError, match="not what was written"):
        publish([damaged], PublishSettings(repo_id=REPO_ID), token=TOKEN, endpoint=hub.url)

    assert held(hub) == {}
    assert hub.count(PUT) == 0


def test_a_file_that_cannot_be_read_any_more_says_so(hub: Hub) -> None:
    good = hub_file("data/train-00000-of-00002.parquet", b"PAR1 as written")
    opened: list[int] = []

    def open_once() -> io.BytesIO:
        opened.append(1)
        if len(opened) > 1:
            raise StoreError("the disk went away", where="somewhere")
        return io.BytesIO(b"PAR1 as written")

    gone = HubFile(
        path_in_repo=good.path_in_repo, size=good.size, sha256=good.sha256, open=open_once
    )
    with pytest.raises(StoreError, match="the disk went away"):
        publish([gone], PublishSettings(repo_id=REPO_ID), token=TOKEN, endpoint=hub.url)

    assert held(hub) == {}


def test_one_content_under_many_names_is_sent_once(hub: Hub) -> None:
    same = {f"data/train-{n:05}-of-00006.parquet": b"PAR1" + bytes(70_000) for n in range(6)}

    send(hub, same, upload_threads=8)

    assert held(hub) == same
    assert hub.count(PUT) == 1


def test_large_files_go_in_parts_where_the_hub_asks_for_them(hub: Hub) -> None:
    hub.chunk_bytes = 100_000

    send(hub)

    assert held(hub) == CONTENTS
    assert hub.count(PUT) == 1 + 3 + 3


def test_files_without_content_are_published(hub: Hub) -> None:
    send(hub, {"data/empty.parquet": b"", "README.md": b""})

    assert held(hub) == {"data/empty.parquet": b"", "README.md": b""}
    assert not send(hub, {"data/empty.parquet": b"", "README.md": b""}).committed


def test_a_gitignore_of_the_repository_takes_nothing_out(hub: Hub) -> None:
    repo = hub.repos["datasets", REPO_ID] = Repo()
    repo.add_commit("main", {".gitignore": Stored(b"*.jsonl\n*.json\n*.parquet\n")}, "by hand")

    send(hub)

    assert held(hub) == CONTENTS | {".gitignore": b"*.jsonl\n*.json\n*.parquet\n"}
    assert not send(hub).committed


def test_a_branch_is_made_and_the_others_stay(hub: Hub) -> None:
    send(hub, {"README.md": b"# Old\n"})
    old = hub.dataset(REPO_ID).branches["main"]

    published = send(hub, branch="second")

    assert hub.dataset(REPO_ID).branches == {"main": old, "second": published.revision}
    assert held(hub, "second") == CONTENTS
    assert not send(hub, branch="second").committed


def test_repositories_of_many_pages_are_compared_whole(hub: Hub) -> None:
    hub.page_entries = 2
    send(hub)

    assert not send(hub).committed
    assert send(hub, {"README.md": b"# Alone\n"}).counts[Change.DELETED] == 4
    assert held(hub) == {"README.md": b"# Alone\n"}


def test_no_more_files_are_open_than_are_being_sent(hub: Hub) -> None:
    counted = threading.Lock()
    now, most = Counter[str](), 0

    class Counted(io.BytesIO):
        def __init__(self, content: bytes) -> None:
            nonlocal most
            super().__init__(content)
            with counted:
                now["open"] += 1
                most = max(most, now["open"])

        def close(self) -> None:
            if not self.closed:
                with counted:
                    now["open"] -= 1
            super().close()

    def file(number: int) -> HubFile:
        content = f"PAR1 {number}".encode() * 9_000
        plain = hub_file(f"data/train-{number:05}-of-00012.parquet", content)
        return HubFile(
            path_in_repo=plain.path_in_repo,
            size=plain.size,
            sha256=plain.sha256,
            open=lambda: Counted(content),
        )

    settings = PublishSettings(repo_id=REPO_ID, upload_threads=3)
    publish([file(n) for n in range(12)], settings, token=TOKEN, endpoint=hub.url)

    assert len(held(hub)) == 12
    assert now["open"] == 0
    assert 1 <= most <= 3


def test_progress_goes_up_to_all_bytes_that_are_sent(hub: Hub) -> None:
    seen: list[tuple[int, int, str]] = []
    publish(
        hub_files(CONTENTS),
        PublishSettings(repo_id=REPO_ID, upload_threads=1),
        token=TOKEN,
        endpoint=hub.url,
        progress=lambda done, total, unit: seen.append((done, total, unit)),
    )

    total = sum(map(len, CONTENTS.values()))
    assert seen[-1] == (total, total, "bytes")
    assert seen == sorted(seen)


def test_preview_tells_what_would_be_done_and_does_nothing(hub: Hub) -> None:
    settings = PublishSettings(repo_id=REPO_ID)
    before = preview(hub_files(CONTENTS), settings, token=TOKEN, endpoint=hub.url)
    assert not before.exists
    assert {item.change for item in before.differences} == {Change.NEW}
    assert hub.repos == {}

    send(hub)
    hub.calls.clear()
    later = CONTENTS | {"README.md": b"# Other\n"}
    del later["jsonl/train.jsonl"]
    after = preview(hub_files(later), settings, token=TOKEN, endpoint=hub.url)

    changes = {item.path: item.change for item in after.differences}
    assert changes["README.md"] is Change.CHANGED
    assert changes["jsonl/train.jsonl"] is Change.DELETED
    assert list(changes.values()).count(Change.UNCHANGED) == 3
    assert {call.split()[0] for call in hub.calls} == {"GET"}
