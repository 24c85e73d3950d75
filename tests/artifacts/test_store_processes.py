import multiprocessing
import os
import resource
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from resonare_pipeline.artifacts.files import LocalFiles
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.errors import StoreError
from tests.artifacts.making import make, make_alias, stage_files

SPAWN = multiprocessing.get_context("spawn")
WRITERS = 3
ROUNDS = 12
LIMIT_BYTES = 300_000


def contents(worker: int, turn: int) -> dict[str, bytes]:
    """Return files of a size that differs by worker and turn, so that they end at other times."""
    return {
        "a.txt": f"{worker} {turn}\n".encode() * (1 + 7_000 * ((worker + turn) % 4)),
        "b.txt": bytes([worker]) * 100,
    }


def write_again_and_again(uri: str, worker: int) -> None:
    store = Store(open_files(uri))
    for turn in range(ROUNDS):
        make(store, contents(worker, turn))


def read_until(uri: str, stop: Event, answer: Connection) -> None:
    """Read the artifact in a loop, and report what went wrong and how many reads there were."""
    store = Store(open_files(uri))
    reads = 0
    problems: list[str] = []
    while not (stop.is_set() and reads):
        manifest = store.find("words", "alice", "f1")
        if manifest is None:
            problems.append("no manifest")
            break
        found = [store.problem(file) for file in manifest.outputs["words"].files]
        problems += filter(None, [store.damage(manifest), *found])
        reads += 1
    answer.send((reads, problems))


def test_store_with_writers_on_one_key_always_shows_a_whole_artifact(store: Store) -> None:
    uri = store.files.uri
    make(store, contents(0, 0))
    stop = SPAWN.Event()
    ours, theirs = SPAWN.Pipe()
    reader = SPAWN.Process(target=read_until, args=(uri, stop, theirs))
    writers = [
        SPAWN.Process(target=write_again_and_again, args=(uri, worker)) for worker in range(WRITERS)
    ]
    for process in (reader, *writers):
        process.start()
    for process in writers:
        process.join()
    stop.set()
    reads, problems = ours.recv()
    reader.join()
    assert [process.exitcode for process in (reader, *writers)] == [0] * (WRITERS + 1)
    assert problems == []
    assert reads > 0
    manifests = list(store.manifests())
    assert len(manifests) == 1
    assert store.damage(manifests[0]) == ""


def die_while_writing(uri: str) -> None:
    """End as a killed process does: no block is left, no file closed."""
    store = Store(open_files(uri))
    stage_files(store, {"done.txt": b"x"})
    draft = store.output(store.attempt("words", "alice", "f1"), "words")
    with draft.open("half.txt") as stream:
        stream.write(b"x" * 20_000_000)
        os._exit(9)


def test_store_after_a_worker_was_killed_serves_the_next_one(store: Store) -> None:
    process = SPAWN.Process(target=die_while_writing, args=(store.files.uri,))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert store.find("words", "alice", "f1") is None
    manifest = make(store, {"done.txt": b"y"})
    assert store.find("words", "alice", "f1") == manifest
    assert store.damage(manifest) == ""


def write_beyond_the_limit(root: Path, size: int, answer: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, LIMIT_BYTES))
    try:
        make(Store(LocalFiles(root)), {"large.bin": b"x" * size})
    except StoreError as error:
        answer.send(str(error))
    else:
        answer.send("")


@pytest.mark.parametrize("size", [LIMIT_BYTES + 1, 10 * LIMIT_BYTES])
def test_store_that_takes_no_more_bytes_says_what_to_do_and_keeps_what_it_had(
    disk_store: Store, root: Path, size: int
) -> None:
    before = make(disk_store, {"large.bin": b"small"}, fingerprint="f0")
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=write_beyond_the_limit, args=(root, size, theirs))
    process.start()
    message = ours.recv()
    process.join()
    assert process.exitcode == 0
    assert "large.bin: File too large. Point RESONARE_STORE" in message
    assert disk_store.find("words", "alice", "f1") is None
    assert disk_store.find("words", "alice", "f0") == before
    assert [path for path, _ in disk_store.files.walk("stages/words/alice/f1", drafts=True)] == []


def serve_hits_read_only(root: Path, answer: Connection) -> None:
    """Use a store in which this process may create nothing."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    store = Store(LocalFiles(root))
    manifest = store.find("same_words", "alice", "a1")
    if manifest is None:
        answer.send("no manifest")
        return
    store.mark_used(manifest)
    answer.send(store.damage(manifest))


def test_store_that_cannot_be_written_still_serves_hits(disk_store: Store, root: Path) -> None:
    source = make(disk_store, {"a.txt": b"1"})
    make_alias(disk_store, source)
    for path in root.rglob("a.txt"):
        path.write_bytes(b"1")  # another time: to be verified, which cannot be noted
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=serve_hits_read_only, args=(root, theirs))
    process.start()
    assert ours.recv() == ""
    process.join()
    assert process.exitcode == 0
