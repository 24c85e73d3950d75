"""Ask the same requests as another process does: `python -m tests.completions.sharing URL DB N`.

Prints `ready`, waits for a line, asks, and prints how many requests were sent and answered.
"""

import sys

from sqlalchemy.engine import make_url

from tests.completions.asking import ask, engine, requests


def main(url: str, database: str, count: int) -> None:
    """Ask, and print what was done."""
    opened = engine(url, make_url(database), concurrency=8)
    print("ready", flush=True)  # noqa: T201  # for the test
    sys.stdin.readline()
    outcomes, tally = ask(opened, requests(count))
    failed = sum(outcome.failure is not None for outcome in outcomes)
    print(tally.sent, tally.answered, tally.cached, failed, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
