"""What `resonare forget` does of what is remembered beside the store: what links said, and answers.

Links are kept under hashes of their addresses, and answers under hashes of what was asked. What a
link said can be searched for names; of an answer nobody can tell whose image or record it is about.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from resonare_pipeline.artifacts.databases import compact
from resonare_pipeline.chats.forgetting import Traces
from resonare_pipeline.cli.request import Request
from resonare_pipeline.completions.environment import CACHE_FILE
from resonare_pipeline.errors import ResonareError
from resonare_pipeline.planning.forgetting import Intent
from resonare_pipeline.planning.workspace import environment

Line = tuple[str, str]
"""What cannot be reached, and the command; empty where there is none."""


class ClearedLinks(NamedTuple):
    """How many links were forgotten since they said a name, and what could not be cleared."""

    links: int = 0
    unreached: tuple[Line, ...] = ()


def clear_links(request: Request, intent: Intent) -> ClearedLinks:
    """Forget what links said if it names the person.

    It comes after all is made again, for which it may be needed; a page that is read later is
    remembered again.
    """
    # Here and not above: SQLAlchemy takes 0.3 s.
    from resonare_pipeline.chats.links.remembering import Memory
    from resonare_pipeline.completions.opening import existing_cache

    folder = request.workspace.folder
    traces = Traces.of(dict.fromkeys(intent.ids, intent.rule))
    try:
        with existing_cache(environment(folder), default_db=folder / CACHE_FILE) as cache:
            count = Memory(cache).forget(traces.in_texts) if cache else 0
    except ResonareError:  # what it says of the database is said by whatever needs it
        why = "cannot be opened, and may keep what links said of them; run this again when it can"
        return ClearedLinks(0, ((f"the database of answers and links {why}", ""),))
    file = _file(request)
    if not count or file is None:
        why = "keeps deleted rows until it is vacuumed"
        lines = ((f"the database of answers and links {why}", ""),) if count else ()
        return ClearedLinks(count, lines)
    if compact(file):
        return ClearedLinks(count)
    why = "is in use, and may keep what was deleted in free pages; end what uses it"
    return ClearedLinks(count, ((f"{file} {why}", ""),))


def remembered(request: Request) -> Iterator[Line]:
    """Yield the database that keeps answers, if there is one, without its password."""
    file = _file(request)
    if file is not None and not file.exists():
        return
    place = "the database that RESONARE_DB names" if file is None else str(file)
    yield (
        f"{place} keeps what models answered, descriptions of images among it, under keys that "
        "tell of nobody, and what links say that are read from now on; without it all answers are "
        "paid for again, and batches that are under way are lost",
        "" if file is None else f"rm {shlex.quote(str(file))}",
    )


def _file(request: Request) -> Path | None:
    """Return the file of the database; None if it is on a server, or cannot be told."""
    from resonare_pipeline.completions.cache.places import cache_url

    folder = request.workspace.folder
    try:
        url = cache_url(environment(folder), folder / CACHE_FILE)
    except ResonareError:
        return None
    is_file = url.drivername == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(url.database or "") if is_file else None
