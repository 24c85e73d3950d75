import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from resonare_pipeline.planning.code import code_identity
from tests.interpreters import ROOT, require_two, run_plainly

SNIPPETS = [
    "",
    "'''only a docstring'''",
    "x = f''",
    "x = f'' ''",
    "x = '' f'{a}' ''",
    "x = 'a' f'b' 'c'",
    "x = 'a' f'{b}' 'c' f'{d}e' 'f'",
    "x = f'{a}{b}' f'{c}'",
    "x = (f'{a}'\n     'b'\n     f'c{d}')",
    "x = f'{{}}' f'{{a}}{b}}}'",
    "x = f'{a!r}{a!s:>10}{a!a:{w}.{p}}'",
    "x = f'{a:}' f'{a:{b}}' f'{a:x{b}y}' f'{a:{b}{c}}'",
    "x = f'{a:%Y-%m-%d %H:%M}'",
    "x = f'{a=}' f'{a = }' f'{a=!r}' f'{a=:>5}' f'{ a + b = }'",
    "x = f'{lambda_(1)}' f'{(lambda y: y)(1)}' f'{ {1: 2}[1] }'",
    "x = f\"{a['b']}\" f'{a[\"b\"]}'",
    "x = f'''{\na\n}'''",
    "x = f'''a\n{b:\t>{c}}\n'''",
    "x = rf'\\d{a}\\n' fr'\\{b}'",
    "x = f'\\N{DIGIT ONE}\\x41\\u00e9{a}\\n'",
    "x = f'{a!r:^{w}}' rf'{a:\\d}'",
    "x = f'{f\"{a}\"}' f'{f\"{b:{c}}\"!r}'",
    "x = f'{yield_}{await_}'",
    "x = f'{a if b else c}{a or b}{not a}{*a,}{a, b}'",
    "x = f'{3.1:.2f}{1e400}{0x1F:d}{1j}'",
    "x = f'é{a}😀'",
    "x = 'a' 'b' '' 'c'; y = b'a' b'b'; z = u'a' 'b'",
    "x = '\\ud800', '\\U0001f600', '\\0', '\\x7f', 'é', 'e\\u0301'",
    "x = 1e400, -1e400, 1e-400, 0.1, 1e22, 1e23, 123456789.123456789, 5e-324, 0.0, -0.0",
    "x = 1j, 0j, 1e400j, 1.5e300j, 2 + 3j, -4j",
    f"x = {'9' * 4000}",
    f"x = 0x{'f' * 9000}",
    "x = 1_000, 0b1010, 0o17, 0XFF, True, None, ..., Ellipsis",
    "def f(a, /, b, *c, d=1, **e) -> 'f': return a",
    "def f(a=(1, 2), *, b: int = 3, **c: str) -> list[int]: yield a",
    "async def f():\n async with a as b, c: pass\n async for d in e: await d\n else: f",
    "with (open(a) as b, open(c) as d): pass",
    "with (a, b): pass",
    "@a.b[c](d)\n@e\nclass F(g, metaclass=h):\n  'doc'\n  i: int\n  'doc of i'\n  j: str = 'k'",
    "class A: ...",
    "class A:\n  'doc'",
    "def f():\n  '''doc'''\n  'another'\n  b'bytes'\n  ...\n  pass",
    "try:\n  a\nexcept (b, c) as d:\n  raise e from d\nelse:\n  f\nfinally:\n  g",
    "try:\n  a\nexcept* b as c:\n  pass",
    "match a:\n case None | True | False | 1 | -1 | 1+2j | 'x' | b'y': pass\n case _: pass",
    "match a, b:\n case [c, *_, d] | (c, [*d]): e\n case {'f': g, **h}: i\n case {}: j",
    "match a:\n case b.C(d, e=f) as g if g > 1: pass\n case str() | int(): pass",
    "match = case = type = _ = 1; type(match)[case]",
    "x = [a for b in c if d if e for f in g]; y = {a: b async for a, b in c}",
    "x = lambda a, /, *b, c=1, **d: (yield)",
    "x = a[1:2, ::3, ...]; y = a[*b]; z = a[:]; del a[0], b.c",
    "x: int; (y): int = 1; z.a: str = 2; w[0]: t",
    "a, (b, *c), [d] = e = f; *g, = h",
    "a += 1; b @= c; d //= e; f **= g; h >>= i; j |= k",
    "x = a if b else c if d else e; y = not a is b; z = a < b <= c != d not in e is not f",
    "print(*a, b=1, **c, d=(e := 2))",
    "global a; import b.c as d, e; from f import (g as h, i); from j import *",
    "if TYPE_CHECKING:\n  import a\nelif b:\n  c\nelse:\n  d",
    "while a:\n  continue\nelse:\n  b",
    "x = 1 # type: int\nfor y in z: # type: str\n  pass",
    "µ = ﬁ = ª = 1",
    "x = (\n  # comment\n  1,  # one\n)\n\\\n\ny = 2 ; z = 3",
    "\n\n\f\nx = 1\r\ny = 2\r\n",
    "x = " + "+".join(["1"] * 200),
    "x = " + "[" * 60 + "]" * 60,
    "assert a, f'{b}'; raise c; return_ = d; nonlocal_ = e",
]

SCRIPT = """
import json, sys
from resonare_pipeline.planning.code import code_identity

def probe():
    pass

texts = json.loads(sys.stdin.buffer.read())
names = list(texts)
texts["probe"] = "def probe():\\n" + "".join(f"    import {name}\\n" for name in names) + "    1\\n"
probe.__module__ = "probe"
print(json.dumps(code_identity(probe, sources=texts.get)))
"""


def project_texts() -> dict[str, str]:
    """Return every module of the project, without following what it imports."""
    paths = [
        path
        for package in ("resonare_pipeline", "assets", "resources")
        for path in sorted((ROOT / package).rglob("*.py"))
    ]
    return {f"m{number}": path.read_text("utf-8") for number, path in enumerate(paths)}


def foreign(text: str) -> str:
    """Return a text whose imports lead nowhere in the project."""
    for package in ("resonare_pipeline", "assets", "resources"):
        text = text.replace(package, f"other_{package}")
    return text


@pytest.mark.parametrize("corpus", ["snippets", "project"])
def test_identity_in_every_supported_python_is_the_same(corpus: str) -> None:
    snippets = {f"m{number}": text for number, text in enumerate(SNIPPETS)}
    texts = snippets if corpus == "snippets" else project_texts()
    texts = {name: foreign(text) for name, text in texts.items()}
    found = [run_plainly(path, SCRIPT, texts) for path in (sys.executable, *require_two())]
    for other in found[1:]:
        differing = [texts.get(name, name) for name in found[0] if found[0][name] != other[name]]
        assert differing == []
        assert found[0] == other


PINNED = {
    "x = f'{a!r:>{w}}' 'b'; y = (1.5, 2j, b'c', ..., None, -1)": (
        "4263891b210f557ca3e5ea8b9188916a9a48cf0888483f1630a75c5a744b1479"
    ),
    "@d\nasync def f(a, /, *b, c: int = 1, **e) -> None:\n  '''Doc.'''\n  await g": (
        "cd266fbaa681af130d02772f15dbe67e0eb5711a486b67e02e3bdb43dfb174b1"
    ),
    "match a:\n case {'k': [1, *r], **s} if s: pass\n case None | C(x=1): raise E from e": (
        "a8854f70b1f00ca3f54960b4191d8613fdd1e820fb100b212d4947ed515680bb"
    ),
}
"""Source → hash. A change of these makes every stage stale."""


@pytest.mark.parametrize("text", PINNED)
def test_identity_of_a_pinned_text_is_what_it_always_was(text: str) -> None:
    def probe() -> None:
        return None

    probe.__module__ = "assets.probe"
    probe.__qualname__ = "probe"
    texts = {"assets.probe": "def probe():\n    import assets.text\n", "assets.text": text}
    assert code_identity(probe, sources=texts.get)["assets.text"] == PINNED[text]


SEED_SCRIPT = """
import json, sys
from resonare_pipeline.planning.code import code_identity

def run():
    pass

names = json.loads(sys.stdin.buffer.read())
text = "; ".join(f"{name} = {number}" for number, name in enumerate(names))
text += "\\ndef run(): return " + ", ".join(names)
run.__module__ = "assets.m"
print(json.dumps(code_identity(run, sources={"assets.m": text}.get)))
"""


def test_identity_under_any_hash_seed_is_the_same() -> None:
    names = [f"name_{number}" for number in range(20)]
    found = [
        run_plainly(sys.executable, SEED_SCRIPT, names, env={"PYTHONHASHSEED": seed})
        for seed in ("0", "1", "2", "3")
    ]
    assert found == [found[0]] * 4


INSTALLED_SCRIPT = """
import json, sys
sys.path[0] = json.loads(sys.stdin.buffer.read())
from resonare_pipeline.planning.code import code_identity, installed_sources
from resonare_pipeline.fingerprint import digest_of_stream
print(json.dumps([code_identity(digest_of_stream), sorted(sys.modules)]))
"""


def test_identity_from_a_copy_that_is_installed_elsewhere_is_the_same(tmp_path: Path) -> None:
    for package in ("resonare_pipeline", "assets", "resources"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("*.pyc"))
    here, _ = run_plainly(sys.executable, INSTALLED_SCRIPT, str(ROOT))
    there, modules = run_plainly(sys.executable, INSTALLED_SCRIPT, str(tmp_path))
    assert here == there
    assert "resonare_pipeline.fingerprint:digest_of_stream" in here
    assert not [name for name in modules if name.startswith(("assets", "dagster", "pyarrow"))]


def test_identity_imports_no_module_to_look_at_it(tmp_path: Path) -> None:
    package = tmp_path / "resources"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    (package / "inner.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "run.py").write_text(
        "import sys\n"
        f"sys.path.append({str(ROOT)!r})\n"
        "from resonare_pipeline.planning.code import code_identity\n"
        "def stage():\n    from resources.inner import x\n    return x\n"
        "print(*sorted(code_identity(stage)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", str(tmp_path / "run.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["__main__:stage", "resources", "resources.inner"], done.stderr
