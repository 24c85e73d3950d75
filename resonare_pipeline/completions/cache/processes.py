"""Names of processes that ask, from which another one can tell that their process is gone.

A name holds the machine, the process's number and a hash of when it began, and is as long as a
random one. Only a process of the same machine is ever called gone, and only if that is certain:
a name from elsewhere, or of an unknown form, says nothing. On Linux a machine is a host name, a
boot and a namespace of process numbers, so two containers are two machines.
"""

import os
import platform
import sys
import uuid
from functools import cache
from pathlib import Path
from typing import NamedTuple

from resonare_pipeline.fingerprint import short_hash

MARK = "p"  # no hexadecimal digit, so no random name begins with it
MACHINE_DIGITS = 10
PID_DIGITS = 8
START_DIGITS = 8
RANDOM_DIGITS = 5
UNTOLD = "0" * START_DIGITS  # when it began is not known

_PROC = Path("/proc")
_RANDOM_ADDRESS_BIT = 1 << 40  # `uuid.getnode` sets it where it has found no address


class _Name(NamedTuple):
    machine: str
    pid: int
    start: str


def new_name() -> str:
    """Return a new name of this process, 32 characters long."""
    name = uuid.uuid4().hex
    if not (machine := _machine()):
        return name
    pid = os.getpid()
    return f"{MARK}{machine}{pid:0{PID_DIGITS}x}{_start(pid) or UNTOLD}{name[:RANDOM_DIGITS]}"


def is_gone(name: str) -> bool:
    """Tell whether a name's process has certainly ended; one that is not known has not."""
    read = _read(name)
    if read is None or read.machine != _machine():
        return False
    try:
        os.kill(read.pid, 0)  # asks only whether it is there
    except ProcessLookupError:
        return True
    except OSError:  # it is another user's
        pass
    start = _start(read.pid)
    if start is None or UNTOLD in (start, read.start):
        return False
    return start != read.start or _is_zombie(read.pid)


def _read(name: str) -> _Name | None:
    if not name.startswith(MARK):
        return None
    rest = name[len(MARK) :]
    machine, rest = rest[:MACHINE_DIGITS], rest[MACHINE_DIGITS:]
    try:
        pid = int(rest[:PID_DIGITS], 16)
    except ValueError:
        return None
    return _Name(machine, pid, rest[PID_DIGITS:][:START_DIGITS]) if pid > 0 else None


@cache
def _machine() -> str:
    """Return what all processes share that see one another's numbers; empty if it is not known."""
    if os.name != "posix":
        return ""  # where `os.kill` is no question
    if sys.platform == "linux":
        return _linux_machine()
    address = uuid.getnode()
    if address & _RANDOM_ADDRESS_BIT:
        return ""
    return short_hash([platform.node(), address], digits=MACHINE_DIGITS)


def _linux_machine() -> str:
    try:
        if (_PROC / "self").readlink().name != str(os.getpid()):
            return ""  # it shows another namespace's processes
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""
    return short_hash([platform.node(), boot, namespace], digits=MACHINE_DIGITS)


def _stat(pid: int) -> list[str]:
    """Return the fields of proc_pid_stat(5) from the third on; none where they cannot be read."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # the second is a name, which may hold anything


def _start(pid: int) -> str | None:
    """Return a hash of when a process began, in ticks since boot; None where it is not told."""
    fields = _stat(pid)
    return short_hash([fields[19]], digits=START_DIGITS) if len(fields) > 19 else None


def _is_zombie(pid: int) -> bool:
    return _stat(pid)[:1] in (["Z"], ["X"])
