"""Noticing new, changed and vanished raw inputs, look by look.

`look` is a pure function from what was known and what is listed now; `Watch` is what one look tells
the next, and survives restarts as a short text. An input is *ripe* when two looks running found it
the same and no run was asked for in that form. It is retired when two good listings running miss
it. A listing that could not see the folder, or that is empty where inputs were known, counts for
neither, since an unmounted disk looks like that. No orchestrator is known here.
"""

import base64
import time
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.errors import ResonareError
from resonare_pipeline.fingerprint import short_hash
from resonare_pipeline.planning.delivery import is_laid
from resonare_pipeline.planning.graph import Stage
from resonare_pipeline.planning.plan import plan
from resonare_pipeline.planning.raw import RawInput, RawKind, RawListing
from resonare_pipeline.planning.workspace import Workspace

ABSENCES = 2  # good listings that must miss an input before it is retired
READABLE_BYTES = 2_000  # of a watch that is written plainly
FORM_DIGITS = 8  # hexadecimal; a form is compared with earlier ones of the same input alone


class Seen(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What is known of one raw input.

    Attributes:
        form: Short hash of names, sizes and versions of its files and attachments; empty where it
            cannot be used.
        steady: Whether the last two looks found this form.
        asked: The form for which a run was last asked, or that needed none.
        requests: Runs asked for so far.
        absences: Good listings running that missed it.
    """

    form: str
    steady: bool = False
    asked: str = ""
    requests: int = 0
    absences: int = 0


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """What one look tells the next.

    Attributes:
        epoch: Tells this memory from one that was begun anew; part of run keys.
        requests: Most runs ever asked for one input that was retired; where new ones begin.
        inputs: Key → what is known of it.
    """

    epoch: str
    requests: int = 0
    inputs: dict[str, Seen] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look found.

    Attributes:
        watch: For the next look.
        ripe: Keys that a run may take now, in order.
        unsteady: Keys that are new or have changed since the last look.
        retired: Keys that are gone.
        doubt: Why the listing was not believed; empty if it was.
    """

    watch: Watch
    ripe: tuple[str, ...] = ()
    unsteady: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    doubt: str = ""


def forms_of(listing: RawListing, kind: RawKind) -> dict[str, str]:
    """Return key → form of every raw input of a kind; an unusable one has an empty form."""
    return {key: _form(listing.inputs.get((kind.folder, key))) for key in listing.partitions(kind)}


def _form(raw: RawInput | None) -> str:
    if raw is None:
        return ""
    listed = {**raw.attachments, **raw.entries}
    files = sorted((path, stat.size, stat.version) for path, stat in listed.items())
    return short_hash(msgspec.json.encode(files).decode(), digits=FORM_DIGITS)


def look(before: Watch, forms: Mapping[str, str], *, doubt: str = "") -> Look:
    """Compare a listing with what is known.

    Args:
        forms: Key → form of all that is listed.
        doubt: Why the listing cannot be believed, if so.
    """
    if not forms and before.inputs and not doubt:
        doubt = f"the listing is empty, where {len(before.inputs)} inputs were"
    if doubt:
        return Look(watch=before, doubt=doubt)
    inputs: dict[str, Seen] = {}
    for key, form in forms.items():
        known = before.inputs.get(key, Seen(form="", requests=before.requests))
        steady = bool(form) and known.form == form
        inputs[key] = msgspec.structs.replace(known, form=form, steady=steady, absences=0)
    missing = {
        key: msgspec.structs.replace(seen, absences=seen.absences + 1)
        for key, seen in before.inputs.items()
        if key not in forms
    }
    retired = [key for key, seen in missing.items() if seen.absences >= ABSENCES]
    inputs |= {key: seen for key, seen in missing.items() if key not in retired}
    floor = max([before.requests, *(missing[key].requests for key in retired)])
    return Look(
        watch=msgspec.structs.replace(before, requests=floor, inputs=dict(sorted(inputs.items()))),
        ripe=tuple(
            key for key in sorted(forms) if inputs[key].steady and not _is_settled(inputs[key])
        ),
        unsteady=tuple(key for key in sorted(forms) if forms[key] and not inputs[key].steady),
        retired=tuple(sorted(retired)),
    )


def _is_settled(seen: Seen) -> bool:
    return seen.asked == seen.form


def settle(watch: Watch, *, current: Iterable[str], asked: Iterable[str]) -> Watch:
    """Note which inputs need no run in their present form, and for which one is asked now."""
    inputs = dict(watch.inputs)
    for key in current:
        inputs[key] = msgspec.structs.replace(inputs[key], asked=inputs[key].form)
    for key in asked:
        seen = inputs[key]
        inputs[key] = msgspec.structs.replace(seen, asked=seen.form, requests=seen.requests + 1)
    return msgspec.structs.replace(watch, inputs=inputs)


def run_key(watch: Watch, kind: RawKind, key: str) -> str:
    """Return the name of the last request for an input; no two requests have the same."""
    return f"{kind.folder}/{key}#{watch.inputs[key].requests}@{watch.epoch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """Ripe inputs by what is to be done.

    Attributes:
        current: The planner calls them current.
        wanted: A run is to make them.
        left: Not looked at this time: busy, over the limit, or out of time.
        failed: Key → why it cannot even be planned.
    """

    current: tuple[str, ...]
    wanted: tuple[str, ...]
    left: tuple[str, ...]
    failed: Mapping[str, ResonareError]


def sift(
    workspace: Workspace,
    listing: RawListing,
    stages: Collection[Stage],
    ripe: Iterable[str],
    *,
    busy: Collection[str],
    limit: int,
    seconds: float,
) -> Sifted:
    """Ask the planner which ripe inputs need a run.

    Args:
        stages: What a run would make.
        busy: Keys that have a run in progress; they are left for a later look.
        limit: Most runs wanted.
        seconds: When to stop planning; what is left over follows at the next look.
    """
    until = time.monotonic() + seconds
    store = Store(workspace.store.files, verifies=False)  # hashing is a run's work
    current: list[str] = []
    wanted: list[str] = []
    left: list[str] = []
    failed: dict[str, ResonareError] = {}
    for key in ripe:
        if key in busy or len(wanted) >= limit or time.monotonic() > until:
            left.append(key)
            continue
        entries = plan(
            workspace.graph,
            workspace.settings,
            listing,
            store,
            targets=stages,
            partitions=(key,),
        ).entries.values()
        error = next((entry.error for entry in entries if entry.error), None)
        if error is not None:
            failed[key] = error
        elif all(
            entry.manifest
            and entry.is_whole
            and is_laid(workspace.output, entry.stage, entry.manifest)
            for entry in entries
        ):  # a hit that another version was laid over needs a run as well
            current.append(key)
        else:
            wanted.append(key)
    return Sifted(current=tuple(current), wanted=tuple(wanted), left=tuple(left), failed=failed)


def encode_watch(watch: Watch) -> str:
    """Return a watch as text: as JSON that a person can read, compressed where that is long.

    The text is kept with every look that is recorded, thousands a day.
    """
    content = msgspec.json.encode(watch)
    if len(content) <= READABLE_BYTES:
        return content.decode()
    return base64.b85encode(zlib.compress(content, 9)).decode()


def decode_watch(text: str | None, *, epoch: str) -> Watch:
    """Return the watch that a text holds, or a new one if it holds none.

    Args:
        epoch: For a new one.
    """
    text = text or ""
    try:
        plain = text.startswith("{")
        content = text.encode() if plain else zlib.decompress(base64.b85decode(text))
        return msgspec.json.decode(content, type=Watch)
    except (ValueError, zlib.error):
        return Watch(epoch=epoch)
