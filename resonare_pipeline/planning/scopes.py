"""Which names of a module a piece of its source needs, and which statements give them a value.

Names are resolved as Python does it, so that a local variable or a parameter is never taken for
something of the module that has the same name. Where the two cannot be told apart without running
the code, the answer errs towards more names. Trees come from `syntax`; no module is looked up here.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache

from resonare_pipeline.planning.syntax import (
    KEPT_TEXTS,
    Definition,
    effective,
    imported,
    is_for_typing,
    parse,
)

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

Bindings = dict[str, tuple[ast.stmt, ...]]
"""Name → statements that give it a value, in the order of the module."""


def find_definitions(text: str, path: list[str]) -> list[Definition]:
    """Return the functions or classes at a path of nested names; several if there are branches."""
    found: list[Definition] = []
    block: list[ast.AST] = list(parse(text).body)
    for name in path:
        found = [
            node for node in _own_scope(block) if isinstance(node, Definition) and node.name == name
        ]
        block = [statement for node in found for statement in node.body]
    return found


@lru_cache(maxsize=KEPT_TEXTS)
def module_bindings(text: str) -> Bindings:
    """Return what gives each name of a module its value; `*` stands for `from … import *`.

    A call that stands by itself counts for every name in it, an assignment to a part (`TABLE[1] =
    2`) for the whole, and a decorated definition also for what its decorator belongs to.
    """
    found: dict[str, list[ast.stmt]] = {}
    for statement in effective(parse(text).body):
        for name in _bound([statement]) | _touched(statement):
            found.setdefault(name, []).append(statement)
    return {name: tuple(statements) for name, statements in found.items()}


def global_names(node: ast.AST) -> set[str]:
    """Return the names that a piece of a module takes from the module (or from the builtins)."""
    declared: set[str] = set()
    return _free(node, declared) | declared


def _free(node: ast.AST, declared: set[str]) -> set[str]:
    """Return the names read from around a tree, and collect those it declares global."""
    match node:
        case ast.Name():
            return set() if isinstance(node.ctx, ast.Store) else {node.id}
        case ast.Global():
            declared.update(node.names)
            return set()
    names: set[str] = set()
    for part in _outer(node):
        names |= _free(part, declared)
    inner: set[str] = set()
    for part in _inner(node):
        inner |= _free(part, declared)
    return names | (inner - _locals(node))


def _outer(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children that are evaluated in the scope in which a node stands."""
    if isinstance(node, _COMPREHENSIONS):
        yield node.generators[0].iter
        return
    for name, value in ast.iter_fields(node):
        if name == "body" and (isinstance(node, _FUNCTIONS) or is_for_typing(node)):
            continue
        items = value if isinstance(value, list) else [value]
        yield from (item for item in items if isinstance(item, ast.AST))


def _inner(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children that are evaluated in a scope of the node's own."""
    match node:
        case ast.Lambda():
            yield node.body
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from node.body
        case ast.DictComp():
            yield from (node.key, node.value, *_clauses(node.generators))
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            yield from (node.elt, *_clauses(node.generators))


def _clauses(generators: list[ast.comprehension]) -> Iterator[ast.AST]:
    for index, generator in enumerate(generators):
        yield generator.target
        yield from generator.ifs
        if index:
            yield generator.iter


def _locals(node: ast.AST) -> set[str]:
    """Return the names that belong to a node's own scope."""
    if isinstance(node, _COMPREHENSIONS):
        return _bound(generator.target for generator in node.generators)
    if isinstance(node, _FUNCTIONS):
        parameters = {item.arg for item in ast.walk(node.args) if isinstance(item, ast.arg)}
        return parameters | _bound(_inner(node))
    return set()


def _bound(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that get a value in the scope in which nodes stand."""
    names: set[str] = set()
    elsewhere: set[str] = set()
    for node in _own_scope(nodes):
        if isinstance(node, ast.Global | ast.Nonlocal):
            elsewhere.update(node.names)
        else:
            names |= _named(node)
    return names - elsewhere


def _named(node: ast.AST) -> set[str]:
    """Return the names that one node gives a value."""
    match node:
        case ast.Name():
            return set() if isinstance(node.ctx, ast.Load) else {node.id}
        case ast.Import() | ast.ImportFrom():
            return {name for name, _ in imported(node)}
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            return {name}
        case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            return {name}
    return set()


def _own_scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield nodes and all below them that belong to the same scope."""
    for node in nodes:
        yield node
        if isinstance(node, _COMPREHENSIONS):
            yield from _walruses(node)
        elif isinstance(node, ast.ClassDef):
            yield from _own_scope([*node.decorator_list, *node.bases, *node.keywords])
        else:
            yield from _own_scope(_outer(node))


def _walruses(comprehension: ast.AST) -> Iterator[ast.AST]:
    """Yield the targets of `:=`, which leave a comprehension for the scope around it."""
    for node in ast.walk(comprehension):
        if isinstance(node, ast.NamedExpr):
            yield node.target


def _touched(statement: ast.stmt) -> set[str]:
    """Return the names whose values a statement of a module may change without binding them."""
    names = {
        name for node in ast.walk(statement) if isinstance(node, ast.Global) for name in node.names
    }
    for node in _own_scope([statement]):
        match node:
            case ast.Expr():
                names |= global_names(node)
            case ast.Attribute() | ast.Subscript() if not isinstance(node.ctx, ast.Load):
                names |= _root(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                for decorator in node.decorator_list:
                    names |= _root(decorator)
    return names


def _root(node: ast.AST) -> set[str]:
    """Return the name at the left end of `name.part[0](…)`."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()
