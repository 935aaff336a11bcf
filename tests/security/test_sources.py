"""What deals with strangers' text evaluates none of it: a walk over the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import rnnsym

ROOT = Path(rnnsym.__file__).parent
FILES = [
    path
    for folder in ("reader", "claims", "sources", "audit")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
NAMES = [str(path.relative_to(ROOT)) for path in FILES]
PATHS = list(zip(FILES, NAMES, strict=True))
#: builtins that turn text into code or into what bears its name
BUILTINS = {"eval", "exec", "compile", "__import__", "setattr", "delattr", "globals", "locals"}
#: functions and methods of any library that do, those of SymPy that read text among them
FUNCTIONS = {
    *("sympify", "parse_expr", "parse_latex", "parse_mathematica", "lambdify", "autowrap"),
    *("simplify", "nsimplify", "subs", "evalf", "import_module", "attrgetter", "methodcaller"),
    *("system", "popen", "Popen", "check_output", "unsafe_load", "literal_eval"),
}
MODULES = {"pickle", "marshal", "shelve", "subprocess", "code", "codeop", "ctypes", "importlib"}
#: files in which attributes are chosen by a name that is no literal, and what that name is
CHOSEN = {
    "audit/result.py": "one of the fields that are shown",
    "claims/blocks.py": "rows or columns",
    "claims/guard.py": "a limit of the system",
    "claims/repair_terms.py": "a field of a class of `terms` or `syntax`",
    "claims/trial.py": "a field of a class of `terms`",
    "claims/value_sums.py": "made of the name of a class of `terms`",
    "claims/verdict.py": "one of the fields that are shown",
    "reader/choosing.py": "a field of a class of `terms`",
    "reader/meanings.py": "made of the name of a class of `syntax`",
    "reader/series.py": "a field of a class of `terms`",
    "reader/trees.py": "a field of a class of `terms` or `syntax`",
    "reader/writing.py": "made of the name of a class of `terms`",
}
#: the only file that imports by name; the names are literals where it is called
LOADER = "sources/libraries.py"


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def called(node: ast.AST) -> str:
    """The name of what is called; of a method with a dot before it."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        return f".{node.func.attr}"
    return node.func.id if isinstance(node.func, ast.Name) else ""


def test_the_files_are_there() -> None:
    assert {name.split("/")[0] for name in NAMES} >= {"reader", "claims"}


@pytest.mark.parametrize(("path", "name"), PATHS, ids=NAMES)
def test_nothing_evaluates_text(path: Path, name: str) -> None:
    found = [
        f"{called(node)} in line {node.lineno}"
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and (called(node) in BUILTINS or called(node).lstrip(".") in FUNCTIONS)
    ]
    assert [x for x in found if name != LOADER or not x.startswith("import_module")] == []


@pytest.mark.parametrize(("path", "name"), PATHS, ids=NAMES)
def test_no_module_that_runs_what_it_is_given(path: Path, name: str) -> None:
    imported: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported & MODULES <= ({"importlib"} if name == LOADER else set())


@pytest.mark.parametrize(("path", "name"), PATHS, ids=NAMES)
def test_attributes_are_not_chosen_by_text(path: Path, name: str) -> None:
    chosen = [
        node.lineno
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and called(node) in ("getattr", "hasattr")
        and not isinstance(node.args[1], ast.Constant)
    ]
    assert not chosen or name in CHOSEN


@pytest.mark.parametrize(("path", "name"), PATHS, ids=NAMES)
def test_libraries_are_named_by_literals(path: Path, name: str) -> None:
    for node in nodes(path):
        if isinstance(node, ast.Call) and called(node) in ("load", ".load"):
            assert all(isinstance(x, ast.Constant) for x in node.args)
