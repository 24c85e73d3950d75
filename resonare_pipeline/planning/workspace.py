"""Everything a plan is made from, opened once: graph, settings, raw inputs, store, output."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from resonare_pipeline.artifacts.files import Files, open_files
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.planning.graph import Graph
from resonare_pipeline.planning.raw import RawListing, list_one, list_raw
from resonare_pipeline.settings import Places, Settings, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One project as it stands on storage.

    Attributes:
        folder: Where resonare.toml and .env lie.
        places: Where things lie.
        single: A file or folder that is taken as the only raw input, or None.
    """

    graph: Graph
    settings: Settings
    folder: Path
    places: Places
    store: Store
    output: Files
    single: Path | None = None

    def list_raw(self, *, only: str | None = None) -> RawListing:
        """List the raw inputs there are now, or those of one key."""
        kinds = self.graph.raw_kinds()
        if self.single is not None:
            return list_one(self.single, kinds)
        # Hashes are remembered by full name, however the folder is spelt today.
        root = Path(self.places.raw).expanduser().absolute()
        listing = list_raw(root, kinds, only=only)
        # An unknown key is answered with the known ones, so all are listed for that.
        return listing if only is None or not listing.is_empty else list_raw(root, kinds)


def environment(folder: Path) -> dict[str, str]:
    """Return the environment variables, with those of `.env` in a folder where they are unset."""
    from_file = {
        name: value for name, value in dotenv_values(folder / ".env").items() if value is not None
    }
    return {**from_file, **os.environ}


def open_workspace(
    graph: Graph,
    *,
    overrides: Mapping[str, str] | None = None,
    places: Places | None = None,
    single: Path | None = None,
    folder: Path | None = None,
) -> Workspace:
    """Open the project in a folder.

    Args:
        graph: What there is to make.
        overrides: Settings in the `--set` syntax.
        places: Where things lie; None: as the environment says.
        single: A file or folder to take as the only raw input.
        folder: Where resonare.toml and .env lie; None: the working folder.
    """
    folder = folder or Path.cwd()
    environ = environment(folder)
    places = places or Places.from_environment(environ)
    return Workspace(
        graph=graph,
        settings=load_settings(
            graph.sections(), folder=folder, environ=environ, overrides=overrides or {}
        ),
        folder=folder,
        places=places,
        store=Store(open_files(places.store)),
        output=open_files(places.output),
        single=single,
    )
