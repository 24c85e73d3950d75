"""What is redacted and how: the section `[privacy]`."""

import re
from typing import ClassVar, Literal

from pydantic import field_validator

from resonare_pipeline.privacy.kinds import Kind
from resonare_pipeline.settings import Section

_REGION = re.compile("[A-Z]{2}")


class PrivacySettings(Section):
    """What is redacted in texts, and what stands in its place."""

    section: ClassVar[str] = "privacy"

    redact: bool = True
    """Redact the texts of `dataset`. Deliverables of one export have a setting of their own,
    `enriched_messages.redact`."""

    people: Literal["placeholder", "pseudonym", "keep"] = "placeholder"
    """What stands for the names of the people who take part: `placeholder` writes [PERSON_1],
    `pseudonym` a name from a list, one for each person, `keep` leaves names as they are."""

    kinds: tuple[Kind, ...] = tuple(Kind)
    """Kinds of items that are redacted: phone, email, card, iban, ip, url, handle, secret, person,
    word."""

    regions: tuple[str, ...] = ()
    """ISO 3166 codes of the regions whose national phone numbers count, such as `["DE", "AT"]`;
    international ones always do. Empty: those of ninety regions, but only where a word beside it,
    an area code in brackets or a leading zero say that it is a phone number."""

    sensitive_words: tuple[str, ...] = ()
    """Words or phrases that must not stand in a dataset, whatever their case."""

    sensitive_action: Literal["redact", "drop"] = "redact"
    """What becomes of a sensitive word: `redact` writes [WORD], `drop` leaves out the whole
    example."""

    @field_validator("regions")
    @classmethod
    def _known_regions(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        for region in regions:
            if not _REGION.fullmatch(region):
                raise ValueError(f"{region!r} is no region, two capital letters such as DE")
        return regions

    @field_validator("sensitive_words")
    @classmethod
    def _not_blank(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if any(not word.strip() for word in words):
            raise ValueError("a sensitive word is blank")
        return words


def covers_all(settings: PrivacySettings) -> bool:
    """Tell whether everything is redacted that can be: every kind, and names."""
    return settings.redact and settings.people != "keep" and set(settings.kinds) == set(Kind)
