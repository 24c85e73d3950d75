"""What differs between the summaries of two versions. No row is read."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from resonare_pipeline.artifacts.artifact import Artifact
from resonare_pipeline.datasets.report.language_names import language_name
from resonare_pipeline.datasets.summary import SUMMARY_FILE, Summary, decode_summary
from resonare_pipeline.errors import DamagedArtifactError


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A number that is not what it was; None where there was or is none."""

    name: str
    before: float | None
    now: float | None

    @property
    def change(self) -> float:
        """How much more it is now."""
        return (self.now or 0) - (self.before or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingDifference:
    """A setting that is not what it was, both values as JSON; empty where it did not exist."""

    name: str
    before: str
    now: str


def read_summary(dataset: Artifact) -> Summary:
    """Return the summary of a dataset.

    Raises:
        DamagedArtifactError: If it is not of the present form.
    """
    with dataset.open(SUMMARY_FILE) as stream:
        content = stream.read()
    try:
        return decode_summary(content)
    except msgspec.MsgspecError as error:
        raise DamagedArtifactError(
            f"{SUMMARY_FILE} is not what this version of the project writes: {error}",
            where=dataset.asset,
            remedy="Make the dataset again",
        ) from error


def read_earlier_summary(dataset: Artifact) -> Summary | None:
    """Return the summary of an earlier version; None if another release has written it."""
    try:
        return read_summary(dataset)
    except DamagedArtifactError:
        return None


def number_differences(now: Summary, before: Summary) -> dict[str, list[Difference]]:
    """Return title → numbers that changed, largest change first."""
    tables: dict[str, tuple[Mapping[str, float], Mapping[str, float]]] = {
        "Examples by split": (_of_splits(now, "examples"), _of_splits(before, "examples")),
        "Tokens by split": (_of_splits(now, "tokens"), _of_splits(before, "tokens")),
        "Examples by source": (_of_sources(now, "examples"), _of_sources(before, "examples")),
        "Tokens by source": (_of_sources(now, "tokens"), _of_sources(before, "tokens")),
        "Left out, by reason": (now.dropped, before.dropped),
        "Redactions, by kind": (now.redactions, before.redactions),
        "Still suspected, by kind": (now.left, before.left),
        "Examples by language": (_of_languages(now), _of_languages(before)),
        "Estimate of training at OpenAI": (now.training, before.training),
    }
    found = {title: _differences(*pair) for title, pair in tables.items()}
    return {title: differences for title, differences in found.items() if differences}


def _of_splits(summary: Summary, name: str) -> dict[str, float]:
    return {split: getattr(numbers, name) for split, numbers in summary.splits.items()}


def _of_sources(summary: Summary, name: str) -> dict[str, float]:
    return {source: getattr(numbers, name) for source, numbers in summary.sources.items()}


def _of_languages(summary: Summary) -> dict[str, float]:
    return {language_name(code): examples for code, examples in summary.languages.items()}


def _differences(now: Mapping[str, float], before: Mapping[str, float]) -> list[Difference]:
    names = [name for name in {**now, **before} if now.get(name) != before.get(name)]
    found = [Difference(name=name, before=before.get(name), now=now.get(name)) for name in names]
    return sorted(found, key=lambda difference: (-abs(difference.change), difference.name))


def setting_differences(now: Summary, before: Summary) -> list[SettingDifference]:
    """Return the settings that changed, by name."""
    here, there = _flat(now), _flat(before)
    return [
        SettingDifference(name=name, before=there.get(name, ""), now=here.get(name, ""))
        for name in sorted(here.keys() | there.keys())
        if here.get(name) != there.get(name)
    ]


def _flat(summary: Summary) -> dict[str, str]:
    head = {"tokenizer, as loaded": summary.tokenizer}
    values = {
        f"{section}.{key}": value
        for section, keys in summary.settings.items()
        for key, value in keys.items()
    }
    return {name: as_json(value) for name, value in (head | values).items()}


def as_json(value: object) -> str:
    """Return a setting's value on one line."""
    return msgspec.json.encode(value, order="sorted").decode()
