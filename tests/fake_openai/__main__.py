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
from aiohttp import web

from tests.fake_openai.journal import Journal
from tests.fake_openai.script import Script
from tests.fake_openai.server import FakeOpenAI

HOST = "127.0.0.1"


async def serve(server: FakeOpenAI, port: int, tls: ssl.SSLContext | None) -> None:
    """Serve until SIGTERM or SIGINT."""
    runner = web.ServerRunner(web.Server(server.handle), handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, port, ssl_context=tls, backlog=1024)
    await site.start()
    bound = runner.addresses[0][1]
    print(f"{'https' if tls else 'http'}://{HOST}:{bound}/v1", flush=True)  # noqa: T201  # for callers
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await runner.cleanup()


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
        asyncio.run(serve(FakeOpenAI(script, journal), given.port, tls))


if __name__ == "__main__":
    main()
