import os
import subprocess
import sys
import uuid

import pytest

from resonare_pipeline.completions.cache import processes
from resonare_pipeline.completions.cache.processes import is_gone, new_name

PRINTED = "from resonare_pipeline.completions.cache.processes import new_name; print(new_name())"


def of_a_child() -> tuple[str, subprocess.Popen[str]]:
    """Return the name of a process that has ended and waits for its parent to look."""
    child = subprocess.Popen([sys.executable, "-c", PRINTED], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    name = child.stdout.read().strip()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    return name, child


def test_names_differ_have_32_characters_and_are_of_a_process_that_lives() -> None:
    names = {new_name() for _ in range(50)}
    assert len(names) == 50
    assert {len(name) for name in names} == {32}
    assert not any(map(is_gone, names))


def test_a_process_that_has_ended_is_gone_even_before_its_parent_looks() -> None:
    name, child = of_a_child()
    if sys.platform == "linux":
        assert is_gone(name)
    child.communicate()
    assert is_gone(name)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a process began")
def test_a_process_that_got_the_number_of_another_is_not_that_one() -> None:
    name = new_name()
    pid, start = f"{os.getpid():08x}", name[19:27]
    assert name[11:19] == pid
    assert is_gone(name.replace(start, "f" * 8))
    assert not is_gone(name.replace(start, "0" * 8))  # it did not say when it began


def test_nothing_is_known_of_other_machines_and_of_other_names() -> None:
    name, child = of_a_child()
    child.communicate()
    assert is_gone(name)
    assert not is_gone("p" + "0" * 10 + name[11:])
    assert not is_gone(name[:11] + "x" * 21)
    assert not is_gone(uuid.uuid4().hex)
    assert not is_gone("")


def test_a_process_of_another_user_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_pid: int, _signal: int) -> None:
        raise PermissionError

    name = new_name()
    monkeypatch.setattr(os, "kill", refuse)
    assert not is_gone(name)


def test_where_nobody_knows_the_machine_names_are_random_and_nobody_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone, child = of_a_child()
    child.communicate()
    monkeypatch.setattr(processes, "_machine", lambda: "")
    assert not new_name().startswith("p")
    assert not is_gone(gone)
