"""Run the fake server: `python -m tests.fake_openai --port 0 --script '{"rules": …}'`.

Prints its base URL as the first line, and serves until it is told to end.
"""

import argparse
import asyncio
import contextlib
import signal
import ssl
from pathlib import Path

import msgspec

from tests.fake_openai.journal import Journal
from tests.fake_openai.script import Script
from tests.fake_openai.server import FakeOpenAI, serve


async def run(server: FakeOpenAI, port: int, tls: ssl.SSLContext | None) -> None:
    """Serve until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)

    def told(url: str) -> None:
        print(url, flush=True)  # noqa: T201  # for callers

    await serve(server, port, tls, told=told, ended=ended)


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--script", default="{}", help="JSON, or the path of a JSON file")
    parser.add_argument("--journal", type=Path, help="file that answers are written to, as lines")
    parser.add_argument("--forget", action="store_true", help="keep no journal in memory")
    parser.add_argument("--certificate", type=Path, help="PEM of certificate and key: serve TLS")
    given = parser.parse_args()
    text = given.script if given.script.lstrip().startswith("{") else Path(given.script).read_text()
    script = msgspec.json.decode(text.encode(), type=Script)
    tls = None
    if given.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(given.certificate)
    journal = Journal(given.journal, kept=not given.forget)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(FakeOpenAI(script, journal), given.port, tls))


if __name__ == "__main__":
    main()
