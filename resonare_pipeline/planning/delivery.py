"""Deliverables: an artifact's files laid where people take them, each replaced atomically.

The folder's manifest.json is written last and holds the digest of every file beside it. It says
nothing of times or places, so that equal inputs give equal folders.
"""

import shutil

import msgspec

from resonare_pipeline.artifacts.files import Files, read_bytes, write_bytes
from resonare_pipeline.artifacts.manifest import FileEntry, Manifest
from resonare_pipeline.artifacts.store import Store, folder_of
from resonare_pipeline.fingerprint import CHUNK_BYTES, digest_of_stream
from resonare_pipeline.planning.graph import Stage

OUTPUT_MANIFEST = "manifest.json"


class Laid(msgspec.Struct, frozen=True, kw_only=True):
    """One deliverable file."""

    asset: str
    sha256: str
    size: int
    fingerprint: str


def delivery_folder(stage: Stage, partition: str | None) -> str:
    """Return the folder of a stage's deliverables, below the output root."""
    return stage.group if partition is None else f"{stage.group}/{folder_of(partition)}"


def deliver(output: Files, store: Store, stage: Stage, manifest: Manifest) -> None:
    """Lay a stage's deliverables that are missing or differ.

    Args:
        output: The output root.
        manifest: The stage's artifact.
    """
    if not stage.delivers:
        return
    folder = delivery_folder(stage, manifest.partition)
    before = laid_files(output, folder)
    known = dict(before)
    for asset, file in _deliverables(stage, manifest):
        target = f"{folder}/{file.name}"
        if not _is_laid(output, store, target, file):
            with store.files.open_read(file.path) as source, output.open_write(target) as sink:
                shutil.copyfileobj(source, sink, CHUNK_BYTES)
            _remember(output, store, target, file)
        known[file.name] = Laid(
            asset=asset, sha256=file.sha256, size=file.size, fingerprint=manifest.fingerprint
        )
    if known != before:
        content = msgspec.json.encode({"files": dict(sorted(known.items()))})
        write_bytes(
            output, f"{folder}/{OUTPUT_MANIFEST}", msgspec.json.format(content, indent=1) + b"\n"
        )


def laid_files(output: Files, folder: str) -> dict[str, Laid]:
    """Return what a folder's manifest lists; nothing where there is none or it is damaged."""
    path = f"{folder}/{OUTPUT_MANIFEST}"
    if output.stat(path) is None:
        return {}
    try:
        tables = msgspec.json.decode(read_bytes(output, path), type=dict[str, dict[str, Laid]])
    except msgspec.DecodeError:
        return {}
    return tables.get("files", {})


def _deliverables(stage: Stage, manifest: Manifest) -> list[tuple[str, FileEntry]]:
    return [
        (output.asset, file)
        for output in stage.outputs
        for file in manifest.outputs[output.asset].files
        if file.name in output.deliver
    ]


def _is_laid(output: Files, store: Store, target: str, file: FileEntry) -> bool:
    stat = output.stat(target)
    if stat is None or stat.size != file.size:
        return False
    seen = store.known_hashes(f"output/{target}").get(output.locate(target))
    if seen is not None and seen[0] == stat:
        return seen[1] == file.sha256
    with output.open_read(target) as stream:
        digest = digest_of_stream(stream)
    if digest == file.sha256:
        _remember(output, store, target, file)
    return digest == file.sha256


def _remember(output: Files, store: Store, target: str, file: FileEntry) -> None:
    stat = output.stat(target)
    if stat is not None:
        store.keep_hashes(f"output/{target}", {output.locate(target): (stat, file.sha256)})
