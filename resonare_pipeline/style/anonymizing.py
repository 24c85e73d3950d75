"""One text without what identifies people, for frames that are anonymised before use."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from resonare_pipeline.privacy.people import label_people
from resonare_pipeline.privacy.redaction import Redactor
from resonare_pipeline.privacy.settings import PrivacySettings


def anonymize_text(text: Any, names: Iterable[str] = ()) -> Any:
    """Return a text with placeholders for phone numbers, addresses, cards, links, names and keys.

    The same detectors as in `dataset` (docs/privacy.md), with the defaults of `[privacy]`. What is
    no text, such as a missing body, is returned as it is.

    Args:
        names: Of people; each is replaced by a placeholder of its own, [PERSON_1] for the first.
    """
    if not isinstance(text, str):
        return text
    given = (names,) if isinstance(names, str) else tuple(names)
    return _redactor(given).redact(text).text


@lru_cache(maxsize=16)
def _redactor(names: tuple[str, ...]) -> Redactor:
    settings = PrivacySettings()
    return Redactor(settings, label_people(((name, (name,)) for name in names), settings))
