"""Relations between numbers: computed, and compared to as many digits as are written."""

from __future__ import annotations

import pytest

import rnnsym as rs


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"(0.95)^8 \approx 0.663", "true"),
        (r"0.9^{100} \approx 2.65 \times 10^{-5}", "true"),
        (r"0.25^{10} = 9.5 \cdot 10^{-7}", "true"),
        (r"\left(\frac{1}{4}\right)^{10} \approx 0.00000095", "true"),
        (r"1.1^{100} \approx 13780", "true"),
        (r"1.5^{10} \approx 57", "true"),
        (r"0.5^{20} \approx 0", "true"),
        (r"2^{10} = 1024", "true"),
        (r"0.9^{50} < 0.01", "true"),
        (r"0.9^{10} \approx 0.25", "false"),
        (r"0.5^{2} = 0", "false"),
        (r"1.1^{50} < 100", "false"),
        (r"0.9^{10} = 0.348", "true"),
        (r"0.9^{10} = 0.3421", "unknown"),
    ],
)
def test_arithmetic(claim: str, verdict: str) -> None:
    assert rs.check(claim, rs.elman()).verdict == verdict


@pytest.mark.parametrize(
    "claim",
    [
        r"1.1^{100} \approx 13,780",
        r"1.1^{100} \approx 13{,}780",
        r"1.1^{100} \approx 13\,780",
    ],
)
def test_numbers_that_may_be_read_in_two_ways_are_not_judged(claim: str) -> None:
    assert rs.check(claim, rs.elman()).verdict not in ("true", "false")
    assert all(f.verdict != "false" for f in rs.audit(f"$h_t = f(h_{{t-1}})$, ${claim}$").formulas)


def test_in_a_document() -> None:
    document = (
        "$$h_t = \\tanh(W h_{t-1} + U x_t)$$ It shrinks as $0.9^{50} \\approx 0.005$, "
        "or grows as $1.1^{100} \\approx 138$. If $2^3 < 4$, nothing follows."
    )
    assert [f.verdict for f in rs.audit(document).formulas] == [None, "true", "false", None]


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (r"h_1 = \tanh([1.0, -0.5]) = [0.7616, -0.4621]", "true"),
        (r"\tanh(0.5) = 0.46", "true"),
        (r"\tanh(0.5) = 0.56", "false"),
        (r"f_t \approx \sigma(1) \approx 0.73", "true"),
        (r"\sigma(1) = 0.83", "unknown"),  # σ may be any function
        (r"e^{-1} = 0.3679", "true"),
        (r"\frac{1}{1 + e^{-1}} = 0.731", "true"),
        (r"\sqrt{2} = 1.414", "true"),
        (r"[1, 0]^T [0.5, 2] = \begin{bmatrix} 0.5 & 2 \\ 0 & 0 \end{bmatrix}", "true"),
        (r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix} [0.5, 1] = [2.5, 5.5]", "true"),
        (r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}^T [0.5, 1]^T = [2.5, 5.5]^T", "false"),
        (r"\begin{bmatrix} 0.5 & 0 \\ 0 & 0.9 \end{bmatrix}^2 ="
         r"\begin{bmatrix} 0.25 & 0 \\ 0 & 0.82 \end{bmatrix}", "unknown"),  # is it rounded?
        (r"\mathrm{softmax}([0, 0]) = [0.5, 0.5]", "true"),
        (r"[1, 2] \odot [3, 4] = [3, 9]", "false"),
        (r"2.5 \times 10^{-3} \cdot [2, 4] = [0.005, 0.01]", "true"),
    ],
)  # fmt: skip
def test_worked_examples(claim: str, verdict: str) -> None:
    found = rs.check(claim, rs.elman())
    assert found.verdict == verdict, found.message


@pytest.mark.parametrize(
    "claim",
    [
        r"h_1 = [0.5, 0.25]",  # a value is given: nothing is computed
        r"[1, 2] + [1, 2, 3] = [2, 4]",
        r"[1, 2] \odot W = [3, 4]",
        r"\exp(10000) = 5",
        r"1000000000001 = 1000000000002",
        r"\begin{bmatrix} 1 & 2 \end{bmatrix}^{100000} = 1",
    ],
)
def test_what_cannot_be_computed_is_no_worked_example(claim: str) -> None:
    assert "double precision" not in rs.check(claim, rs.elman()).evidence
