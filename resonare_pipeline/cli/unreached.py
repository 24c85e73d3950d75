"""What `resonare forget` cannot reach, with the command for each.

Commands are printed, never run: what they delete is not the project's to delete.
"""

import shlex
from collections.abc import Iterator

from resonare_pipeline.artifacts.opening import is_remote
from resonare_pipeline.cli.request import Request
from resonare_pipeline.planning.forgetting import Intent
from resonare_pipeline.planning.raw import RawInput

Line = tuple[str, str]
"""What cannot be reached, and the command; empty where there is none."""


def unreached(request: Request, intent: Intent) -> Iterator[Line]:
    """Yield everything beyond store, deliverables and history that may hold the person."""
    for item in intent.inputs:
        yield f"the raw export {item.key} holds them", _delete(item)
    for item in intent.named_inputs:
        yield (
            f"the name of the raw export {item.key} holds a name of theirs, and so do the paths of "
            "what is made from it",
            f"mv {shlex.quote(_root(item))} {shlex.quote(_renamed(item))}",
        )
    yield from _buckets(request)
    folder = request.workspace.folder / "resonare.toml"
    yield f"{folder} holds the rule itself; without it they would come back", ""
    yield (
        "stores of others and on other machines: there, with this resonare.toml",
        f"resonare forget {shlex.quote(intent.person_id)} --yes",
    )
    yield "backups and snapshots of disks, and copies that were taken from data/output", ""


def _root(item: RawInput) -> str:
    """Return the file or folder that is the input."""
    first = next(iter(item.entries))
    return item.files.locate(first.split("/")[0])


def _delete(item: RawInput) -> str:
    where = _root(item)
    if is_remote(where):
        return f"aws s3 rm --recursive {shlex.quote(where)}"
    is_folder = "/" in next(iter(item.entries))
    return f"{'rm -r' if is_folder else 'rm'} {shlex.quote(where)}"


def _renamed(item: RawInput) -> str:
    where = _root(item)
    folder, _, name = where.rpartition("/")
    ending = name[name.rfind(".") :] if "." in name else ""
    return f"{folder}/export-1{ending}"


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
