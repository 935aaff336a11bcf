"""Brackets, signs and transposes: small expressions, exactly, in LaTeX and as terminal text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sympy import (
    DiagMatrix,
    Identity,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Rational,
    Transpose,
    ZeroMatrix,
    symbols,
)
from sympy.matrices.expressions import HadamardProduct, KroneckerProduct, OneMatrix

from rnnsym.latex import PROFILES, LatexPrinter, TextPrinter
from rnnsym.nodes import (
    Adjoint,
    Apply,
    Blocks,
    Gradient,
    Immediate,
    Softmax,
    Stack,
    TimeProduct,
    TimeSum,
    TimeVector,
    Total,
    t,
)
from tests.portability.harness import math_core_accepts

n = symbols("n", integer=True, positive=True)
k, i = symbols("k i", integer=True)
a, b, c = (TimeVector(name, n, t) for name in "abc")
U, V, W = (MatrixSymbol(name, n, n) for name in "UVW")
alpha, loss = MatrixSymbol("alpha", 1, 1), MatrixSymbol("L", 1, 1)
ones = OneMatrix(n, 1)
one_alpha = MatMul(ones, alpha)
had, kron = HadamardProduct, KroneckerProduct
chain = TimeProduct(MatrixSymbol("J", n, n), (i, k + 1, t))
total = TimeSum(MatMul(W, a.at(k)), (k, 1, t))


def neg(*factors: Any) -> MatMul:
    return MatMul(-1, *factors)


# In the notation of PyTorch's docstrings, which has no fonts: the structure is what is tested.
TABLE = [
    # sums in products
    (MatMul(W, MatAdd(a, b)), r"W\,\left(a_{t} + b_{t}\right)", "W (a⟨t⟩ + b⟨t⟩)"),
    (MatMul(MatAdd(U, V), W), r"\left(U + V\right)\,W", "(U + V) W"),
    (MatAdd(MatMul(U, a), MatMul(V, b)), "U a_{t} + V b_{t}", "U a⟨t⟩ + V b⟨t⟩"),
    (MatMul(W, MatAdd(a, MatMul(U, MatAdd(b, c)))),
     r"W\,\left(a_{t} + U\,\left(b_{t} + c_{t}\right)\right)", "W (a⟨t⟩ + U (b⟨t⟩ + c⟨t⟩))"),
    # signs
    (MatAdd(neg(a), b), "b_{t} - a_{t}", "b⟨t⟩ - a⟨t⟩"),
    (MatAdd(neg(a), neg(b)), "-a_{t} - b_{t}", "-a⟨t⟩ - b⟨t⟩"),
    (MatAdd(a, neg(MatAdd(b, c))), r"a_{t} - \left(b_{t} + c_{t}\right)", "a⟨t⟩ - (b⟨t⟩ + c⟨t⟩)"),
    (neg(MatAdd(a, b)), r"-\left(a_{t} + b_{t}\right)", "-(a⟨t⟩ + b⟨t⟩)"),
    (MatAdd(a, neg(neg(b))), r"a_{t} - \left(-b_{t}\right)", "a⟨t⟩ - (-b⟨t⟩)"),
    (MatMul(W, neg(a)), r"-W a_{t}", "-W a⟨t⟩"),
    (MatMul(W, MatMul(-2, a)), r"-2 W a_{t}", "-2 W a⟨t⟩"),
    (MatMul(W, MatMul(Rational(-1, 2), U, a)), r"-\frac{1}{2} W U a_{t}", "-1/2 W U a⟨t⟩"),
    (had(neg(a), b), r"\left(-a_{t}\right) \odot b_{t}", "(-a⟨t⟩) ⊙ b⟨t⟩"),
    (kron(W, MatMul(-2, a)), r"W \otimes \left(-2 a_{t}\right)", "W ⊗ (-2 a⟨t⟩)"),
    (neg(had(a, b)), r"-a_{t} \odot b_{t}", "-a⟨t⟩ ⊙ b⟨t⟩"),
    (MatAdd(c, neg(had(a, b))), r"c_{t} - a_{t} \odot b_{t}", "c⟨t⟩ - a⟨t⟩ ⊙ b⟨t⟩"),
    (MatAdd(b, MatMul(Rational(-1, 2), a)), r"b_{t} - \frac{1}{2} a_{t}", "b⟨t⟩ - 1/2 a⟨t⟩"),
    (neg(total), r"-\sum_{k=1}^{t} W a_{k}", "-Σ_{k=1..t} W a⟨k⟩"),
    # elementwise products
    (had(a, MatAdd(b, c)), r"a_{t} \odot \left(b_{t} + c_{t}\right)", "a⟨t⟩ ⊙ (b⟨t⟩ + c⟨t⟩)"),
    (MatMul(W, had(a, b)), r"W\,\left(a_{t} \odot b_{t}\right)", "W (a⟨t⟩ ⊙ b⟨t⟩)"),
    (had(MatMul(W, a), b), r"\left(W a_{t}\right) \odot b_{t}", "(W a⟨t⟩) ⊙ b⟨t⟩"),
    (MatMul(2, had(a, b)), r"2 a_{t} \odot b_{t}", "2 a⟨t⟩ ⊙ b⟨t⟩"),
    (had(a, Apply("reciprocal", b)), r"a_{t} \oslash b_{t}", "a⟨t⟩ ⊘ b⟨t⟩"),
    (had(a, Apply("reciprocal", MatAdd(b, c))),
     r"a_{t} \oslash \left(b_{t} + c_{t}\right)", "a⟨t⟩ ⊘ (b⟨t⟩ + c⟨t⟩)"),
    (Apply("reciprocal", b), r"1 \oslash b_{t}", "1 ⊘ b⟨t⟩"),
    (DiagMatrix(MatAdd(ones, neg(had(a, a)))),
     r"\operatorname{diag}\left(1 - a_{t} \odot a_{t}\right)", "diag(1 - a⟨t⟩ ⊙ a⟨t⟩)"),
    # Kronecker products
    (MatMul(W, kron(Transpose(a), Identity(n))),
     r"W\,\left(a_{t}^{\top} \otimes I\right)", "W (a⟨t⟩ᵀ ⊗ I)"),
    (kron(MatAdd(U, V), Identity(n)), r"\left(U + V\right) \otimes I", "(U + V) ⊗ I"),
    (kron(MatMul(U, V), Identity(n)), r"U V \otimes I", "U V ⊗ I"),
    (kron(U, kron(V, W)), r"U \otimes \left(V \otimes W\right)", "U ⊗ (V ⊗ W)"),
    # scalars spread over vectors
    (one_alpha, r"\alpha 1", "α 1"),
    (had(one_alpha, a), r"\alpha a_{t}", "α a⟨t⟩"),
    (had(MatMul(ones, MatAdd(alpha, loss)), a),
     r"\left(\alpha + L\right) a_{t}", "(α + L) a⟨t⟩"),
    (DiagMatrix(one_alpha), r"\alpha I", "α I"),
    (neg(ones, alpha), r"-\alpha 1", "-α 1"),
    # blocks
    (Blocks([[a], [b]]), r"\left[a_{t};\, b_{t}\right]", "[a⟨t⟩; b⟨t⟩]"),
    (Blocks([[U, V], [ZeroMatrix(n, n), W]]),
     r"\begin{bmatrix} U & V \\ 0 & W \end{bmatrix}", "[U, V; 0, W]"),
    (Blocks([[Total(a, b), W], [U, V]]),
     r"\begin{bmatrix} \dfrac{\partial a_{t}}{\partial b_{t}} & W \\[8pt] U & V \end{bmatrix}",
     "[∂a⟨t⟩/∂b⟨t⟩, W; U, V]"),
    # sums and products over time
    (chain, r"\prod_{i=k+1}^{t} J", "Π_{i=k+1..t} J"),
    (MatMul(W, chain, a),
     r"W\,\left(\prod_{i=k+1}^{t} J\right)\,a_{t}", "W (Π_{i=k+1..t} J) a⟨t⟩"),
    (MatMul(W, chain), r"W\,\left(\prod_{i=k+1}^{t} J\right)", "W (Π_{i=k+1..t} J)"),
    (MatMul(total, Transpose(a)),
     r"\left(\sum_{k=1}^{t} W a_{k}\right)\,a_{t}^{\top}", "(Σ_{k=1..t} W a⟨k⟩) a⟨t⟩ᵀ"),
    (MatMul(U, total), r"U\,\sum_{k=1}^{t} W a_{k}", "U Σ_{k=1..t} W a⟨k⟩"),
    (MatAdd(total, b), r"\sum_{k=1}^{t} W a_{k} + b_{t}", "Σ_{k=1..t} W a⟨k⟩ + b⟨t⟩"),
    (TimeSum(MatAdd(a.at(k), b.at(k)), (k, 1, t)),
     r"\sum_{k=1}^{t} \left(a_{k} + b_{k}\right)", "Σ_{k=1..t} (a⟨k⟩ + b⟨k⟩)"),
    (had(total, b), r"\left(\sum_{k=1}^{t} W a_{k}\right) \odot b_{t}",
     "(Σ_{k=1..t} W a⟨k⟩) ⊙ b⟨t⟩"),
    (TimeProduct(MatAdd(U, V), (i, 1, t)),
     r"\prod_{i=1}^{t} \left(U + V\right)", "Π_{i=1..t} (U + V)"),
    (TimeProduct(MatMul(-2, W), (i, 1, t)),
     r"\prod_{i=1}^{t} \left(-2 W\right)", "Π_{i=1..t} (-2 W)"),
    (TimeSum(a.at(k), (k, 1, t)).subs(t, k), r"\sum_{k'=1}^{k} a_{k'}", "Σ_{k'=1..k} a⟨k'⟩"),
    # transposes
    (Transpose(W), r"W^{\top}", "Wᵀ"),
    (Transpose(a), r"a_{t}^{\top}", "a⟨t⟩ᵀ"),
    (Transpose(MatMul(W, a)), r"\left(W a_{t}\right)^{\top}", "[W a⟨t⟩]ᵀ"),
    (Transpose(MatAdd(a, b)), r"\left(a_{t} + b_{t}\right)^{\top}", "[a⟨t⟩ + b⟨t⟩]ᵀ"),
    (Transpose(Total(a, b)), r"\left(\frac{\partial a_{t}}{\partial b_{t}}\right)^{\top}",
     "[∂a⟨t⟩/∂b⟨t⟩]ᵀ"),
    (Transpose(Adjoint(a)), r"\delta_{a,t}^{\top}", "δ_a⟨t⟩ᵀ"),
    (Transpose(Stack("s", [a, b], t)), r"s_{t}^{\top}", "s⟨t⟩ᵀ"),
    # functions
    (Apply("tanh", MatMul(W, a)), r"\tanh\left(W a_{t}\right)", "tanh(W a⟨t⟩)"),
    (Apply("sigmoid", a, 1), r"\sigma'\left(a_{t}\right)", "σ′(a⟨t⟩)"),
    (Apply("g", a, 2), r"g''\left(a_{t}\right)", "g′′(a⟨t⟩)"),
    (Softmax(a), r"\operatorname{softmax}\left(a_{t}\right)", "softmax(a⟨t⟩)"),
]  # fmt: skip


@pytest.mark.parametrize(("e", "latex", "text"), TABLE, ids=[row[2] for row in TABLE])
def test_structure(e: Any, latex: str, text: str) -> None:
    assert LatexPrinter("pytorch")(e) == latex
    assert TextPrinter("pytorch")(e) == text


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_prints_the_table_portably(profile: str) -> None:
    for e, _, _ in TABLE:
        math_core_accepts(LatexPrinter(profile)(e))


def test_the_two_derivatives_are_told_apart() -> None:
    latex, text = LatexPrinter("pytorch"), TextPrinter()
    assert latex(Total(a, W)) == r"\frac{\partial a_{t}}{\partial W}"
    assert latex(Immediate(a, W)) == r"\frac{\partial^{+} a_{t}}{\partial W}"
    assert latex(Gradient(loss, W)) == r"\nabla_{W} L"
    assert text(Total(a, W)) == "∂a⟨t⟩/∂W"
    assert text(Immediate(a, W)) == "∂⁺a⟨t⟩/∂W"
    assert text(Gradient(loss, W)) == "∇_W L"


def test_derivatives_in_text_are_separated() -> None:
    e = MatMul(Total(a, b), Immediate(b, W))
    assert TextPrinter()(e) == "∂a⟨t⟩/∂b⟨t⟩ · ∂⁺b⟨t⟩/∂W"


def test_long_transposes_have_square_brackets() -> None:
    printed = LatexPrinter("post")(Transpose(MatAdd(MatMul(W, a), MatMul(W, b))))
    assert printed.startswith(r"\left[") and printed.endswith(r"\right]^{\top}")


NAMES = ["a", "a_1", "y_hat", "z_c_tilde", "W^2", "alpha", "hidden", "x1", "h_vec", "W_aa^f"]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", NAMES)
def test_no_double_scripts(name: str, profile: str) -> None:
    v = TimeVector(name, n, t)
    for e in (v, Transpose(v), Adjoint(v), Transpose(Adjoint(v)), v.at(t - 1)):
        printed = LatexPrinter(profile)(e)
        math_core_accepts(printed)
        assert not re.search(r"[_^]\{[^{}]*\}([_^])\{[^{}]*\}\1", printed)
        assert printed.count("^{") <= 1 or profile == "post"


def test_powers_of_sizes() -> None:
    text, latex = TextPrinter(), LatexPrinter()
    assert [text.scalar(n**p) for p in (2, 4, 20)] == ["n²", "n^4", "n^20"]
    assert latex.scalar(n**20) == "n^{20}"
    assert latex.scalar(k + 1) == "k+1"


def test_a_derivative_of_a_sum_has_brackets() -> None:
    assert r"\left(a_{t} + b_{t}\right)" in LatexPrinter("pytorch")(Total(MatAdd(a, b), W))


def test_a_product_over_time_ends_where_its_factor_ends() -> None:
    e = MatMul(MatMul(2, chain), a)
    assert LatexPrinter("pytorch")(e) == r"2\,\left(\prod_{i=k+1}^{t} J\right)\,a_{t}"


def test_the_latex_of_a_deep_network_grows_linearly_with_its_layers() -> None:
    """Of every gradient of a bidirectional LSTM, each step once; and it knows nothing of T."""
    import rnnsym as rs

    size = {}
    for layers in (3, 4, 5):
        net = rs.lstm(layers=layers, bidirectional=True)
        printer = LatexPrinter("post", net.notations["post"])
        steps = {(s.before, s.after) for w in net.parameters for s in net.derive(w)}
        size[layers] = sum(len(printer(e)) for step in steps for e in step)
    assert 0 < size[5] - size[4] < 1.1 * (size[4] - size[3])
