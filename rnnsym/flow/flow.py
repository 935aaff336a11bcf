"""Flow: how the gradient of each loss is made up of what each step contributed.

Takes a network and a point, gives the terms of dL⟨t⟩/dW = Σ_k … one by one, and all that is asked
of them: norms, decay with the distance, Jacobian products with their bound, formulas, pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import MatrixExpr

from rnnsym.derive.subject import Subject
from rnnsym.documents.content import Document, Figure, Table
from rnnsym.errors import InputError
from rnnsym.evaluate.arithmetic import NumpyArithmetic
from rnnsym.evaluate.point import shape
from rnnsym.evaluate.trajectory import Trajectory
from rnnsym.flow.checks import Check, checks
from rnnsym.flow.contributions import Use, contributions
from rnnsym.flow.jacobians import Bound, Jacobians, coverage, evaluated, jacobians
from rnnsym.flow.lyapunov import Lyapunov, exponents
from rnnsym.flow.recurrent import Recurrence, alone, default_parameter, entered, subject_of
from rnnsym.flow.setting import Setting, check_loss, setting
from rnnsym.flow.symbolic import symbolic_term
from rnnsym.network import Network

Array = NDArray[np.float64]
#: numbers in one result: 1.6 GB of them
MOST_NUMBERS = 200_000_000


class Decay(NamedTuple):
    """Norms against the distance.

    distance: 0, 1, …, as far as there are terms; largest, median: of the norms at that distance;
    number: how many there are.
    """

    distance: Array
    largest: Array
    median: Array
    number: Array


@dataclass(frozen=True, eq=False)
class Flow:
    """The contributions of each use of a parameter to the gradient of each loss.

    net, wrt, setting: of what, by what, where; losses: the times t, in order; uses: the steps k,
    sequence by sequence; terms: shape (losses, uses, *shape of the parameter); distances: shape
    (losses, uses), the number of steps between them, t - k within one sequence that runs forwards,
    and -1 where no path leads from the one to the other; values: L⟨t⟩.

    >>> import rnnsym as rs
    >>> f = rs.elman().flow("W_aa", steps=5, sizes={"n_a": 3})
    >>> f.terms.shape, f.norms.shape
    ((5, 5, 3, 3), (5, 5))
    """

    net: Network
    wrt: str
    setting: Setting
    losses: tuple[int, ...]
    uses: tuple[Use, ...]
    terms: Array
    distances: NDArray[np.int64]
    values: Array

    # ---- numbers -------------------------------------------------------------------------

    def term(self, t: int, k: int, sequence: str | None = None) -> Array:
        """What the use at step k adds to dL⟨t⟩/dW; shape of the parameter.

        sequence: the name of the length of the sequence that k counts in, where the parameter is
        used in several. Raises InputError for a step that is not there.
        """
        return self.terms[self._loss(t), self.uses.index(self._use(k, sequence))]

    @cached_property
    def gradient(self) -> Array:
        """The sum of all terms: dL/dW."""
        return self.terms.sum((0, 1))

    @cached_property
    def norms(self) -> Array:
        """The Frobenius norm of each term, shape (losses, uses); NaN where no path leads."""
        flat = self.terms.reshape(*self.distances.shape, -1)
        size = np.abs(flat).max(-1, initial=0.0)
        sound = (size > 0) & np.isfinite(size)
        unit = np.where(sound, size, 1.0)  # squares of small numbers would be zero
        with np.errstate(over="ignore", invalid="ignore"):
            norms = unit * np.sqrt(((flat / unit[..., None]) ** 2).sum(-1))
        return np.where(self.distances < 0, np.nan, np.where(sound, norms, size))

    def by_distance(self) -> Decay:
        """The norms against the distance t - k: the largest, the median, and how many."""
        found = [self.norms[self.distances == d] for d in range(int(self.distances.max()) + 1)]
        pairs = [(d, n) for d, n in enumerate(found) if n.size]
        return Decay(
            np.array([float(d) for d, _ in pairs]),
            np.array([n.max() for _, n in pairs]),
            np.array([np.median(n) for _, n in pairs]),
            np.array([float(n.size) for _, n in pairs]),
        )

    @cached_property
    def rate(self) -> float | None:
        """What a further step multiplies the median norm by: e^slope of the line of least squares
        through its logarithms. None with fewer than two positive ones."""
        decay = self.by_distance()
        kept = (decay.median > 0) & np.isfinite(decay.median)
        if kept.sum() < 2:
            return None
        line = np.polyfit(decay.distance[kept], np.log(decay.median[kept]), 1)
        return float(np.exp(line[0]))

    # ---- the recurrence --------------------------------------------------------------------

    @cached_property
    def subject(self) -> Subject:
        """How the parameter reaches the losses."""
        return subject_of(self.net, self.wrt)

    @cached_property
    def recurrence(self) -> Recurrence | None:
        """The recurrence that the parameter enters; None if it is used outside of any."""
        return entered(self.subject)

    @cached_property
    def jacobians(self) -> Jacobians | None:
        """The Jacobians of that recurrence along the trajectory, their products and the bound."""
        return None if self.recurrence is None else jacobians(self.setting, self.recurrence)

    @cached_property
    def lyapunov(self) -> Lyapunov | None:
        """The Lyapunov exponents of that recurrence over these steps (`rnnsym.flow.lyapunov`
        takes longer sequences)."""
        return None if self.jacobians is None else exponents(self.jacobians)

    @property
    def bound(self) -> Bound | None:
        """‖J⟨t⟩ … J⟨k+1⟩‖ ≤ (γ σ_max)^(t-k), where that is proved."""
        return None if self.jacobians is None else self.jacobians.bound

    @property
    def uncovered(self) -> str:
        """Why there is no bound; nothing where there is one."""
        if self.recurrence is None:
            return "the parameter is used outside of the recurrence"
        return coverage(self.recurrence).why

    @cached_property
    def constant(self) -> float | None:
        """C of ‖term(t, k)‖ ≤ C (γ σ_max)^(t-k): the longest row ∂L⟨t⟩/∂s⟨t⟩ times the longest
        ∂⁺s⟨k⟩/∂vec W. None where terms are no single products, or no bound applies."""
        s = self.subject
        if self.bound is None or not alone(s):
            return None
        ar = NumpyArithmetic()
        run = Trajectory(self.net, self.setting.point(ar), ar)
        ((block, at),) = s.final
        with np.errstate(all="ignore"):
            rows = evaluated(s.local.of(s.loss, block.state(at)), run, self.losses)
            columns = evaluated(s.immediate(block), run, [use.time for use in self.uses])
            longest = [max(float(np.linalg.norm(m, 2)) for m in found) for found in (rows, columns)]
        product = longest[0] * longest[1]
        return product if np.isfinite(product) else None

    # ---- formulas ----------------------------------------------------------------------------

    def symbolic(self, t: int, k: int, sequence: str | None = None) -> MatrixExpr:
        """The term (t, k) as a formula of the calculus: the summand of the derived double sum.

        A row, (1, entries of W); zero where no path leads. Raises InputError for a step that is
        not there, NotSupportedError where the terms have no formula of their own.
        """
        self._loss(t)
        use = self._use(k, sequence)
        lengths = {s: self.setting.symbols[s] for s in self.net.lengths.values()}
        return symbolic_term(self.subject, t, use, lengths)

    def _loss(self, t: int) -> int:
        if t not in self.losses:
            raise InputError(f"t = {t}: {self.net.name} has losses at {_range(self.losses)}")
        return self.losses.index(t)

    def _use(self, k: int, sequence: str | None) -> Use:
        found = [u for u in self.uses if u.time == k and sequence in (None, u.sequence)]
        if not found:
            times = [u.time for u in self.uses if sequence in (None, u.sequence)]
            raise InputError(f"k = {k}: {self.wrt} is used at {_range(times)}")
        if len(found) > 1:
            names = ", ".join(u.sequence for u in found)
            raise InputError(f"k = {k}: say in which sequence, sequence= one of {names}")
        return found[0]

    # ---- checks ------------------------------------------------------------------------------

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """What holds of these numbers: the terms add up to the gradient, which a tape over the
        forward equations computes once more, and no product or term exceeds its bound."""
        return checks(self)

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def bound_at(self, distance: Any) -> Array:
        """C (γ σ_max)^distance; NaN where there is no such bound."""
        if self.bound is None or self.constant is None:
            return np.full(np.shape(distance), np.nan)
        with np.errstate(over="ignore"):
            return np.asarray(self.constant * self.bound.rate ** np.asarray(distance, float))

    # ---- to look at ----------------------------------------------------------------------------

    def table(self, most: int = 12) -> Table:
        """The norms as a table, t downwards and k across, at most `most` of each."""
        from rnnsym.flow.report import norms_table

        return norms_table(self, most)

    def heat_map(self) -> Figure:
        """The norms as colours, over t and k."""
        from rnnsym.flow.pictures import heat

        return heat(self)

    def decay(self) -> Figure:
        """The norms against t - k, on a logarithmic axis, with the bound where there is one."""
        from rnnsym.flow.pictures import decay

        return decay(self)

    def document(self) -> Document:
        """Both pictures, the numbers, and what was checked."""
        from rnnsym.flow.report import document

        return document([self])

    def save(self, path: str | Path) -> Path:
        """Write the picture (.svg, .png) or the document (.html and others); see
        `rnnsym.flow.report.save`."""
        from rnnsym.flow.report import save

        return save([self], path)

    def text(self) -> str:
        """What it comes to, in a few lines."""
        from rnnsym.flow.report import summary

        return summary(self)

    def __repr__(self) -> str:
        rate = "" if self.rate is None else f", × {self.rate:.3g} a step"
        return (f"<Flow of dL/d{self.wrt}, {self.net.name}: {len(self.losses)} losses × "
                f"{len(self.uses)} uses{rate}>")  # fmt: skip

    def _repr_html_(self) -> str:
        from rnnsym.flow.report import notebook_html

        return notebook_html(self)


def flow(
    net: Network,
    wrt: str | None = None,
    steps: int | Mapping[str, int] | None = None,
    *,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    params: Mapping[str, Any] | None = None,
    x: Any = None,
    y: Any = None,
    initial: Mapping[str, Any] | None = None,
    radius: float | None = None,
    sigma: float | None = None,
) -> Flow:
    """The contributions of each step to the gradients of all losses, in float64.

    wrt: a parameter, by default the first square matrix inside a recurrence; steps: the length of
    the sequences, or each by name, by default that of x and y, or 30; sizes: by name, by default
    16 for recurrent states. Arrays as in the generated functions, of one sequence: x (T, n_x), y
    (T, n_y), weights (rows, columns), biases (n,), initial states (n,); what is not given is
    random, by `seed`. radius, sigma: the spectral radius, or the largest singular value, to which
    random recurrent weights are scaled.

    Raises InputError for a wrong name, shape or number, for a loss that is not finite, and for
    more than 200 million numbers; NotSupportedError where losses depend on each other.
    `rnnsym.flow.contributions` does the same in any arithmetic.
    """
    wrt = default_parameter(net) if wrt is None else wrt
    subject_of(net, wrt)
    made = setting(net, steps, sizes, seed, params, x, y, initial, radius, sigma)
    w = net.parameters[wrt]
    size = int(np.prod(shape(w, made.symbols)))
    cells = max(made.lengths.values(), default=1) ** 2
    if cells * size > MOST_NUMBERS:
        raise InputError(f"{cells} terms of {size} numbers each do not fit: choose fewer steps or "
                         f"smaller sizes")  # fmt: skip
    check_loss(made)
    ar = NumpyArithmetic()
    with np.errstate(over="ignore", invalid="ignore"):
        found = contributions(net, wrt, made.point(ar), ar)
    own = made.params[wrt].shape
    terms = np.zeros((len(found.losses), len(found.uses), *own))
    distances = np.full(terms.shape[:2], -1, dtype=np.int64)
    for i, t in enumerate(found.losses):
        for j, use in enumerate(found.uses):
            if (t, use) in found.terms:
                terms[i, j] = found.terms[t, use].reshape(own)
            distances[i, j] = found.distances.get((t, use), -1)
    values = np.array([float(found.values[t][0, 0]) for t in found.losses])
    return Flow(net, wrt, made, found.losses, found.uses, terms, distances, values)


def _range(times: Any) -> str:
    ordered = sorted(set(times))
    return f"{ordered[0]}, …, {ordered[-1]}" if len(ordered) > 1 else f"{ordered[0]}"
