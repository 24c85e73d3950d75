"""The same project with its places on disk, on S3, or some here and some there."""

import shutil
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import LocalFiles, read_bytes, write_bytes
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.artifacts.s3.client import connect
from resonare_pipeline.errors import InputChangedError, StoreError
from resonare_pipeline.planning.making import make
from resonare_pipeline.planning.plan import Status
from resonare_pipeline.planning.raw import RawInput
from resonare_pipeline.planning.workspace import environment, open_workspace
from resonare_pipeline.settings import Places
from tests.faults import failing_requests
from tests.places import contents, copy_all
from tests.planning.test_making import ALL_HIT, ALL_MISS
from tests.planning.toy import GRAPH, OPERATED, Toy, text
from tests.s3 import Server

WORDS = "texts/a/words.txt"


@pytest.fixture
def remote(tmp_path: Path, bucket: str) -> Toy:
    """The toy project with all its places in a bucket."""
    project = Toy(tmp_path, f"s3://{bucket}/team")
    project.write("a.txt", "one two  three")
    return project


def digests(toy: Toy) -> dict[str, str]:
    return {
        asset: entry.digest
        for made in toy.make(toy.open())
        for asset, entry in made.manifest.outputs.items()
    }


def fingerprints(toy: Toy) -> dict[str, str]:
    return {stage: entry.fingerprint for (stage, _), entry in toy.plan(toy.open()).entries.items()}


def test_make_on_s3_is_what_it_is_on_disk(remote: Toy, toy: Toy) -> None:
    assert remote.caches(remote.open()) == ALL_MISS
    assert remote.caches(remote.open()) == ALL_HIT
    assert digests(remote) == digests(toy)
    assert fingerprints(remote) == fingerprints(toy)
    laid = contents(open_files(remote.place("output")))
    assert laid == contents(LocalFiles(toy.folder / "output"))
    assert laid[WORDS] == b"one\ntwo\nthree"


def test_make_with_a_store_copied_to_s3_is_all_hits_and_verified_once(
    toy: Toy, bucket: str
) -> None:
    toy.make(toy.open())
    before = fingerprints(toy)
    copy_all(LocalFiles(toy.folder / "store"), open_files(f"s3://{bucket}/store"))
    shutil.rmtree(toy.folder / "store")
    moved = Toy(toy.folder, f"s3://{bucket}")
    copy_all(LocalFiles(toy.folder / "raw"), open_files(moved.place("raw")))
    assert moved.statuses(moved.open())["text"] is Status.STALE  # its name is another
    assert moved.caches(moved.open()) == ALL_HIT
    assert fingerprints(moved) == before
    with failing_requests() as asked:
        assert moved.caches(moved.open()) == ALL_HIT
    assert not [request for request in asked if request.startswith("GET") and ".txt" in request]


def test_make_with_a_store_on_s3_and_the_rest_on_disk(toy: Toy, bucket: str) -> None:
    mixed = open_workspace(
        GRAPH,
        places=Places(
            raw=toy.place("raw"), store=f"s3://{bucket}/store", output=toy.place("output")
        ),
        folder=toy.folder,
    )
    assert toy.caches(mixed) == ALL_MISS
    assert (toy.folder / "output" / WORDS).read_bytes() == b"one\ntwo\nthree"
    assert toy.caches(mixed) == ALL_HIT
    assert not (toy.folder / "store").exists()


def test_plan_of_a_raw_object_rewritten_with_the_same_bytes_is_a_hit(remote: Toy) -> None:
    remote.make(remote.open())
    remote.write("a.txt", "one two  three")
    assert set(remote.statuses(remote.open()).values()) == {Status.HIT}
    remote.write("a.txt", "three two  one")
    assert remote.statuses(remote.open())["text"] is Status.STALE


def test_make_of_a_raw_object_replaced_while_it_is_hashed_is_refused(
    remote: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "word " * 200_000
    remote.write("a.txt", long)
    opened = RawInput.open

    def open_and_replace(self: RawInput, name: str) -> object:
        stream = opened(self, name)
        remote.write("a.txt", long.upper())
        return stream

    monkeypatch.setattr(RawInput, "open", open_and_replace)
    with pytest.raises(InputChangedError, match=r"s3://\S+/a\.txt: changed while being read"):
        make(remote.open(), text, "a")
    monkeypatch.undo()


def test_deliverables_on_s3_are_laid_again_when_missing_or_different(remote: Toy) -> None:
    remote.make(remote.open())
    output = open_files(remote.place("output"))
    before = contents(output)
    for content in (b"ONE\ntwo\nthree", b"longer than it was before"):
        write_bytes(output, WORDS, content)
        assert remote.caches(remote.open()) == ALL_HIT
        assert contents(output) == before
    output.delete(WORDS)
    remote.make(remote.open())
    assert contents(output) == before


def also_to(toy: Toy, place: str) -> None:
    (toy.folder / "resonare.toml").write_text(f'[delivery]\nalso_to = "{place}"\n')


def test_deliverables_are_laid_at_the_second_place_as_well_and_again_on_a_hit(
    toy: Toy, bucket: str
) -> None:
    second = open_files(f"s3://{bucket}/second")
    toy.make(toy.open(graph=OPERATED))
    also_to(toy, second.uri)
    assert toy.caches(toy.open(graph=OPERATED)) == ALL_HIT
    assert contents(second) == contents(LocalFiles(toy.folder / "output"))
    for damaged in (b"ONE\ntwo\nthree", b"short"):
        write_bytes(second, WORDS, damaged)
        assert toy.caches(toy.open(graph=OPERATED)) == ALL_HIT
        assert read_bytes(second, WORDS) == b"one\ntwo\nthree"
    second.delete("texts")
    toy.make(toy.open(graph=OPERATED))
    assert contents(second) == contents(LocalFiles(toy.folder / "output"))


def test_deliverables_when_the_second_place_fails_are_laid_at_the_first_and_it_says_so(
    toy: Toy, bucket: str
) -> None:
    also_to(toy, f"s3://not-{bucket[:20]}/second")
    message = rf"not-\S+: the second place for deliverables: no such bucket.*{toy.folder}/output"
    with pytest.raises(StoreError, match=message):
        toy.make(toy.open(graph=OPERATED))
    assert (toy.folder / "output" / WORDS).read_bytes() == b"one\ntwo\nthree"
    also_to(toy, "")
    caches = toy.caches(toy.open(graph=OPERATED))
    assert (caches["text"], caches["words_and_letters"]) == ("hit", "hit")


def test_workspace_takes_aws_variables_from_the_env_file_where_they_are_unset(
    remote: Toy, s3_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = s3_server.environment
    (remote.folder / ".env").write_text(
        f"AWS_ENDPOINT_URL={s3_server.url}\nAWS_REGION=\n"
        f"AWS_SECRET_ACCESS_KEY={variables['AWS_SECRET_ACCESS_KEY']}\n"
    )
    for name in ("AWS_ENDPOINT_URL", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "put back after the test")
        monkeypatch.delenv(name)
    assert environment(remote.folder)["AWS_ENDPOINT_URL"] == s3_server.url
    assert remote.caches(remote.open()) == ALL_MISS


def test_list_raw_of_folders_in_a_bucket_asks_once(remote: Toy) -> None:
    for number in range(5):
        remote.write(f"folder-{number}/one.txt", "x")
    workspace = remote.open()
    asked: list[str] = []
    connect().meta.events.register(  # type: ignore[attr-defined]  # boto3's own client
        "before-call.s3", lambda model, **_: asked.append(model.name), unique_id="count"
    )
    try:
        listing = workspace.list_raw()
    finally:
        connect().meta.events.unregister("before-call.s3", unique_id="count")  # type: ignore[attr-defined]  # the same
    assert asked == ["ListObjectsV2"]
    assert listing.keys(GRAPH.raw_kinds()[0]) == ["a", *(f"folder-{n}" for n in range(5))]
    assert list(listing.inputs["texts", "folder-3"].entries) == ["folder-3/one.txt"]
