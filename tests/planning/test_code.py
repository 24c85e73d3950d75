import pytest

from resonare_pipeline.planning.code import (
    code_identity,
)
from tests.planning.code_corpus import BLOCKS, PROJECT, function_named, identity, lone, own


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
