import random
from pathlib import Path

from tests.records.killing import kill_and_resume, records_of

KILLS = 4


def test_a_filling_that_is_killed_asks_for_nothing_that_was_stored(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown where the test fails
    found = kill_and_resume(tmp_path, records=300, kills=KILLS, seed=seed)
    assert [row["uuid"] for row in found.rows] == [row["uuid"] for row in records_of(300)]
    assert not found.problems
