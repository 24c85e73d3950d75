"""Small artifacts for tests of the store."""

from collections.abc import Mapping

from resonare_pipeline.artifacts.files import read_bytes, write_bytes
from resonare_pipeline.artifacts.manifest import MANIFEST_NAME, Ingredients, Manifest
from resonare_pipeline.artifacts.store import Attempt, Store

SOME = {"a.txt": b"one", "b.txt": b"two"}
NOTHING = Ingredients(settings={}, code={}, inputs={}, files={}, versions={})


def stage_files(
    store: Store,
    contents: Mapping[str, bytes],
    *,
    stage: str = "words",
    partition: str | None = "alice",
    fingerprint: str = "f1",
) -> Attempt:
    """Write one output, named as the stage, without committing it."""
    attempt = store.attempt(stage, partition, fingerprint)
    draft = store.output(attempt, stage)
    for name, content in contents.items():
        with draft.open(name) as stream:
            stream.write(content)
    draft.report(rows=len(contents))
    return attempt


def commit(store: Store, attempt: Attempt) -> Manifest:
    """Commit an attempt without checks."""
    return store.commit(attempt, ingredients=NOTHING, checks=(), seconds=0.5)


def make(
    store: Store,
    contents: Mapping[str, bytes],
    *,
    stage: str = "words",
    partition: str | None = "alice",
    fingerprint: str = "f1",
) -> Manifest:
    """Make an artifact with one output, named as the stage."""
    return commit(
        store,
        stage_files(store, contents, stage=stage, partition=partition, fingerprint=fingerprint),
    )


def make_alias(
    store: Store,
    source: Manifest,
    *,
    stage: str = "same_words",
    fingerprint: str = "a1",
) -> Manifest:
    """Make an artifact whose files are those of another."""
    attempt = store.attempt(stage, source.partition, fingerprint)
    draft = store.output(attempt, stage)
    draft.alias(store.artifact(source, source.stage))
    draft.report(rows=source.outputs[source.stage].rows)
    return commit(store, attempt)


def path_of(manifest: Manifest, name: str) -> str:
    """Return where a file of an artifact lies."""
    entry = manifest.outputs[manifest.stage]
    return next(file.path for file in entry.files if file.name == name)


def manifest_path(fingerprint: str = "f1", *, partition: str = "alice") -> str:
    return f"stages/words/{partition}/{fingerprint}/{MANIFEST_NAME}"


def edit_manifest(store: Store, old: str, new: str, fingerprint: str = "f1") -> None:
    """Replace text in a manifest by hand."""
    path = manifest_path(fingerprint)
    content = read_bytes(store.files, path).replace(old.encode(), new.encode())
    write_bytes(store.files, path, content)
