import random
from pathlib import Path

import pytest

from tests.fake_openai.script import FateRule
from tests.records.killing import records_of, unfilled
from tests.records.killing_batches import DANGEROUS, kill_and_resume

KILLS = 3
RECORDS = 60


@pytest.mark.parametrize("fates", [(), DANGEROUS], ids=["plain", "dangerous"])
def test_a_filling_by_batches_that_is_killed_pays_for_nothing_twice(
    tmp_path: Path, fates: tuple[FateRule, ...]
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown where the test fails
    found = kill_and_resume(tmp_path, records=RECORDS, kills=KILLS, seed=seed, fates=fates)
    assert [row["uuid"] for row in found.rows] == [row["uuid"] for row in records_of(RECORDS)]
    assert unfilled(found.rows) == 0
    assert found.repeated == 0
    assert (found.here, found.there, found.open_rows) == ([], [], 0)
