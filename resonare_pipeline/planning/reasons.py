"""Why a fingerprint is another one than last time, in words."""

from collections.abc import Mapping
from typing import Any

from resonare_pipeline.artifacts.manifest import Ingredients

LONGEST_VALUE = 40  # characters of a setting shown in a reason


def explain(before: Ingredients | None, now: Ingredients) -> tuple[str, ...]:
    """Name what differs from an earlier artifact's ingredients.

    Args:
        before: Those of the youngest artifact there is, or None.
        now: Those of the artifact that is wanted.
    """
    if before is None:
        return ("never made",)
    reasons = [
        f"setting {section}.{key}: {_show(old)} → {_show(new)}"
        for section in {**before.settings, **now.settings}
        for key, old, new in _changes(
            before.settings.get(section, {}), now.settings.get(section, {})
        )
    ]
    reasons += [f"input {name} changed" for name, *_ in _changes(before.inputs, now.inputs)]
    reasons += [f"code of {name} changed" for name, *_ in _changes(before.code, now.code)]
    reasons += [f"file {name} changed" for name, *_ in _changes(before.files, now.files)]
    reasons += [
        f"{name}: {_show(old)} → {_show(new)}"
        for name, old, new in _changes(before.versions, now.versions)
    ]
    return tuple(reasons) or ("missing",)


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    return [
        (name, before.get(name), now.get(name))
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
