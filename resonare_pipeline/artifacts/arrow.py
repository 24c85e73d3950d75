"""How Arrow is set up in a process that makes artifacts, before its first table."""

import functools
import importlib.abc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


@functools.cache
def prepare_arrow() -> None:
    """Choose the allocator, and keep pyarrow from importing what it does not need; once a process.

    Arrow's own allocators keep much of what a stage frees, and the next one needs it more: on a
    500 MB export the system's allocator peaks 75 MB lower.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    _spare_pandas()


def _spare_pandas() -> None:
    # pyarrow imports pandas (nearly a second, and 60 MB) to ask of the first list that it is given
    # whether it is a Series. Asked while there is none to be found, it takes lists for lists from
    # then on; whatever really needs pandas, such as `to_pandas`, still imports it.
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)


class _NoPandas(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse pandas, and leave all else to the other finders."""
        del path, target  # a finder's signature
        if name == "pandas":
            raise ModuleNotFoundError("not now", name=name)
        return None
