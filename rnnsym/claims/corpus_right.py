"""Right claims, rewritten by identities of matrix algebra, of sums and of functions.

Used by `corpus`. Every rewritten equation is tested on its expressions before it becomes a claim;
`corpus_writing` then writes it as other people would.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from sympy import DiagMatrix, MatAdd, MatMul, MatrixExpr, Symbol, Transpose
from sympy.matrices.expressions import HadamardProduct, OneMatrix

from rnnsym.algebra import scale
from rnnsym.claims.corpus import Sample
from rnnsym.claims.corpus_truth import Equation, Ground, decided, equations
from rnnsym.claims.corpus_writing import chain, define, written
from rnnsym.claims.corpus_wrong import _places, _put, printed
from rnnsym.latex import PROFILES, LatexPrinter
from rnnsym.nodes import Apply, TimeProduct, TimeSum, TimeVector


def right_samples(net: Any, model: str, rng: random.Random) -> Iterator[Sample]:
    """Right claims without end."""
    ground = Ground(net)
    base = [e for e in equations(net) if decided(ground.right, e)]
    chains = [(a, b) for a in base for b in base if a.right == b.left and a.where == b.where]
    printers = {n: LatexPrinter(n, net.notations.get(n)) for n in PROFILES}
    while True:
        notation = rng.choice(list(PROFILES))
        printer = printers[notation]
        kinds: list[str] = []
        if chains and rng.random() < 0.1:
            a, b = rng.choice(chains)
            latex, kinds = (
                chain([printer(a.left), printer(a.right), printer(b.right)], rng),
                ["chain"],
            )
        else:
            equation = rng.choice(base)
            for _ in range(rng.choice((0, 1, 1, 2, 3))):
                kind, new = rewritten(equation, ground, rng)
                if new is not equation:
                    equation = new
                    kinds.append(kind)
            latex = printed(printer, equation)
        explicit = True
        if rng.random() < 0.15 and _customary(latex):
            latex, explicit = latex.replace(r"\partial^{+}", r"\partial"), False
            kinds.append("∂ for ∂⁺")
        if rng.random() < 0.2:
            defined = define(latex, rng)
            if defined is not None:
                latex = defined
                kinds.append("named")
        styled, styles = written(latex, notation, rng)
        kind = (
            kinds[-1]
            if kinds and rng.random() < 0.7
            else f"written: {styles[-1]}"
            if styles
            else "as printed"
        )
        yield Sample(styled, model, notation, kind, True, explicit)


_DERIVATIVE = re.compile(
    r"\\frac\{\\partial(?P<plus>\^\{\+\})? (?P<rest>.*?)(?=\\frac|\\left|$| [-+=] )"
)


def _customary(latex: str) -> bool:
    """Whether ∂ may stand for ∂⁺: few of them, and none that stands for both."""
    found = list(_DERIVATIVE.finditer(latex))
    immediate = [m["rest"].rstrip("\\, ") for m in found if m["plus"]]
    total = {m["rest"].rstrip("\\, ") for m in found if not m["plus"]}
    return 0 < len(immediate) <= 2 and not total & set(immediate)


def rewritten(equation: Equation, ground: Ground, rng: random.Random) -> tuple[str, Equation]:
    """An equation after one identity, applied at a random place; the same if none applies."""
    for _ in range(20):
        name, identity = rng.choice(IDENTITIES)
        if isinstance(identity, str):
            new = _whole(equation, identity, rng)
        else:
            places = [(p, found) for p, e in _places(equation.right)
                      for found in [identity(rng, ground, e)] if found is not None]  # fmt: skip
            if not places:
                continue
            path, inner = rng.choice(places)
            try:
                right = _put(equation.right, path, inner)
            except (ValueError, TypeError):
                continue
            new = Equation(equation.left, right, equation.where, equation.name)
        if new is not None and new != equation and decided(ground.right, new):
            return name, new
    return "", equation


def _whole(equation: Equation, name: str, rng: random.Random) -> Equation | None:
    """A change of both sides at once."""
    left, right, where = equation.left, equation.right, equation.where
    if name == "transpose" and left.shape != (1, 1):
        return Equation(Transpose(left), Transpose(right), where)
    if name == "swap":
        return Equation(right, left, where)
    if name == "move" and isinstance(right, MatAdd):
        terms = list(right.args)
        moved = terms.pop(rng.randrange(len(terms)))
        rest = terms[0] if len(terms) == 1 else MatAdd(*terms)
        return Equation(MatAdd(left, scale(-1, moved)), rest, where)
    return None


def _commute(rng: random.Random, ground: Ground, e: Any) -> Any:
    if not isinstance(e, HadamardProduct | MatAdd):
        return None
    args = list(e.args)
    rng.shuffle(args)
    return e.func(*args)


def _distribute(rng: random.Random, ground: Ground, e: Any) -> Any:
    if not isinstance(e, MatMul | HadamardProduct):
        return None
    at = [i for i, a in enumerate(e.args) if isinstance(a, MatAdd)]
    if not at:
        return None
    i = rng.choice(at)
    return MatAdd(*(e.func(*e.args[:i], a, *e.args[i + 1 :]) for a in e.args[i].args))


def _transposed(rng: random.Random, ground: Ground, e: Any) -> Any:
    if isinstance(e, Transpose) and _of_matrices(e.arg):
        return MatMul(*(_tr(a) for a in reversed(e.arg.args)))
    if isinstance(e, Transpose) and isinstance(e.arg, MatAdd | HadamardProduct):
        return e.arg.func(*map(_tr, e.arg.args))
    two = _of_matrices(e) and len(e.args) == 2
    if two and any(isinstance(a, Transpose) for a in e.args):
        return Transpose(MatMul(*(_tr(a) for a in reversed(e.args))))
    return None


def _of_matrices(e: Any) -> bool:
    """Whether an expression is a product of matrices, without a number."""
    return isinstance(e, MatMul) and all(isinstance(a, MatrixExpr) for a in e.args)


def _tr(e: Any) -> Any:
    if isinstance(e, DiagMatrix) or e.shape == (1, 1):
        return e
    return e.arg if isinstance(e, Transpose) else Transpose(e)


def _diagonal(rng: random.Random, ground: Ground, e: Any) -> Any:
    two = len(e.args) == 2
    if two and isinstance(e, MatMul) and isinstance(e.args[0], DiagMatrix) and e.args[1].cols == 1:
        return HadamardProduct(e.args[0].args[0], e.args[1])
    column = two and isinstance(e, HadamardProduct) and e.cols == 1
    if column and not any(isinstance(a, OneMatrix) for a in e.args):
        return MatMul(DiagMatrix(e.args[0]), e.args[1])
    return None


def _shift(rng: random.Random, ground: Ground, e: Any) -> Any:
    if not isinstance(e, TimeSum | TimeProduct):
        return None
    d = rng.choice((-1, 1))
    body = e.body.xreplace({e.index: e.index + d})
    return e.func(body, (e.index, e.lower - d, e.upper - d), *e.args[2:])


def _split(rng: random.Random, ground: Ground, e: Any) -> Any:
    """The last, or the first, term by itself."""
    if isinstance(e, TimeSum) and e.lower == 1 and e.upper.is_Symbol:
        if rng.random() < 0.5:
            last = e.body.xreplace({e.index: e.upper})
            return MatAdd(TimeSum(e.body, (e.index, e.lower, e.upper - 1)), last)
        first = e.body.xreplace({e.index: e.lower})
        return MatAdd(first, TimeSum(e.body, (e.index, e.lower + 1, e.upper)))
    return None


def _rename(rng: random.Random, ground: Ground, e: Any) -> Any:
    if not isinstance(e, TimeSum | TimeProduct):
        return None
    letter = rng.choice(("m", "r", "j", "s", "n"))
    taken = {str(s) for s in e.free_symbols} | {str(s) for s in e.body.free_symbols}
    inner = {str(x.index) for _, x in _places(e.body) if isinstance(x, TimeSum | TimeProduct)}
    if letter in taken | inner:
        return None
    new = Symbol(letter, integer=True)
    return e.func(e.body.xreplace({e.index: new}), (new, e.lower, e.upper), *e.args[2:])


def _slope(rng: random.Random, ground: Ground, e: Any) -> Any:
    """1 - a ⊙ a as tanh′(z), a ⊙ (1 - a) as σ′(z), and back."""
    if isinstance(e, Apply) and e.order == 1 and e.function in ("tanh", "sigmoid"):
        value = Apply(e.function, e.argument)
        one = OneMatrix(*e.shape)
        if e.function == "tanh":
            return MatAdd(one, MatMul(-1, HadamardProduct(value, value)))
        return HadamardProduct(value, MatAdd(one, MatMul(-1, value)))
    for equation in ground.net.equations.values():
        rhs, at = equation.rhs, equation.lhs
        if not (isinstance(rhs, Apply) and isinstance(rhs.argument, TimeVector)):
            continue
        for v in (x for _, x in _places(e) if isinstance(x, TimeVector) and x.name == at.name):
            one = OneMatrix(*v.shape)
            shapes = {
                "tanh": MatAdd(one, MatMul(-1, HadamardProduct(v, v))),
                "sigmoid": HadamardProduct(v, MatAdd(one, MatMul(-1, v))),
            }
            if shapes.get(rhs.function) == e:
                return Apply(rhs.function, rhs.argument.at(v.time), 1)
    return None


def _twice(rng: random.Random, ground: Ground, e: Any) -> Any:
    """-(-u), written as a difference turned around."""
    if isinstance(e, MatAdd) and len(e.args) == 2:
        return MatMul(-1, MatAdd(*(scale(-1, a) for a in e.args)))
    return None


Identity = Callable[[random.Random, Ground, Any], Any]
IDENTITIES: list[tuple[str, Identity | str]] = [
    ("factors and terms in another order", _commute),
    ("multiplied out", _distribute),
    ("(A B)ᵀ = Bᵀ Aᵀ", _transposed),
    ("diag(u) v = u ⊙ v", _diagonal),
    ("index shifted", _shift),
    ("one term split off", _split),
    ("index renamed", _rename),
    ("derivatives of functions", _slope),
    ("sign drawn out", _twice),
    ("both sides transposed", "transpose"),
    ("sides swapped", "swap"),
    ("a term on the other side", "move"),
]
