"""What words say of names: which are gradients, which function a letter is, what is a special
case; and diagnoses in the names that a document has given."""

from __future__ import annotations

import time

import pytest

import rnnsym as rs
from rnnsym.audit import tongues

NET = r"""
$$v_n=Wh_{n-1}+Ux_n,\qquad h_n=(1-\alpha)h_{n-1}+\alpha\tanh(v_n),\qquad q_n=Rh_n$$

$$C=\frac12\sum_{n=1}^{N}\|q_n-d_n\|^2$$

$D_n=\mathrm{diag}(1-\tanh^2(v_n))$. Let $g_n$ be the total gradient of $C$ in $h_n$.

"""


def only(claim: str):
    (found,) = [f for f in rs.audit(f"{NET}$${claim}$$\n").formulas if f.role == "claim"]
    return found


@pytest.mark.parametrize(
    "claim, diagnosis",
    [
        (r"\frac{dC}{dW}=\sum_{n=1}^{N}D_ng_nh_{n-1}^\top", r"the factor \alpha is missing"),
        (r"\frac{dC}{dW}=\alpha\sum_{n=1}^{N}g_nh_{n-1}^\top", r"the factor D_{n} is missing"),
        (
            r"g_n=R^\top(q_n-d_n)+\alpha W^\top D_{n+1}g_{n+1}",
            r"the term \left(1 - \alpha\right) g_{n+1} is missing",
        ),
    ],
)
def test_what_is_missing_in_the_names_of_the_document(claim, diagnosis):
    found = only(claim)
    assert found.verdict == "false" and found.diagnosis == diagnosis


@pytest.mark.parametrize(
    "before, after, by, of",
    [
        ("Let", "be the gradient of $…$ in $…$.", 1, 0),
        ("where", "is the total derivative of the loss with respect to $…$.", 0, None),
        ("We call", "the adjoint of $…$.", 0, None),
        ("Gradients:", "at $…$, $…$ at $…$.", 0, None),
        ("Gradients: $…$ at $…$,", "at $…$.", 0, None),
        ("记", "为 $…$ 对 $…$ 的梯度", 1, 0),
    ],
)
def test_names_that_are_gradients(before, after, by, of):
    found = tongues.of_gradients(before, after)
    assert found is not None and (found.by, found.of) == (by, of)


@pytest.mark.parametrize(
    "before, after",
    [
        ("the derivative of", "with respect to $…$ is"),
        ("We compute the gradient of", "in $…$."),
        ("Here", "is the gradient that comes from the layer above $…$."),
        ("The hidden state", "depends on $…$."),
        ("", "is the local derivative of $…$ by $…$."),
    ],
)
def test_names_of_which_nothing_is_said(before, after):
    found = tongues.of_gradients(before, after)
    assert found is None or (found.by is None and not found.arguments)


def test_arguments_of_functions():
    after = ", $…$ are the gradients at the arguments of the two functions."
    assert tongues.of_gradients("and", after) == tongues.OfGradients(arguments=True)


@pytest.mark.parametrize(
    "before, after, function",
    [
        ("and", "the Heaviside step", "step"),
        ("where", "is the softplus", "softplus"),
        ("if", "is ReLU", ""),
        ("and", "the learning rate", ""),
    ],
)
def test_which_function_a_letter_is(before, after, function):
    assert tongues.function_of(before, after) == function


@pytest.mark.parametrize(
    "before, formulas, special",
    [
        ("When the gate is open ($…$):", ["f_t = 1"], True),
        ("Let $…$ be orthogonal: then", ["W"], True),
        ("If $…$, then", [r"f_t \to 0"], True),
        ("Since $…$, we have", ["h_0 = 0"], False),
        ("When $…$, the chain rule gives", ["h_0 = 0"], False),
        ("Therefore", ["f_t = 1"], False),
    ],
)
def test_special_cases(before, formulas, special):
    assert tongues.special_case(before, formulas) == special


def test_a_range_of_steps_supposes_nothing():
    assert tongues.without_ranges("Hence for all $…$", ["k < t"]) == "Hence"
    assert tongues.without_ranges("Hence for $…$", [r"\|W\| < 1"]) == "Hence for $…$"


def test_words_that_change_the_network():
    assert tongues.changes_network("Replace $…$ in the first equation by $…$.")
    assert not tongues.changes_network("We replace the sum.")


def test_total_derivatives():
    assert tongues.are_total("All derivatives are total, along every path.")
    assert not tongues.are_total("The total derivative of the loss is")


@pytest.mark.parametrize(
    "words", ["a" * 5000, " " * 5000, "gradient " * 600, "of the " * 700 + "$…$", "'" * 3000]
)
def test_hostile_words_take_no_time(words):
    begun = time.process_time()
    tongues.of_gradients(words, words)
    tongues.function_of(words, words)
    tongues.special_case(words, ["f"])
    tongues.changes_network(words)
    tongues.are_total(words)
    assert time.process_time() - begun < 1
