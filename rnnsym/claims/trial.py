"""Trial of the diagnosis: known errors put into right formulas, and what is said of them.

`python -m rnnsym.claims.trial` takes the mutants of the catalogue (`rnnsym.verify.mutations`),
printed as claims in several notations, and says which share is explained as what it is. Nothing
of the search for repairs is used to make them.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rnnsym.api import model
from rnnsym.claims.check import judge_formula
from rnnsym.claims.verdict import FALSE, TRUE, Verdict
from rnnsym.latex import LatexPrinter
from rnnsym.nodes import Adjoint
from rnnsym.reader import terms as u
from rnnsym.reader.resolve import Resolver
from rnnsym.reader.statements import read_formula
from rnnsym.reader.table import of_network
from rnnsym.verify.mutations import Catalogue

MODELS = ("elman", "lstm", "gru")
NOTATIONS = ("post", "goodfellow", "d2l", "pytorch", "karpathy")
#: by the clock, so that what else the machine does makes no difference
SECONDS = 60.0

#: kinds of the catalogue, and what else says the same of a formula
SAME = {
    "missing target": ("missing contribution",),
    "sign in the output error": ("sign of a contribution",),
    "missing output derivative": ("δ_z for δ_a",),
    "k to T": ("limit of a sum",),
    "missing gate": ("missing factor",),
    "weight twice": ("factor twice",),
    "g′ twice": ("factor twice",),
    "sign": ("sign of a contribution",),
    "sign of a contribution": ("sign",),
}


@dataclass(frozen=True)
class Case:
    """A wrong claim: the error in it, and the right claim that it was made from."""

    net: Any
    notation: str
    kind: str
    wrong: str
    right: str


def cases(name: str, notation: str) -> Iterator[Case]:
    """The mutants of a model's adjoints, gradients and sums of products, as claims."""
    net = model(name)
    printer = LatexPrinter(notation, net.notations.get(notation))
    catalogue = Catalogue(net)
    system = catalogue.subject.system
    seen: set[str] = set()
    for w, symbol in net.parameters.items():
        head = rf"\frac{{\partial {printer.profile.loss}}}{{\partial {printer(symbol)}}} = "
        formula = head + printer(net.derive(w).formula)
        for mutant in catalogue.of(w):
            pairs: list[tuple[str, str]] = []
            if mutant.formula is not None:
                pairs.append((head + printer(mutant.formula), formula))
            elif mutant.system is not None and mutant.system.chunk is None:
                for node, e in mutant.system.equations.items():
                    if e is not system.equations[node] and e != system.equations[node]:
                        left = printer(Adjoint(net.equations[node].lhs)) + " = "
                        pairs.append((left + printer(e), left + printer(system.equations[node])))
                e, old = mutant.system.gradients[w], system.gradients[w]
                if e != old:
                    pairs.append((head + printer(e), head + printer(old)))
            if len(pairs) == 1 and pairs[0][0] not in seen:
                seen.add(pairs[0][0])
                yield Case(net, notation, mutant.kind, *pairs[0])


@dataclass(frozen=True)
class Result:
    """What was said of a case: "as it is" (the same kind, or the right formula restored),
    "otherwise" (another change that makes it true), "unexplained", or why it does not count."""

    case: Case
    said: str
    verdict: Verdict
    seconds: float


def judged(case: Case) -> Result:
    """The verdict on a case. A mutant that is true, or whose right formula is not read, is left
    out."""
    table = of_network(case.net, case.notation)
    start = time.process_time()
    verdict = judge_formula(case.wrong, case.net, table, seconds=SECONDS)
    seconds = time.process_time() - start
    said = "unexplained"
    if verdict.verdict != FALSE:
        said = f"({verdict.verdict})"
    elif judge_formula(case.right, case.net, table.copy(), diagnose=False).verdict != TRUE:
        said = "(right one not read)"
    elif set(verdict.kinds) & {case.kind, *SAME.get(case.kind, ())} or restored(case, verdict):
        said = "as it is"
    elif verdict.correction:
        said = "otherwise"
    return Result(case, said, verdict, seconds)


def restored(case: Case, verdict: Verdict) -> bool:
    """Whether the correction is the right formula, up to the order of what commutes."""
    if not verdict.correction or verdict.kinds == ("another formula",):
        return False
    return canonical(case, verdict.correction) == canonical(case, case.right)


def canonical(case: Case, latex: str) -> Any:
    """A formula with the terms of its sums and its elementwise factors in a fixed order."""
    (statement,) = read_formula(latex).statements
    return _sorted(Resolver(of_network(case.net, case.notation), latex)(statement.node))


def _sorted(x: Any) -> Any:
    if isinstance(x, u.Sum):
        return ("sum", *sorted(((n, _sorted(y)) for n, y in x.terms), key=repr))
    if isinstance(x, u.Product) and all(op == "⊙" for op, _ in x.factors[1:]):
        flat = [z for _, y in x.factors for z in _flat(_sorted(y))]
        return ("product", *sorted(flat, key=repr))
    if isinstance(x, u.Term):
        names = [f for f in x.__dataclass_fields__ if f not in ("start", "end")]
        return (type(x).__name__, *(_sorted(getattr(x, f)) for f in names))
    return tuple(map(_sorted, x)) if isinstance(x, tuple) else x


def _flat(x: Any) -> Any:
    return x[1:] if isinstance(x, tuple) and x and x[0] == "product" else (x,)


def main() -> int:
    """The table of a trial on stdout."""
    parser = argparse.ArgumentParser(prog="python -m rnnsym.claims.trial", description=__doc__)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--notations", default=",".join(NOTATIONS))
    parser.add_argument("--every", type=int, default=1, help="take every n-th case")
    parser.add_argument("--show", action="store_true", help="show what is not explained as it is")
    args = parser.parse_args()
    print(
        "| model | notation | wrong | as it is | otherwise | unexplained | left out | CPU s each |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for name in args.models.split(","):
        for notation in args.notations.split(","):
            results = []
            for case in list(cases(name, notation))[:: args.every]:
                results.append(judged(case))
                if args.show:
                    show(results[-1])
            said = Counter(r.said for r in results)
            out = sum(n for what, n in said.items() if what.startswith("("))
            mean = sum(r.seconds for r in results) / max(1, len(results))
            counts = [said[x] for x in ("as it is", "otherwise", "unexplained")]
            print(f"| {name} | {notation} | {sum(counts)} | {' | '.join(map(str, counts))} | {out} "
                  f"| {mean:.1f} |", flush=True)  # fmt: skip
    return 0


def show(result: Result) -> None:
    """A result that is not what it should be, in a few lines."""
    if result.said != "as it is":
        case, verdict = result.case, result.verdict
        print(f"{result.said}: {case.kind} ({result.seconds:.1f} s)\n   wrong {case.wrong}")
        print(f"   right {case.right}\n   {verdict.kinds} {verdict.correction} {verdict.message}")


if __name__ == "__main__":
    raise SystemExit(main())
