"""Memory does not grow with an artifact: measured in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

MEGABYTE = 1 << 20
SIZE = 120 * MEGABYTE
BOUND = 64 * MEGABYTE  # a part that is sent and its copies on the way, with room to spare
STATUS = Path("/proc/self/status")

PROGRAM = f"""
import re, sys
from pathlib import Path
from resonare_pipeline.artifacts.draft import OutputDraft
from resonare_pipeline.artifacts.files import write_bytes
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.artifacts.store import Store
from resonare_pipeline.fingerprint import digest_of_stream

def peak():
    # Not ru_maxrss: that begins with the peak of the process which started this one.
    status = Path("{STATUS}").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024

files = open_files(sys.argv[1])
write_bytes(files, "small", b"x")
before = peak()
store = Store(files)
draft = store.output(store.attempt("words", "alice", "f1"), "words")
with draft.open("long.bin") as stream:
    for number in range({SIZE} >> 20):
        stream.write(bytes([number % 256]) * {MEGABYTE})
draft.report(rows=1)
entry = draft.entry().files[0]
assert entry.size == {SIZE}
with draft.staged().open("long.bin") as stream:
    assert digest_of_stream(stream) == entry.sha256
with files.open_read(entry.path) as source, files.open_write("copy") as sink:
    while chunk := source.read({MEGABYTE}):
        sink.write(chunk)
print(peak() - before)
"""


@pytest.mark.skipif(not STATUS.exists(), reason="the peak of one process is told by Linux alone")
@pytest.mark.usefixtures("s3_server")
def test_artifact_of_many_megabytes_goes_up_and_down_in_bounded_memory(bucket: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, f"s3://{bucket}/store"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < BOUND
