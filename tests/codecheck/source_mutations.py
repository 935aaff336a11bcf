"""Errors made in the source of hand-written code, one at a time, by rewriting its syntax tree.

Independent of the catalogue: nothing here knows what a mutation means. Used by a slow test, and as
`python -m tests.codecheck.source_mutations [elman gru lstm]` for the counts.
"""

from __future__ import annotations

import ast
import copy
import inspect
import sys
import textwrap
from collections import Counter

import rnnsym as rs
from rnnsym.codecheck.adapter import Adapter
from rnnsym.codecheck.calling import Caller
from rnnsym.codecheck.check import judge
from rnnsym.codecheck.ground import Ground
from rnnsym.codecheck.points import shapes_of
from tests.codecheck import samples

FUNCTIONS = {"elman": samples.plain, "lstm": samples.plain_lstm, "gru": samples.plain_gru}
#: names that may be taken for each other: values of the forward pass, and adjoints
VALUES = ("f", "i", "o", "g", "u", "r", "n", "a", "c", "after", "new")
ADJOINTS = ("dz", "dzf", "dzi", "dzo", "dzc", "dzn", "dzu", "dzr", "da", "dc", "error", "dy")


def mutated(function):
    """(what was done, source) for every single change of the backward loop."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    loop = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.For) and "reversed" in ast.unparse(node.iter)
    )
    assigned = {n.id for n in ast.walk(loop) if isinstance(n, ast.Name)}
    nodes = list(ast.walk(tree))
    inside = {id(n) for n in ast.walk(loop)}
    for index, node in enumerate(nodes):
        if id(node) in inside:
            for what, new in changes(node, assigned):
                text = f"line {getattr(node, 'lineno', 0)}: {ast.unparse(node)[:60]}: {what}"
                yield text, rewritten(tree, index, new)


def changes(node, names):
    """(what is done, the new node) for one node."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "no transpose", node.value
    if isinstance(node, ast.AugAssign):
        yield "= for +=", ast.Assign([node.target], node.value)
        yield "-= for +=", ast.AugAssign(node.target, ast.Sub(), node.value)
        yield "left out", ast.Pass()
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        if not isinstance(node.right, ast.Constant):
            yield "other sign", ast.BinOp(node.left, other, node.right)
            yield "left operand only", node.left
            yield "right operand only", node.right
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield "left factor only", node.left
        yield "right factor only", node.right
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield "no square", node.left
    if isinstance(node, ast.Subscript) and ast.unparse(node.slice) in ("t", "t + 1"):
        for text in {"t", "t + 1", "t - 1"} - {ast.unparse(node.slice)}:
            index = ast.parse(text, mode="eval").body
            yield f"index {text}", ast.Subscript(node.value, index, node.ctx)
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called == "np.tanh":
            yield "no tanh", node.args[0]
        if called == "np.outer":
            yield "outer product swapped", ast.Call(node.func, node.args[::-1], [])
        if called == "reversed":
            yield "loop forwards", node.args[0]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for group in (VALUES, ADJOINTS):
            for name in group if node.id in group else ():
                if name != node.id and name in names:
                    yield f"{name} for {node.id}", ast.Name(name, ast.Load())


def rewritten(tree, index, new):
    """The source with the node at an index of the walk replaced."""
    other = copy.deepcopy(tree)
    target = list(ast.walk(other))[index]
    for parent in ast.walk(other):
        for field, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, field, new)
            elif isinstance(value, list):
                setattr(parent, field, [new if v is target else v for v in value])
    return ast.unparse(ast.fix_missing_locations(other))


def outcomes(name, every=1):
    """(what was done, "fault", "right", "told" or "not told", report) for every change."""
    net, ground = rs.model(name), Ground(rs.model(name))
    for text, source in list(mutated(FUNCTIONS[name]))[::every]:
        scope = dict(vars(samples))
        exec(source, scope)
        caller = Caller(scope[FUNCTIONS[name].__name__], Adapter(), shapes_of(net))
        try:
            report = judge(caller, net, Adapter(), caller.started, sensitivity=False, ground=ground)
        except rs.InputError:
            yield text, "fault", None
            continue
        wrong = [g for g in report.gradients.values() if not g.ok]
        kinds = [g.why.kinds if g.why else () for g in wrong]
        if any(k and k[0] == "fault" for k in kinds):
            yield text, "fault", report
        elif report.ok:
            yield text, "right", report
        else:
            yield text, "told" if all(kinds) else "not told", report


def main():
    """Print the counts, and what was not told."""
    for name in sys.argv[1:] or FUNCTIONS:
        counts = Counter()
        for text, outcome, report in outcomes(name):
            counts[outcome] += 1
            if outcome in ("right", "not told"):
                print(f"{name}: {outcome}: {text}", file=sys.stderr)
                if report is not None and outcome == "right":
                    print(report.text(), file=sys.stderr)
        told = counts["told"] / max(1, counts["told"] + counts["not told"])
        print(f"{name}: {dict(counts)}, {100 * told:.0f} % of the wrong numbers explained")


if __name__ == "__main__":
    main()
