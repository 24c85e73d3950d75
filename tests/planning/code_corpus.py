"""A project as texts, and the identities of what stands in it."""

from types import FunctionType

from resonare_pipeline.planning.code import code_identity

BLOCKS = '''"""Cut into blocks."""
from resonare_pipeline.rows import Row
from resonare_pipeline import text as wording
import resonare_pipeline.chats.deep.lower as low
import os.path

LIMIT = 3

def cut(rows):
    """Cut."""
    total = 0
    for row in rows:
        total += row.size
    return [f"{total:>{LIMIT}}", low.x, wording.y]
'''

PROJECT = {
    "resonare_pipeline": '"""The project."""\n',
    "resonare_pipeline.rows": "class Row:\n    size: int = 1\n",
    "resonare_pipeline.text": "def clean(text):\n    return text.strip()\n",
    "resonare_pipeline.errors": "class Wrong(Exception): ...\n",
    "resonare_pipeline.settings": "def load(): return 1\n",
    "resonare_pipeline.chats": '"""Chats."""\n',
    "resonare_pipeline.chats.blocks": BLOCKS,
    "resonare_pipeline.chats.deep": "VERSION = 1\n",
    "resonare_pipeline.chats.deep.lower": "def late():\n    import resonare_pipeline.late\n",
    "resonare_pipeline.chats.typed": (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from resonare_pipeline.chats.onlytypes import T\n"
        "def f(x: 'T'): return x\n"
    ),
    "resonare_pipeline.chats.onlytypes": "T = int\n",
    "resonare_pipeline.late": "from resonare_pipeline.errors import Wrong\nA = Wrong\n",
    "resonare_pipeline.unused": "A = 1\n",
    "resonare_pipeline.loop_a": "from resonare_pipeline import loop_b\nA = 1\n",
    "resonare_pipeline.loop_b": "from resonare_pipeline import loop_a\nB = 1\n",
    "assets": "",
    "assets.chats": '''"""Assets."""
from resonare_pipeline.chats.blocks import cut
from resonare_pipeline.chats.typed import f as typed, g as unused_name
from resonare_pipeline.errors import Wrong
from resonare_pipeline.settings import load
from resonare_pipeline import unused, loop_a

WIDTH = 2
HEIGHT = WIDTH * 2
TABLE = {}
TABLE["a"] = HEIGHT

def asset(**keywords):
    return lambda function: function

def help_out(rows):
    return rows[:HEIGHT]

@asset(needs=unused.A)
def messages(run):
    """Read."""
    return typed(run)

@asset(needs=TABLE)
def blocks(run, messages):
    """Cut."""
    statistics = cut(help_out(messages))
    if not statistics:
        raise Wrong
    return statistics

@asset()
def statistics(run):
    from resonare_pipeline.text import clean
    return clean(run), TABLE, load()

@asset()
def looping(run):
    return loop_a.A

STAGES = (messages, blocks, statistics)
''',
}


def function_named(name: str, module: str = "assets.chats") -> FunctionType:
    """Return a function that says that it stands at a place; only its source text is looked at."""

    def stand_in() -> None:
        return None

    assert isinstance(stand_in, FunctionType)
    stand_in.__module__ = module
    stand_in.__qualname__ = name
    return stand_in


def identity(name: str, /, **changes: str) -> dict[str, str]:
    """Return the identity of an asset when some modules (`a__b` for a.b) have another text."""
    texts = PROJECT | {module.replace("__", "."): text for module, text in changes.items()}
    return code_identity(function_named(name), sources=texts.get)


def with_assets(old: str, new: str) -> dict[str, str]:
    assert old in PROJECT["assets.chats"]
    return {"assets__chats": PROJECT["assets.chats"].replace(old, new)}


def own(name: str, old: str, new: str) -> bool:
    """Tell whether a change in the module of the assets changes an asset."""
    return identity(name, **with_assets(old, new)) != identity(name)


def lone(text: str) -> dict[str, str]:
    """Return a project of one asset that uses one other module."""
    return {
        "assets": "",
        "assets.m": "from assets import other\ndef run():\n    return other\n",
        "assets.other": text,
    }
