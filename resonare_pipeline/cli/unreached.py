"""What `resonare forget` cannot reach, with the command for each.

Commands are printed, never run: what they delete is not the project's to delete.
"""

import shlex
from collections.abc import Iterator

import msgspec

from resonare_pipeline.artifacts.files import read_bytes
from resonare_pipeline.artifacts.opening import is_remote
from resonare_pipeline.artifacts.store import STAGES
from resonare_pipeline.cli.remembered import Line, remembered
from resonare_pipeline.cli.request import Request
from resonare_pipeline.planning.forgetting import Intent
from resonare_pipeline.planning.raw import RawInput

PUBLISHED_FILE = "published.json"


def unreached(request: Request, intent: Intent) -> Iterator[Line]:
    """Yield everything beyond store, deliverables and history that may hold the person."""
    for item in intent.inputs:
        yield f"the raw export {item.key} holds them", _delete(item)
    for item in intent.named_inputs:
        yield (
            f"the name of the raw export {item.key} holds a name of theirs, and so do the paths of "
            "what is made from it",
            _rename(item),
        )
    yield from _published(request)
    yield from _buckets(request)
    yield from remembered(request)
    folder = request.workspace.folder / "resonare.toml"
    yield f"{folder} holds the rule itself; without it they would come back", ""
    if intent.link:
        yield f"{intent.link}, links their ids, and may be taken out by hand", ""
    yield (
        "stores of others and on other machines: there, with this resonare.toml",
        " && ".join(f"resonare forget {shlex.quote(one)} --yes" for one in intent.ids),
    )
    yield "backups and snapshots of disks, and copies that were taken from data/output", ""


def _root(item: RawInput) -> str:
    """Return the file or folder that is the input."""
    first = next(iter(item.entries))
    return item.files.locate(first.split("/")[0])


def _delete(item: RawInput) -> str:
    where = _root(item)
    is_folder = "/" in next(iter(item.entries))
    if is_remote(where):
        return f"aws s3 rm {'--recursive ' if is_folder else ''}{shlex.quote(where)}"
    return f"rm {'-r ' if is_folder else ''}{shlex.quote(where)}"


def _rename(item: RawInput) -> str:
    where = _root(item)
    folder, _, name = where.rpartition("/")
    is_folder = "/" in next(iter(item.entries))
    ending = "" if is_folder else name[name.rfind(".") :]
    places = f"{shlex.quote(where)} {shlex.quote(f'{folder}/export-1{ending}')}"
    if is_remote(where):
        return f"aws s3 mv {'--recursive ' if is_folder else ''}{places}"
    return f"mv {places}"


def _published(request: Request) -> Iterator[Line]:
    """Yield what lies on the Hub, by what the store remembers of publications."""
    revisions: dict[tuple[str, str], list[str]] = {}
    store = request.workspace.store
    for stage in request.workspace.graph.stages:
        for manifest in store.manifests(f"{STAGES}/{stage.name}") if stage.on_request else ():
            for entry in manifest.outputs.values():
                for file in entry.files:
                    if file.name == PUBLISHED_FILE:
                        said = msgspec.json.decode(read_bytes(store.files, file.path))
                        place = str(said.get("repo_id")), str(said.get("url"))
                        revisions.setdefault(place, []).append(str(said.get("revision")))
    for (repo_id, url), commits in revisions.items():
        squash = f"HfApi().super_squash_history({repo_id!r}, repo_type='dataset')"
        program = f"from huggingface_hub import HfApi; {squash}"
        yield (
            f"the Hub: {url} keeps every revision that was published ({', '.join(commits)}); "
            "publish again, then forget the history",
            f"resonare publish --repo-id {shlex.quote(repo_id)} && "
            f"python -c {shlex.quote(program)}",
        )
        yield (
            f"the Hub: large files of {repo_id} stay until they are deleted there for good "
            "(permanently_delete_lfs_files); to delete the repository as a whole",
            f"hf repos delete {shlex.quote(repo_id)} --repo-type dataset",
        )


def _buckets(request: Request) -> Iterator[Line]:
    places = request.workspace.places
    for place in dict.fromkeys((places.raw, places.store, places.output)):
        if is_remote(place):
            bucket, _, prefix = place.partition("://")[2].partition("/")
            yield (
                f"earlier versions of objects in {place}, if the bucket keeps versions",
                f"aws s3api list-object-versions --bucket {shlex.quote(bucket)} "
                f"--prefix {shlex.quote(prefix)}",
            )
