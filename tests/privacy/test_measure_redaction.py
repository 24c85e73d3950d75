"""The thresholds that redaction is held to, on a part of what `docs/privacy.md` tells."""

from tests.privacy.generate_items import REGIONS
from tests.privacy.measure_redaction import (
    PAGE,
    tally_clean,
    tally_items,
    tally_names,
    tally_phones,
)

MOST_MISSED = 0.005
MOST_HIT = 0.001
STEP = 29  # a prime, so that regions, forms and sentences all come up


def test_planted_phone_numbers_are_found_in_every_region() -> None:
    tally = tally_phones(step=STEP)["region"]
    assert len(tally.total) >= 60
    assert tally.share_wrong <= MOST_MISSED, tally.examples


def test_planted_items_are_found_of_every_kind() -> None:
    tally = tally_items(step=STEP)["kind"]
    assert set(tally.total) == {"email", "card", "iban", "ip", "url", "handle", "secret"}
    assert tally.share_wrong <= MOST_MISSED, tally.examples


def test_marked_names_are_replaced_and_nothing_else() -> None:
    tally = tally_names()
    assert tally.total.total() >= 80
    assert tally.share_wrong <= MOST_MISSED, tally.examples


def test_clean_material_is_not_hit() -> None:
    tally = tally_clean(("", *list(REGIONS)[::9]))
    assert tally.total.total() >= 10_000
    assert tally.share_wrong <= MOST_HIT, tally.examples


def test_page_tells_the_regions_that_are_measured() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert all(f" {region} |" in page for region in REGIONS)
