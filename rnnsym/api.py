"""The calls that users make: networks that derive, print, generate and verify.

End of the flow: it joins the stages, which do not know each other, and adds nothing of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnsym import models, network
from rnnsym.claims.verdict import Verdict
from rnnsym.derive import calculus, step
from rnnsym.documents import content, files, markdown, narrative, tex
from rnnsym.errors import InputError
from rnnsym.latex import PROFILES
from rnnsym.verify.steps import Checker, StepCheck


class Network(network.Network):
    """A network that derives its gradients, writes them as code, and draws itself.

    Constructed from equations; see `rnnsym.network.Network` for the parameters and errors.
    """

    @cached_property
    def calculus(self) -> calculus.Calculus:
        """What derivations of this network share."""
        return calculus.Calculus(self)

    @cached_property
    def checker(self) -> Checker:
        """What the checks of its steps share, for symbolic T."""
        return Checker(self)

    @property
    def notation(self) -> str:
        """The notation profile that formulas are printed in."""
        return self.options.get("notation", "post")

    def derive(self, wrt: str) -> Derivation:
        """The gradient by a parameter, a state's initial value or an input, step by step.

        Raises InputError for an unknown name.
        """
        return Derivation.of(self, self.calculus.derive(wrt), wrt)

    def padded(self, mask: str = "m") -> Derivation:
        """That a step at which the mask is zero adds nothing to any gradient.

        Raises InputError if the network has no such input.
        """
        return Derivation.of(self, self.calculus.padded(mask), mask)

    def truncation(self, wrt: str, every: Any = "K", back: Any = None) -> Derivation:
        """The gradient as what truncated backpropagation computes and the exact remainder.

        every: the steps in a chunk, a number or a name; with `back`, a window that is moved by
        `every` steps and reaches `back` steps back. Raises InputError for a network of several
        blocks of states, or numbers that make no window.
        """
        return Derivation.of(self, self.calculus.truncation(wrt, every, back), wrt)

    def block_identity(self) -> Derivation:
        """That the compact notation W_a [a; x] with W_a = [W_aa | W_ax] says the same."""
        return Derivation.of(self, self.calculus.block_identity(), "the compact weights")

    def gradients(self, backend: str = "numpy") -> Callable[..., Any]:
        """The generated function f(params, x, y, initial=None) -> (loss, {parameter: gradient}).

        Arrays are time first: x (T, n_x) or (T, B, n_x); a gradient has its parameter's shape.
        """
        from rnnsym import emit

        return emit.function(self, backend)

    def code(self, backend: str = "numpy") -> str:
        """The source of that function: a file that needs nothing but the backend's library."""
        from rnnsym import emit

        return emit.source(self, backend)

    def lambdify(self, wrt: str, steps: int | Mapping[str, int]) -> Callable[..., Any]:
        """The sum of Jacobian products itself, for T = steps, as a NumPy function; `steps` may
        give each length by its name.

        f(params, x, y, initial=None) gives the row dL/dvec(W), shape (1, entries of W). Its cost
        grows with T²: it is the formula, not the fast way.
        """
        from rnnsym import emit

        if wrt not in self.parameters:
            raise InputError(f"unknown parameter {wrt!r}: choose from {', '.join(self.parameters)}")
        return emit.lambdify(self.calculus.derive(wrt).formula, self, steps)

    def flow(
        self, wrt: str | None = None, steps: int | Mapping[str, int] | None = None, **given: Any
    ) -> Any:
        """What the use of a parameter at each step k adds to the gradient of each loss L⟨t⟩.

        By default of the first square matrix inside a recurrence, over 30 steps, at a random
        point. Returns a `rnnsym.flow.Flow`; `rnnsym.flow.flow.flow` says what else may be given.
        """
        from rnnsym.flow.flow import flow

        return flow(self, wrt, steps, **given)

    def unroll(self, steps: int | Mapping[str, int]) -> Any:
        """The computation graph for T = steps: nodes, edges, local Jacobians, paths."""
        from rnnsym import graph

        return graph.unroll(self, steps)

    def latex(self, notation: str | None = None) -> str:
        """The forward equations in LaTeX."""
        printer = self._printer(notation)
        equations = [*self.equations.values(), *self.initial.values()]
        rows = [content.Row(e.lhs, "=", e.rhs) for e in equations]
        if list(self.lengths) not in ([], ["T"]):  # up to what the steps of the loss are counted
            rows.append(content.Row(self.total_loss, "=", self.objective))
        return markdown.aligned(content.Display(rows), printer)

    def _printer(self, notation: str | None) -> Any:
        from rnnsym.latex import LatexPrinter

        chosen = notation or self.notation
        check_notation(chosen)
        return LatexPrinter(chosen, self.notations.get(chosen))

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


class Derivation(step.Derivation):
    """A derivation that checks itself, prints itself, and shows itself in a notebook."""

    wrt: str = ""

    @classmethod
    def of(cls, net: Network, plain: step.Derivation, wrt: str) -> Derivation:
        """A derivation of the calculus, for users."""
        derivation = cls(**{f.name: getattr(plain, f.name) for f in fields(plain)})
        object.__setattr__(derivation, "wrt", wrt)
        return derivation

    def at(self, steps: int | Mapping[str, int]) -> Derivation:
        """The same for a concrete T, every sum and product written out.

        steps: the length of every sequence, or each by its name. Raises InputError for T < 1.
        """
        net: Any = self.network
        return Derivation.of(net, net.calculus.at(self.wrt, steps), self.wrt)

    def check(self, seed: int = 0) -> list[StepCheck]:
        """The exact test of every step."""
        from rnnsym.verify.steps import check

        net: Any = self.network
        shared = self.steps_in_time is None and seed == 0
        shared = shared and not self.tested_at and not self.given
        return check(self, seed, net.checker if shared else None)

    def document(self, notation: str | None = None) -> content.Document:
        """The derivation with its checks, as a document."""
        return derivations_document([self], notation)[0]

    def latex(self, notation: str | None = None) -> str:
        """A LaTeX fragment, for a document that loads amsmath, amssymb and mathrsfs."""
        return tex.fragment(self.document(notation))

    def markdown(self, notation: str | None = None, row_end: str = r"\\") -> str:
        """Markdown with formulas in dollars; Hugo's Goldmark wants three backslashes a row."""
        return markdown.markdown(self.document(notation), row_end)

    def text(self, notation: str | None = None) -> str:
        """Unicode text for a terminal."""
        from rnnsym.documents.terminal import terminal

        return terminal(self.document(notation))

    def save(self, path: str | Path, notation: str | None = None) -> Path:
        """Write a document: .tex, .md or .pdf. Raises InputError if that cannot be done."""
        files.check_path(path)
        return files.save(self.document(notation), path)

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def __repr__(self) -> str:
        return f"<Derivation of dL/d{self.wrt}: {len(self.steps)} steps>"


def derivations_document(
    derivations: Sequence[Derivation], notation: str | None = None
) -> tuple[content.Document, bool]:
    """Derivations of one network as one document, and whether every step holds."""
    net: Any = derivations[0].network
    chosen = notation or net.notation
    check_notation(chosen)
    checks = [derivation.check() for derivation in derivations]
    document = narrative.derivations_document(derivations, checks, chosen)
    return document, all(check.ok for checked in checks for check in checked)


def check_notation(name: str) -> None:
    """Raises InputError for an unknown notation profile."""
    if name not in PROFILES:
        raise InputError(f"unknown notation {name!r}: choose from {', '.join(PROFILES)}")


def model(spec: str, **options: Any) -> Network:
    """A built-in model, ``model("gru:reset=after")`` or ``model("gru", reset="after")``.

    Raises InputError for an unknown model or option.
    """
    name, given = models.parse(spec)
    return models.build(name, {**given, **{k: str(v) for k, v in options.items()}}, Network)


def elman(**options: Any) -> Network:
    """The standard recurrent network (Elman 1990)."""
    return model("elman", **options)


def lstm(**options: Any) -> Network:
    """Long short-term memory (Hochreiter & Schmidhuber 1997; Gers et al. 2000)."""
    return model("lstm", **options)


def gru(**options: Any) -> Network:
    """The gated recurrent unit (Cho et al. 2014)."""
    return model("gru", **options)


def read(latex: str, **options: Any) -> Network:
    """The network that forward equations in LaTeX describe.

    latex: equations, a line each, or a document in Markdown or LaTeX, in the notation of Ng,
    Goodfellow, D2L, PyTorch, Olah, … (see `rnnsym.reader`); options: of `Network`, such as loss.

    >>> read(r"h_t = \\tanh(W h_{t-1} + U x_t + b)").parameters["W"].shape
    (n_h, n_h)

    Raises InputError with the place of what cannot be read.
    """
    from rnnsym.reader.network import read as read_network

    return read_network(latex, make=Network, **options)


def check(
    claim: str,
    net: Network | None = None,
    notation: str | None = None,
    einstein: bool = False,
) -> Verdict:
    """Judge a formula in LaTeX: true, false or unknown, under which reading, and why.

    net: the network that it is about, by default `elman()`; notation: the profile that it is
    written in, by default any in which all its symbols have a meaning; einstein: an index that
    stands twice in a product is summed over. A formula that cannot be read is no error: the verdict
    says so, and where.
    """
    from rnnsym.claims.check import check as judge

    return judge(claim, elman() if net is None else net, notation, einstein=einstein)


def verify(
    net: Network,
    steps: int | Mapping[str, int] = 5,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    against: Sequence[str] | None = None,
    gradients: Callable[..., Any] | None = None,
) -> Any:
    """Derive, generate code, and compare every gradient with every kind of evidence.

    With `gradients`, a function f(params, x, y, initial) -> (loss, {parameter: gradient}) of your
    own is compared in place of the generated code. Returns a Report; raises InputError for a bad
    size, T or kind, UnavailableError for a kind whose library is not installed.
    """
    from rnnsym.verify import verify as compare

    return compare(net, steps=steps, sizes=sizes, seed=seed, against=against, gradients=gradients)
