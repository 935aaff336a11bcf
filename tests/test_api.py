"""The calls of the README and the contract, as a user makes them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.derive.step import Step
from rnnsym.nodes import TimeProduct, TimeSum
from tests.portability.harness import math_core_accepts


@pytest.fixture(scope="module")
def net() -> rs.Network:
    return rs.elman()


@pytest.fixture(scope="module")
def data() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {"W_aa": (4, 4), "W_ax": (4, 3), "b_a": (4,), "W_ya": (2, 4), "b_y": (2,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return params, rng.normal(size=(5, 3)), np.eye(2)[rng.integers(2, size=5)]


# ---- networks ----------------------------------------------------------------------------


def test_a_model_by_name_options_or_text(net: rs.Network) -> None:
    assert repr(rs.model("elman")) == repr(net)
    assert rs.model("gru:reset=after").options == rs.model("gru", reset="after").options
    assert rs.gru(reset="after").options == rs.model("gru:reset=after").options
    assert rs.lstm(activation="relu").options["activation"] == "relu"
    assert isinstance(rs.lstm(), rs.Network)


def test_what_a_network_says_of_itself(net: rs.Network) -> None:
    assert list(net.parameters) == ["W_aa", "W_ax", "b_a", "W_ya", "b_y"]
    assert list(net.states) == ["a"] and list(net.inputs) == ["x"] and list(net.targets) == ["y"]
    assert list(rs.lstm().states) == ["c", "a"] or set(rs.lstm().states) == {"a", "c"}
    assert net.notation == "post" and rs.elman(notation="d2l").notation == "d2l"


def test_the_forward_equations_in_latex(net: rs.Network) -> None:
    assert net.latex().startswith("\\begin{aligned}\n\\mathbf{z}^{\\langle t\\rangle} &=")
    assert r"\mathbf{h}_{t} &= \tanh" in net.latex("d2l")
    assert rs.elman(notation="d2l").latex() == net.latex("d2l")
    assert net._repr_latex_() == f"$\\displaystyle {net.latex()}$"
    math_core_accepts(net._repr_latex_().strip("$"))


def test_equations_of_ones_own() -> None:
    net = rs.Network(
        "h[t] = tanh(A @ h[t-1] + B @ u[t])",
        "v[t] = C @ h[t]",
        inputs=["u"],
        loss="squared_error",
    )
    text = net.derive("A").text()
    assert "∇_A L = Σ_{k=1..T} δ_z_h⟨k⟩ h⟨k-1⟩ᵀ" in text and "✗" not in text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rs.model("nope"), "choose from elman, lstm, gru"),
        (lambda: rs.elman(depth=3), "unknown option 'depth'"),
        (lambda: rs.elman(activation="cube"), "choose from tanh"),
        (lambda: rs.model("x" * 1000), "at most 500 characters"),
        (lambda: rs.model(3), "a model is a text"),
        (lambda: rs.elman().derive("Q"), "unknown parameter 'Q'.*W_aa, W_ax"),
        (lambda: rs.elman().latex("word"), "choose from post, goodfellow"),
        (lambda: rs.elman().derive("b_y").latex("word"), "choose from post, goodfellow"),
        (lambda: rs.elman().derive("b_y").at(0), "positive integer, not 0"),
        (lambda: rs.elman().derive("b_y").at(1.5), "positive integer"),
        (lambda: rs.elman().derive("b_y").at(True), "positive integer"),
        (lambda: rs.elman().derive("b_y").save("d.doc"), "unknown format"),
        (lambda: rs.elman().unroll(0), "0"),
        (lambda: rs.elman().lambdify("Q", 3), "unknown parameter 'Q'"),
        (lambda: rs.elman().gradients("fortran"), "choose from numpy"),
        (lambda: rs.elman().code("fortran"), "choose from numpy"),
        (lambda: rs.verify(rs.elman(), steps=0), "positive integer, not 0"),
        (lambda: rs.verify(rs.elman(), sizes={"n_q": 2}), "n_x, n_y, n_a"),
        (lambda: rs.verify(rs.elman(), against=["faith"]), "choose from exact"),
    ],
)
def test_wrong_calls_say_what_is_right(call: object, message: str) -> None:
    with pytest.raises(rs.InputError, match=message):
        call()  # type: ignore[operator]


def test_errors_are_of_the_usual_kinds_too() -> None:
    assert issubclass(rs.InputError, ValueError) and issubclass(rs.InputError, rs.RnnsymError)
    assert issubclass(rs.NotSupportedError, NotImplementedError)
    assert issubclass(rs.UnavailableError, RuntimeError)


# ---- derivations -------------------------------------------------------------------------


def test_a_derivation_is_a_chain_of_steps(net: rs.Network) -> None:
    d = net.derive("W_aa")
    assert repr(d) == f"<Derivation of dL/dW_aa: {len(d.steps)} steps>"
    assert all(isinstance(step, Step) for step in d) and list(d) == list(d.steps)
    assert d.sections[0] == "Linearity" and d.section("Linearity") == d.steps[:1]
    assert d.result.shape == net.parameters["W_aa"].shape
    assert d.formula.shape == (1, net.parameters["W_aa"].rows ** 2)
    assert d.formula.has(TimeProduct) and not d.result.has(TimeProduct)
    assert d.steps_in_time is None


def test_every_step_holds(net: rs.Network) -> None:
    for name in (*net.parameters, *net.states, *net.inputs):
        checks = net.derive(name).check()
        assert checks and all(check.ok for check in checks)


def test_a_derivation_prints_itself(net: rs.Network) -> None:
    d = net.derive("b_y")
    assert d.latex().startswith(r"\subsection*{Forward pass}")
    assert d._repr_markdown_() == d.markdown() != d.markdown(row_end=r"\\" + "\\")
    assert "∂L/∂b_y" in d.text() and r"b_{q}" in d.latex("d2l").replace(r"\mathbf{b}", "b")
    math_core_accepts(re.findall(r"\$\$(.*?)\$\$", d.markdown(), re.DOTALL)[0])


def test_a_derivation_is_saved(net: rs.Network, tmp_path: Path) -> None:
    for name in ("d.md", "d.tex"):
        path = net.derive("b_y").save(tmp_path / name)
        assert path == tmp_path / name and path.stat().st_size > 1000
    text = net.derive("b_y").save(str(tmp_path / "e.md"), "karpathy").read_text(encoding="utf-8")
    assert r"\partial b_{y}" in text and r"\mathbf" not in text


def test_a_concrete_length_is_written_out(net: rs.Network) -> None:
    d = net.derive("W_aa").at(3)
    assert d.steps_in_time == 3 and d.wrt == "W_aa"
    assert not d.result.has(TimeSum) and not d.result.has(TimeProduct)
    assert all(check.ok and check.steps == 3 for check in d.check())
    assert "for T = 3" in d.text()
    assert d.at(2).steps_in_time == 2


def test_the_compact_notation_is_proved(net: rs.Network) -> None:
    d = net.block_identity()
    assert all(check.ok for check in d.check())
    assert r"\mathbf{W}_{aa} & \mathbf{W}_{ax}" in d.latex()


def test_a_graph_of_a_concrete_length(net: rs.Network) -> None:
    graph = net.unroll(3)
    assert "flowchart" in graph.mermaid() or "graph" in graph.mermaid()


# ---- code and verification ---------------------------------------------------------------


def test_gradients_are_those_of_the_loss(net: rs.Network, data: tuple) -> None:
    params, x, y = data
    f = net.gradients(backend="numpy")
    loss, gradients = f(params, x, y)
    assert {n: g.shape for n, g in gradients.items()} == {n: p.shape for n, p in params.items()}
    h = 1e-6
    for name, entry in (("W_aa", (1, 2)), ("W_ax", (0, 1)), ("b_a", (3,)), ("b_y", (1,))):
        up, down = ({k: v.copy() for k, v in params.items()} for _ in range(2))
        up[name][entry] += h
        down[name][entry] -= h
        slope = (f(up, x, y)[0] - f(down, x, y)[0]) / (2 * h)
        assert slope == pytest.approx(gradients[name][entry], rel=1e-5)
    assert np.isfinite(loss)


def test_an_initial_state_is_zero_if_left_out(net: rs.Network, data: tuple) -> None:
    params, x, y = data
    f = net.gradients()
    assert f(params, x, y)[0] == f(params, x, y, {"a": np.zeros(4)})[0]
    assert f(params, x, y)[0] != f(params, x, y, {"a": np.ones(4)})[0]


def test_the_code_stands_by_itself(net: rs.Network, data: tuple) -> None:
    source = net.code()
    assert "rnnsym." not in re.sub(r'""".*?"""', "", source, flags=re.DOTALL)
    module: dict = {}
    exec(compile(source, "emitted", "exec"), module)
    assert module["loss_and_gradients"](*data)[0] == net.gradients()(*data)[0]


def test_the_formula_itself_is_a_function(net: rs.Network, data: tuple) -> None:
    params, x, y = data
    gradients = net.gradients()(params, x, y)[1]
    for name in ("W_aa", "W_ya"):
        row = net.lambdify(name, steps=5)(params, x, y)
        assert row.shape == (1, params[name].size)
        assert np.allclose(row, gradients[name].ravel(order="F"), rtol=1e-12)


def test_verify_reports(net: rs.Network) -> None:
    report = rs.verify(net, steps=2, sizes={"n_a": 3}, seed=1, against=["bptt", "complex_step"])
    assert report.ok and report.steps == 2 and report.sizes["n_a"] == 3 and report.seed == 1
    assert set(report.gradients) == set(net.parameters)
    assert "all agree" in str(report) and report._repr_html_().startswith("<table>")


def test_the_version_is_that_of_the_package() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", rs.__version__)
    assert all(hasattr(rs, name) for name in rs.__all__)
