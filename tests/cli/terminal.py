"""Running the command in a terminal of its own."""

import os
import pty
import subprocess
from pathlib import Path

from tests.processes import clean_environment, script


def in_terminal(folder: Path, *arguments: str) -> str:
    """Return all that a command shows in a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [script("resonare"), *arguments],
        cwd=folder,
        env=clean_environment(COLUMNS="160", TERM="xterm-256color"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # how Linux says that nobody writes any more
                break
            if not piece:
                break
            shown += piece
    os.close(ours)
    return shown.decode(errors="replace")
