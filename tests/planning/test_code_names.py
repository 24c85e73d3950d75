import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

from resonare_pipeline.errors import FingerprintError
from resonare_pipeline.planning.code import (
    NEVER_COUNTED,
    PROJECT_PACKAGES,
    code_identity,
    installed_sources,
)
from tests.planning.code_corpus import function_named, identity, lone


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
    assert list(found) == [f"{function_named.__module__}:function_named"]


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
