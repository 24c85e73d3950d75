"""What a fingerprint is made from: settings, code, inputs, files, versions."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

import msgspec

from resonare_pipeline.artifacts.manifest import Ingredients
from resonare_pipeline.fingerprint import fingerprint
from resonare_pipeline.planning.code import code_identity
from resonare_pipeline.planning.graph import SettingsOf, Stage


def ingredients_of(
    stage: Stage,
    settings: SettingsOf,
    by_partition: Mapping[str, SettingsOf],
    inputs: dict[str, str],
) -> Ingredients:
    """Return all that decides a stage's bytes.

    Args:
        by_partition: Full partition name → sections that a gathering stage reads of it.
        inputs: Name → digest.
    """
    own = {
        f"{kind.section} of {name}": values.identity()
        for name, sections in by_partition.items()
        for kind, values in sections.items()
    }
    return Ingredients(
        settings={
            kind.section: values.identity()
            for kind, values in settings.items()
            if stage.heeds(kind, settings)
        }
        | own,
        code=stage_code(stage),
        inputs=inputs,
        files=dict(stage.files(settings)),
        versions={name: _version(name) for name in stage.distributions},
    )


def stage_code(stage: Stage) -> dict[str, str]:
    """Return the code identity of a stage: name → hash of a syntax tree."""
    return _code(stage.function, stage.verify)


@cache
def _code(*functions: object) -> dict[str, str]:
    merged: dict[str, str] = {}
    for function in functions:
        if callable(function):
            merged |= code_identity(function)
    return merged


@cache
def _version(distribution: str) -> str:
    return version(distribution)


def address(stage: Stage, partition: str | None, ingredients: Ingredients) -> str:
    """Return the fingerprint under which a stage's artifact is stored."""
    parts = msgspec.structs.asdict(ingredients)
    return fingerprint({"stage": stage.name, "partition": partition, **parts})
