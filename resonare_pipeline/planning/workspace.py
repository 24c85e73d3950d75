"""Everything a plan is made from, opened once: graph, settings, raw inputs, store, output."""

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from resonare_pipeline.artifacts.files import Files
from resonare_pipeline.artifacts.opening import is_remote, open_files
from resonare_pipeline.artifacts.s3.client import AWS_PREFIX, Connect, connect
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.errors import SettingsError
from resonare_pipeline.planning.graph import Graph
from resonare_pipeline.planning.operation import DeliverySettings
from resonare_pipeline.planning.raw import RawListing, list_one, list_raw
from resonare_pipeline.settings import Places, Settings, load_settings

HUB_PREFIX = "HF_"  # token, address and cache of the Hugging Face Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One project as it stands on storage.

    Attributes:
        folder: Where resonare.toml and .env lie.
        places: Where things lie, as the person wrote it.
        raw: The raw inputs, by the full name of their root: hashes are remembered by that, however
            the folder is spelt today.
        outputs: Where deliverables are laid; the first is the output folder.
        single: A file or folder that is taken as the only raw input, or None.
        unattended: What is made here was asked for by nobody, as by a sensor.
        patient: Somebody waits for what is made here, however long that takes.
        account: Name of the run, under which all that it pays for is added up.
    """

    graph: Graph
    settings: Settings
    folder: Path
    places: Places
    raw: Files
    store: Store
    outputs: tuple[Files, ...]
    single: Path | None = None
    unattended: bool = False
    patient: bool = False
    account: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def output(self) -> Files:
        """The output folder."""
        return self.outputs[0]

    def list_raw(self, *, only: str | None = None) -> RawListing:
        """List the raw inputs there are now, or those of one key."""
        kinds = self.graph.raw_kinds()
        if self.single is not None:
            return list_one(self.single, kinds)
        listing = list_raw(self.raw, kinds, only=only)
        # An unknown key is answered with the known ones, so all are listed for that.
        return listing if only is None or not listing.is_empty else list_raw(self.raw, kinds)


def environment(folder: Path, *, file: Path | None = None) -> dict[str, str]:
    """Return the environment variables, with those of `.env` in a folder where they are unset.

    Args:
        file: Another file to read in place of `.env`.

    Raises:
        SettingsError: If the file is no UTF-8.
    """
    path = file or folder / ".env"
    try:
        values = dotenv_values(path)
    except UnicodeDecodeError as error:
        raise SettingsError("not UTF-8", where=str(path)) from error
    from_file = {name: value for name, value in values.items() if value is not None}
    return {**from_file, **os.environ}


def open_workspace(
    graph: Graph,
    *,
    overrides: Mapping[str, str] | None = None,
    places: Places | None = None,
    single: Path | None = None,
    folder: Path | None = None,
    connect_s3: Connect = connect,
) -> Workspace:
    """Open the project in a folder.

    Args:
        graph: What there is to make.
        overrides: Settings in the `--set` syntax.
        places: Where things lie; None: as the environment says.
        single: A file or folder to take as the only raw input.
        folder: Where resonare.toml and .env lie; None: the working folder.
        connect_s3: Makes the client of S3, if a place lies there; else from AWS's own variables.

    Raises:
        SettingsError: For a setting that cannot be used.
        StoreError: For a place that is not supported, or a client that cannot be made.
    """
    folder = folder or Path.cwd()
    environ = environment(folder)
    places = places or Places.from_environment(environ)
    settings = load_settings(
        graph.sections(), folder=folder, environ=environ, overrides=overrides or {}
    )
    laid = filter(None, (places.output, settings.section(DeliverySettings).also_to))
    outputs = tuple(dict.fromkeys(laid))
    if any(map(is_remote, (places.raw, places.store, *outputs))):
        _hand_on(environ, AWS_PREFIX)
    _hand_on(environ, HUB_PREFIX)
    raw = places.raw if is_remote(places.raw) else str(Path(places.raw).expanduser().absolute())
    return Workspace(
        graph=graph,
        settings=settings,
        folder=folder,
        places=places,
        raw=open_files(raw, connect_s3),
        store=Store(open_files(places.store, connect_s3)),
        outputs=tuple(open_files(place, connect_s3) for place in outputs),
        single=single,
    )


def _hand_on(environ: Mapping[str, str], prefix: str) -> None:
    """Put variables of `.env` where the libraries look that they belong to.

    They stay in the environment of this process: credentials are looked up whenever they expire.
    """
    for name, value in environ.items():
        if name.startswith(prefix) and value:
            os.environ.setdefault(name, value)
