"""Names that the shell offers for completion; an error offers nothing, and says nothing."""

from resonare_pipeline.errors import ResonareError


def complete_targets(incomplete: str) -> list[str]:
    """Return groups and assets; the shell offers files by itself."""
    from assets.graph import GRAPH

    return _starting(incomplete, [*GRAPH.groups(), *GRAPH.makers])


def complete_assets(incomplete: str) -> list[str]:
    """Return the names of assets."""
    from assets.graph import GRAPH

    return _starting(incomplete, list(GRAPH.makers))


def complete_partitions(incomplete: str) -> list[str]:
    """Return the keys of the raw inputs there are."""
    from assets.graph import GRAPH
    from resonare_pipeline.planning.workspace import open_workspace

    try:
        listing = open_workspace(GRAPH).list_raw()
    except ResonareError:
        return []
    return _starting(incomplete, [key for kind in GRAPH.raw_kinds() for key in listing.keys(kind)])


def complete_settings(incomplete: str) -> list[str]:
    """Return the names of settings, each with the sign that a value follows."""
    from assets.graph import GRAPH

    names = [
        f"{section.section}.{field}="
        for section in GRAPH.sections()
        for field in section.model_fields
    ]
    return _starting(incomplete, names)


def _starting(incomplete: str, names: list[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
