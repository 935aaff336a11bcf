"""`del` statements for arrays that nothing needs any more.

Works on the statements as they are printed. Memory that the operating system has to hand out, page
by page, costs as much as what is computed in it; what is freed is handed out again at once. One
line after each loop but the last does it.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable

from rnnsym.emit.writer import Writer


def with_releases(out: Writer, arrays: Iterable[str]) -> None:
    """Insert the statements; `arrays` are the names of those that are worth it."""
    statements = ast.parse(textwrap.dedent("\n".join(out.lines))).body
    last: dict[str, int] = {}
    owner: dict[str, str] = {}
    for i, statement in enumerate(statements):
        last |= {n.id: i for n in ast.walk(statement) if isinstance(n, ast.Name)}
        for name, value in _bindings(statement):
            source = _source(value)
            owner[name] = name if source is None else owner.get(source, source)
    names: dict[str, list[str]] = {array: [] for array in arrays}
    for name, array in owner.items():
        if array in names:
            names[array].append(name)
    loops = [i for i, statement in enumerate(statements) if isinstance(statement, ast.For)]
    insertions = []
    for i in loops[:-1]:
        dead = [array for array, own in names.items() if all(last[n] <= i for n in own)]
        own = [n for array in dead for n in names.pop(array)]
        line = statements[i].end_lineno
        if own and line is not None:
            insertions.append((line, own))
    for line, own in reversed(insertions):
        after = out.lines[line:]
        del out.lines[line:]
        out.line(f"del {', '.join(own)}")
        out.lines += after


def _bindings(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
    """The names that a statement gives, each with what it is the name of."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return [(statement.targets[0].id, statement.value)]
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
        first, *others = statement.targets[0].elts
        names = [n.id for n in (first, *others) if isinstance(n, ast.Name)]
        return [(names[0], statement.value), *((n, first) for n in names[1:])]
    if isinstance(statement, ast.For) and isinstance(statement.iter, ast.Call):
        targets = statement.target.elts if isinstance(statement.target, ast.Tuple) else []
        rows = zip(targets, statement.iter.args[1:], strict=True)
        return [(row.id, array) for row, array in rows if isinstance(row, ast.Name)]
    return []


def _source(e: ast.expr) -> str | None:
    """The array that a value is a part of, if it is one."""
    if isinstance(e, ast.Name):
        return e.id
    if isinstance(e, ast.Subscript):
        return _source(e.value)
    if isinstance(e, ast.Call) and isinstance(e.func, ast.Attribute) and e.func.attr == "reshape":
        return _source(e.func.value)
    return None
