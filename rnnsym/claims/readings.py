"""Readings: what a formula may mean, where custom leaves it open.

A reading says how derivatives are laid out, which ∂ is the immediate partial, what a dot between
vectors is, and so on. `rnnsym.claims.judge` tries them, the plainest first; a claim that holds
under one of them is true, and the reading is part of the verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

#: layouts of derivatives, the commonest first
LAYOUTS = ("gradient", "numerator", "denominator", "strict")

#: ways in which a gradient by its customary name may be meant
WAYS = {
    "total": "the derivative of the loss by {}",
    "inside": "the derivative of the loss by the argument of the function that gives {}",
    "own": "the derivative of the loss by {}, as far as it comes from the same step",
    "carried": "the derivative of the loss by {}, as far as it comes from the next step",
}

_LAYOUT_WORDS = {
    "gradient": "the derivative of the loss by a vector is a gradient of that vector's shape, "
    "Jacobians are in numerator layout",
    "numerator": "numerator layout: the derivative of the loss by a vector is a row",
    "denominator": "denominator layout: Jacobians are transposed",
    "strict": "strict numerator layout: ∂L/∂W has the shape of Wᵀ",
}


@dataclass(frozen=True)
class Reading:
    """One way to read a formula.

    layout: see LAYOUTS; immediate: places (in the source) of the derivatives that are read as
    immediate partials; dot: "matrix", "elementwise" or "inner"; otimes: "kron", "outer" or
    "elementwise";
    rows: vectors are rows and weights are multiplied from the right; zero: initial states are
    zero; mean: the loss is the mean over time; descending: products are written with the highest
    index first; activation: what a function whose name leaves it open is; step: derivatives of the
    loss by parameters count their use at this step only, as derivations of one step have it;
    meant: what gradients with customary names are, as pairs of a label and (vector, way), see WAYS;
    factor: ∂z/∂W for z = W x is written as the factor x that it puts beside ∂L/∂z; path: of a state
    by itself at another step only the path through it is meant, all other states held; direct:
    places of the derivatives of quantities by what stands in their own equations, all others held,
    as in chain rules along several paths; outer:
    vectors are transposed where the shapes ask for it; chain: derivatives that are multiplied chain
    in whatever order their shapes ask for; whole: the loss on the left is that of the sequence,
    though a step is written beside it; zero_based: steps are counted from 0 to T - 1; diagonal: a
    vector before a matrix ("left"), or on either side of one ("both"), stands for the diagonal
    matrix of it; part: where weights stand for stacked vectors, those of the
    "first" or the "last" of these are meant; lying: gradients by their customary names are rows.
    """

    layout: str = "gradient"
    immediate: frozenset[int] = frozenset()
    dot: str = "matrix"
    otimes: str = "kron"
    rows: bool = False
    zero: bool = False
    mean: bool = False
    descending: bool = True
    activation: str = ""
    step: str = ""
    zero_based: bool = False
    whole: bool = False
    path: bool = False
    direct: frozenset[int] = frozenset()
    outer: bool = False
    chain: bool = False
    factor: bool = False
    diagonal: str = ""
    part: str = ""
    lying: bool = False
    meant: tuple[tuple[str, tuple[str, str]], ...] = ()
    more: tuple[str, ...] = field(default=())

    def words(self, shown: dict[int, str], layout_matters: bool) -> str:
        """The reading in words; shown: the derivatives' own spellings by place."""
        parts = []
        if self.immediate:
            names = list(dict.fromkeys(shown.get(p, "") for p in sorted(self.immediate)))
            verb = "is the immediate partial" if len(names) == 1 else "are immediate partials"
            parts.append(f"{', '.join(f'${name}$' for name in names)} {verb}")
        if layout_matters:
            parts.append(_LAYOUT_WORDS[self.layout])
        for label, (name, way) in self.meant:
            parts.append(f"${label}$ is {WAYS[way].format(name)}")
        if self.dot == "elementwise":
            parts.append("products of vectors of one shape are elementwise")
        if self.dot == "inner":
            parts.append("products of vectors of one shape are inner products")
        if self.otimes != "kron":
            parts.append("⊗ is the outer product" if self.otimes == "outer" else "⊗ is elementwise")
        if self.rows:
            parts.append("vectors are rows, and weights stand on their right, transposed")
        if self.zero:
            parts.append("the initial states are zero")
        if self.mean:
            parts.append("the loss is the mean over time")
        if not self.descending:
            parts.append("the product ascends: the lowest index stands first")
        if self.step:
            of = f"the contribution of step {self.step}"
            parts.append(f"what is meant is {of} alone")
        if self.zero_based:
            parts.append("steps are counted from 0")
        if self.whole:
            parts.append("the loss on the left is that of the whole sequence")
        if self.path:
            parts.append(
                "of a state by itself the direct path is meant, with all other states held"
            )
        if self.direct:
            parts.append("each quantity is derived by its own equation, with all others held")
        if self.outer:
            parts.append("vectors are transposed where the shapes ask for it")
        if self.factor:
            parts.append("∂z/∂W is written as the factor that it puts beside a derivative by z")
        if self.chain:
            parts.append("products of derivatives are taken in the order that their shapes ask for")
        if self.diagonal:
            parts.append("a vector beside a matrix stands for the diagonal matrix of it")
        if self.lying:
            parts.append("gradients with names of their own are rows")
        if self.part:
            parts.append(f"of weights of stacked vectors those of the {self.part} one are meant")
        if self.activation:
            parts.append(f"σ is {self.activation}")
        return "; ".join([*parts, *self.more])

    def with_(self, **changes: object) -> Reading:
        """A reading that differs in some respects."""
        return replace(self, **changes)  # type: ignore[arg-type]
