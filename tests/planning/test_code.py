import importlib.util
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest

from resonare_pipeline.errors import FingerprintError
from resonare_pipeline.planning.code import (
    NEVER_COUNTED,
    PROJECT_PACKAGES,
    code_identity,
    installed_sources,
)

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


def test_identity_names_the_function_and_every_module_that_it_leads_to() -> None:
    assert sorted(identity("blocks")) == [
        "assets.chats:blocks",
        "resonare_pipeline.chats.blocks",
        "resonare_pipeline.chats.deep",
        "resonare_pipeline.chats.deep.lower",
        "resonare_pipeline.late",
        "resonare_pipeline.rows",
        "resonare_pipeline.text",
    ]
    assert sorted(identity("messages")) == [
        "assets.chats:messages",
        "resonare_pipeline.chats.typed",
    ]
    assert sorted(identity("statistics")) == ["assets.chats:statistics", "resonare_pipeline.text"]
    assert sorted(identity("looping")) == [
        "assets.chats:looping",
        "resonare_pipeline.loop_a",
        "resonare_pipeline.loop_b",
    ]


@pytest.mark.parametrize("name", ["blocks", "messages", "statistics", "looping"])
def test_identity_when_any_module_changes_differs_in_exactly_that_entry(name: str) -> None:
    before = identity(name)
    for module in PROJECT.keys() - {"assets.chats"}:
        text = PROJECT[module] + "\nCHANGED = 1\n"
        after = code_identity(function_named(name), sources=(PROJECT | {module: text}).get)
        changed = {key for key in before | after if before.get(key) != after.get(key)}
        on_the_way = module in {"resonare_pipeline.chats", "assets"} and any(
            key.startswith(f"{module}.") and ":" not in key for key in before
        )
        assert changed == ({module} if module in before or on_the_way else set())


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("WIDTH = 2", "WIDTH = 3", {"blocks", "statistics"}),
        ("rows[:HEIGHT]", "rows[HEIGHT:]", {"blocks"}),
        ('TABLE["a"] = HEIGHT', 'TABLE["b"] = HEIGHT', {"statistics"}),
        ("return typed(run)", "return typed(run, 1)", {"messages"}),
        ("return clean(run), TABLE", "return TABLE, clean(run)", {"statistics"}),
        ('"""Cut."""', '"""Cut it."""', set()),
        ("@asset(needs=TABLE)", "@asset(needs=TABLE, more=unused.A)", set()),
        ("return lambda function: function", "return lambda x: x", set()),
        ("STAGES = (messages, blocks, statistics)", "STAGES = ()", set()),
        ("g as unused_name", "g as other_name", set()),
        ('"""Assets."""', "# comment\n\n", set()),
        ("load()", "load(1)", {"statistics"}),
    ],
)
def test_identity_when_the_assets_module_changes_differs_where_it_is_used(
    old: str, new: str, changed: set[str]
) -> None:
    names = ("messages", "blocks", "statistics", "looping")
    assert {name for name in names if own(name, old, new)} == changed


def test_identity_of_a_parameter_or_local_named_like_an_asset_does_not_reach_it() -> None:
    # `blocks` has a parameter `messages` and a local variable `statistics`.
    assert not own("blocks", "return typed(run)", "return 1")
    assert not own("blocks", "return clean(run), TABLE", "return 1")


LAYOUT_ONLY = [
    ("total = 0", "total = 0  # of bytes"),
    ("total = 0", "total = (\n        0\n    )"),
    ("for row in rows:\n        total += row.size", "for row in rows: total += row.size"),
    ('"""Cut."""', '"""Cut into pieces."""'),
    ('    """Cut."""\n', ""),
    ('"""Cut into blocks."""', ""),
    ("LIMIT = 3", 'LIMIT = 3\n"""How many."""'),
    ("LIMIT = 3", "LIMIT = 0x3"),
    ("LIMIT = 3", "\n\n\nLIMIT = (3)"),
    ("total = 0", "pass; total = 0; ...; 'note'"),
    ('f"{total:>{LIMIT}}"', "f'{total:>{LIMIT}}'"),
    ('f"{total:>{LIMIT}}"', 'f"" f"{total:>{LIMIT}}" ""'),
    ("low.x,", "low.x ,"),
]


@pytest.mark.parametrize(("old", "new"), LAYOUT_ONLY)
def test_identity_when_only_layout_comments_or_docstrings_change_is_kept(
    old: str, new: str
) -> None:
    assert old in BLOCKS
    changed = identity("blocks", resonare_pipeline__chats__blocks=BLOCKS.replace(old, new, 1))
    assert changed == identity("blocks")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("total = 0", "total = 0.0"),
        ("total = 0", "total = False"),
        ("total = 0", "total = -0"),
        ("total = 0", "total: int = 0"),
        ("LIMIT = 3", 'LIMIT = "3"'),
        ("total += row.size", "total -= row.size"),
        ("(rows)", "(rows, /)"),
        ("(rows)", "(*rows)"),
        ("total", "size"),
        ('f"{total:>{LIMIT}}"', 'f"{total!r:>{LIMIT}}"'),
        ('f"{total:>{LIMIT}}"', 'f"{total:<{LIMIT}}"'),
        ("import os.path", "import os"),
    ],
)
def test_identity_when_what_is_done_changes_is_another(old: str, new: str) -> None:
    assert old in BLOCKS
    changed = identity("blocks", resonare_pipeline__chats__blocks=BLOCKS.replace(old, new))
    assert changed != identity("blocks")


FORMS = [
    "a = 1", "a = 1.0", "a = 1j", "a = '1'", "a = b'1'", "a = True", "a = None", "a = ...",
    "a = 10**9", "a = 1000000000", "a = 0xffffffffffffffffffff", "a = 1e400", "a = -1e400",
    "a = ()", "a = []", "a = {}", "a = (1,)", "a = [1]", "a = [1, 2]", "a = [[1], 2]",
    "a = {1}", "a = {1: 2}", "a = {**b}", "a = {b: b}", "a = 'x' 'y'", "a = 'x', 'y'",
    "a = f'x'", "a = f'{x}'", "a = f'{x!r}'", "a = f'{x!s}'", "a = f'{x:}'", "a = f'{x: }'",
    "a = f'{{x}}'", "a = '{x}'", "a = f'{x}' 'y'", "a = f'{x}', 'y'", "a = b", "a: b", "a: b = 1",
    "(a): b = 1", "a = lambda: 0", "a = lambda x: 0", "a = lambda *x: 0", "a = lambda **x: 0",
    "a = lambda *, x: 0", "a = lambda x, /: 0", "a = lambda x=0: 0", "a = [x for x in b]",
    "a = [x async for x in b]", "a = (x for x in b)", "a = {x for x in b}", "a = b[1:]",
    "a = b[:1]", "a = b[1:2:3]", "a = b[1, 2]", "a = b[1:2, 3]", "a = b(c)", "a = b(*c)",
    "a = b(**c)", "a = b(c=c)", "del a", "global a", "nonlocal a", "import a", "import a as b",
    "from a import b", "from a import b as c", "from a import *", "return", "return None",
    "raise", "raise a", "raise a from b", "assert a", "assert a, b", "yield", "await a",
    "yield from a", "with a: b", "with a as b: b", "async with a: b", "for a in b: c",
    "async for a in b: c", "for a in b: c\nelse: d", "while a: b", "while a: b\nelse: c",
    "try: a\nexcept: b", "try: a\nexcept* b: c", "try: a\nexcept b: c", "try: a\nfinally: b",
    "try: a\nexcept b as e: c", "def a(): b", "async def a(): b", "class a: b", "class a(b): b",
    "class a(m=b): b", "@a\ndef a(): b", "if a: b", "if a: b\nelse: c", "if a: b\nelif c: d",
    "match a:\n case None: b", "match a:\n case True: b", "match a:\n case False: b",
    "match a:\n case _: b", "match a:\n case b: b", "match a:\n case [*_]: b",
    "match a:\n case [*b]: b", "match a:\n case {**b}: b", "match a:\n case {}: b",
    "match a:\n case b(): b", "match a:\n case b(c): b", "match a:\n case b(c=d): b",
    "match a:\n case 1 | 2: b", "match a:\n case 1 as c: b", "match a:\n case 1 if c: b",
    "a < b < c", "(a < b) < c", "a and b and c", "(a and b) and c", "a if b else c", "a := 1",
    "not a", "-a", "~a", "a @ b", "a // b", "a / b", "a is b", "a is not b", "a in b",
]  # fmt: skip
"""Statements of which no two say the same."""


def test_identity_of_different_statements_is_different() -> None:
    bodies = [form.replace("\n", "\n    ") for form in FORMS if form != "a := 1"] + ["(a := 1)"]
    digests: dict[str, str] = {}
    for body in bodies:
        text = f"async def f():\n    {body}\n    0 + 0\n"
        if body.startswith("nonlocal"):
            text = f"def g():\n  a = 1\n  {text.replace(chr(10), chr(10) + '  ')}"
        found = code_identity(function_named("run", "assets.m"), sources=lone(text).get)
        digest = found["assets.other"]
        assert digest not in digests, (body, digests[digest])
        digests[digest] = body


def lone(text: str) -> dict[str, str]:
    """Return a project of one asset that uses one other module."""
    return {
        "assets": "",
        "assets.m": "from assets import other\ndef run():\n    return other\n",
        "assets.other": text,
    }


def test_identity_of_a_nested_branch_for_type_checkers_does_not_count() -> None:
    plain = lone("A = 1\n")
    typed = lone(
        "import typing\nA = 1\nif typing.TYPE_CHECKING:\n    from assets.nowhere import T\n"
    )
    with_else = lone("if TYPE_CHECKING:\n    B = 1\nelse:\n    A = 1\n")
    run = function_named("run", "assets.m")
    assert (
        code_identity(run, sources=plain.get).keys() == code_identity(run, sources=typed.get).keys()
    )
    changed = {**with_else, "assets.other": with_else["assets.other"].replace("B = 1", "B = 2")}
    assert code_identity(run, sources=with_else.get) == code_identity(run, sources=changed.get)
    changed["assets.other"] = with_else["assets.other"].replace("A = 1", "A = 2")
    assert code_identity(run, sources=with_else.get) != code_identity(run, sources=changed.get)


@pytest.mark.parametrize(
    "statement",
    [
        "import assets.b.c",
        "import assets.b.c as c",
        "from assets.b import c",
        "from assets.b import c as d",
        "from assets.b.c import name",
        "from assets.b.c import *",
        "if x:\n    import assets.b.c",
        "try:\n    import assets.b.c\nexcept ImportError:\n    pass",
        "def f():\n    def g():\n        from assets.b import c",
        "class A:\n    import assets.b.c",
    ],
)
def test_identity_follows_every_kind_of_import_and_the_packages_on_the_way(statement: str) -> None:
    project = lone(statement + "\n") | {
        "assets.b": "X = 1\n",
        "assets.b.c": "name = 1\n",
        "assets.b.d": "name = 2\n",
    }
    found = code_identity(function_named("run", "assets.m"), sources=project.get)
    assert sorted(found) == ["assets.b", "assets.b.c", "assets.m:run", "assets.other"]


def own_module(text: str, name: str = "run") -> dict[str, str]:
    project = {
        "assets": "",
        "assets.m": text,
        "assets.p": "P = 1\n",
        "assets.q": "Q = 1\n",
        "assets.r": "R = 1\n",
    }
    return code_identity(function_named(name, "assets.m"), sources=project.get)


IMPORTS = "from assets.p import p\nfrom assets.q import q\nimport assets.r\n"


@pytest.mark.parametrize(
    ("body", "modules"),
    [
        ("return p", {"assets.p"}),
        ("return lambda p: p", set()),
        ("return lambda: p", {"assets.p"}),
        ("return lambda x=p: x", {"assets.p"}),
        ("return [p for p in x]", set()),
        ("return [x for x in p]", {"assets.p"}),
        ("return [p for p in p]", {"assets.p"}),
        ("return [y for x in z for y in p]", {"assets.p"}),
        ("return [y for p in z for y in p]", set()),
        ("return {p: q for p in x}", {"assets.q"}),
        ("return [(p := x) for x in y], p", set()),
        ("for p in x: q(p)", {"assets.q"}),
        ("with x as p: p()", set()),
        ("try: x\n    except E as p: p", set()),
        ("p = 1\n    def g(): return p", set()),
        ("def g():\n        p = 1\n    return p", {"assets.p"}),
        ("def g(p): return p\n    return g", set()),
        ("def g(x: p): return x\n    return g", {"assets.p"}),
        ("def g(x=p): return x\n    return g", {"assets.p"}),
        ("class A:\n        p = 1\n        def g(self): return p", {"assets.p"}),
        ("class A(p): pass", {"assets.p"}),
        ("p = 1\n    def g():\n        nonlocal p\n        p = 2", set()),
        ("global p\n    p = 1\n    return p", {"assets.p"}),
        ("match x:\n        case [p, *q]: return p, q", set()),
        ("match x:\n        case {'a': 1, **p}: return p", set()),
        ("match x:\n        case p(): return 1", {"assets.p"}),
        ("import p\n    return p", set()),
        ("return f'{p:{q}}'", {"assets.p", "assets.q"}),
        ("return assets.r.R", {"assets.r"}),
        ("del p", set()),
        ("@p\n    def g(): return 1", {"assets.p"}),
        ("async def g(): return await p\n    return g", {"assets.p"}),
    ],
)
def test_identity_resolves_names_as_python_does(body: str, modules: set[str]) -> None:
    found = own_module(f"{IMPORTS}def run(run):\n    {body}\n")
    assert found.keys() - {"assets.m:run"} == modules


@pytest.mark.parametrize(
    "parameters", ["p", "*p", "**p", "p, /", "*, p", "p=1", "x, *, p: int = 1"]
)
def test_identity_of_any_kind_of_parameter_hides_a_global(parameters: str) -> None:
    assert own_module(f"{IMPORTS}def run({parameters}): return p\n").keys() == {"assets.m:run"}


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("A = 1\ndef run(): return A", "A = 1", "A = 2"),
        ("A, B = 1, 2\ndef run(): return A", "2", "3"),
        ("A: int = 1\ndef run(): return A", "1", "2"),
        ("A = 1\nA += 1\ndef run(): return A", "+= 1", "+= 2"),
        ("A = []\nA.append(1)\ndef run(): return A", "append(1)", "append(2)"),
        ("A = B = []\nB.x = 1\ndef run(): return B", "x = 1", "x = 2"),
        ("A = {}\nfor x in y:\n    A[x] = 1\ndef run(): return A", "= 1", "= 2"),
        ("def add(f): A[f] = 1\n@add\ndef g(): return 1\ndef run(): return add", "n 1", "n 2"),
        ("class A:\n    x = 1\ndef run(): return A()", "x = 1", "x = 2"),
        ("if x:\n    A = 1\nelse:\n    A = 2\ndef run(): return A", "A = 2", "A = 3"),
        ("try:\n    A = 1\nexcept E:\n    A = 2\ndef run(): return A", "A = 2", "A = 3"),
        ("A = 0\ndef put():\n    global A\n    A = 1\ndef run(): return A", "A = 1", "A = 2"),
        ("def g(): return h()\ndef h(): return 1\ndef run(): return g()", "n 1", "n 2"),
        ("def d(f): return f\n@d\ndef g(): return 1\ndef run(): return g()", "n f", "n 1"),
        ("with x as A: y = 1\ndef run(): return A", "y = 1", "y = 2"),
        ("(A := 1)\ndef run(): return A", "1", "2"),
        ("class K:\n    def run(self): return 1\n", "n 1", "n 2"),
        ("def make():\n    def run(): return 1\n    return run\n", "n 1", "n 2"),
        ("if x:\n    def run(): return 1\nelse:\n    def run(): return 2\n", "n 2", "n 3"),
    ],
)  # fmt: skip
def test_identity_when_what_the_function_uses_of_its_module_changes_is_another(
    module: str, old: str, new: str
) -> None:
    name = "K.run" if "class K" in module else "run"
    name = "make.<locals>.run" if "def make" in module else name
    assert old in module
    assert own_module(module, name) != own_module(module.replace(old, new), name)


def test_identity_of_a_recursive_function_does_not_count_its_decorator() -> None:
    one = own_module("@a(1)\ndef run(x): return run(x - 1)\n")
    assert own_module("@a(2)\ndef run(x): return run(x - 1)\n") == one


def test_identity_of_two_functions_alike_but_for_the_name_is_different() -> None:
    text = "def one(): return 1\ndef two(): return 1\n"
    assert own_module(text, "one") != own_module(text, "two")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from . import p", r"assets\.other: a relative import \(line 1\)"),
        ("from .p import p", r"assets\.other: a relative import"),
        ("from assets.nowhere import p", r"assets\.other: it imports assets\.nowhere"),
        ("import resonare_pipeline.nowhere", "it imports resonare_pipeline.nowhere"),
        ("def broken(:", r"assets\.other: source code that cannot be parsed"),
    ],
)
def test_identity_with_source_that_cannot_be_followed_is_refused(text: str, message: str) -> None:
    with pytest.raises(FingerprintError, match=message):
        code_identity(function_named("run", "assets.m"), sources=lone(text).get)


def test_identity_of_a_function_that_is_not_in_its_module_is_refused() -> None:
    with pytest.raises(FingerprintError, match=r"assets\.chats:absent: .*does not stand"):
        identity("absent")


@pytest.mark.parametrize("function", [len, str.upper, int])
def test_identity_of_what_has_no_source_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(FingerprintError, match="no source"):
        code_identity(function)


def test_identity_of_a_function_outside_the_project_is_taken_from_its_file() -> None:
    found = code_identity(function_named)
    assert list(found) == [f"{__name__}:function_named"]


def test_identity_of_a_function_without_a_file_is_refused() -> None:
    made: dict[str, Any] = {"__name__": "nowhere"}
    exec("def run(): return 1", made)  # noqa: S102  # what a person may do in a console
    with pytest.raises(FingerprintError, match="nowhere:run: its source cannot be read"):
        code_identity(made["run"])


def test_installed_sources_finds_modules_packages_and_nothing_else() -> None:
    assert "def canonical" in (installed_sources("resonare_pipeline.fingerprint") or "")
    assert installed_sources("resonare_pipeline") is not None
    assert installed_sources("resonare_pipeline.artifacts") is not None
    assert installed_sources("resonare_pipeline.fingerprint.canonical") is None
    assert installed_sources("resonare_pipeline.nowhere") is None
    assert installed_sources("json") is None
    assert all(installed_sources(package) is not None for package in PROJECT_PACKAGES)


@pytest.mark.parametrize("listed", NEVER_COUNTED)
def test_every_module_that_never_counts_exists_and_has_a_reason(listed: str) -> None:
    assert importlib.util.find_spec(listed.removesuffix(".__init__")) is not None
    assert len(NEVER_COUNTED[listed].split()) > 1


@pytest.mark.parametrize("listed", NEVER_COUNTED)
def test_module_that_never_counts_is_neither_hashed_nor_followed(listed: str) -> None:
    module = listed.removesuffix(".__init__")
    project = lone(f"from {module} import something\nfrom resonare_pipeline import rows\n") | {
        "resonare_pipeline": "from assets import p\n",
        "resonare_pipeline.rows": "R = 1\n",
        "assets.p": "P = 1\n",
        f"{module}.inner": "from assets import p\n",
        module: "from assets import p\n",
    }
    found = code_identity(function_named("run", "assets.m"), sources=project.get)
    assert sorted(found) == ["assets.m:run", "assets.other", "resonare_pipeline.rows"]
