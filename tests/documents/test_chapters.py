"""What the chapters on networks ask for: tables of what is there, and checks that can fail."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sympy import MatMul

import rnnsym as rs
from rnnsym.documents import files, literate
from rnnsym.documents.content import Display, Document, Heading, Paragraph, Remarks, Table
from rnnsym.documents.literate import (
    build,
    networks_requests,
    numbers_requests,
    proofs_requests,
    requests,
    reversal_requests,
)
from rnnsym.documents.markdown import markdown
from rnnsym.documents.terminal import terminal
from rnnsym.errors import InputError
from tests.portability.harness import ROOT

SOURCES = ROOT / "derivations"
CHAPTERS = sorted(SOURCES.glob("0[1-7]-*.md"))


def asked(line: str, spec: str = "elman") -> tuple[list[Any], requests.Evidence]:
    """The blocks that answer a request about a model, and what was checked."""
    kind, arguments, options, sections = requests.parse(line)
    net, evidence = rs.model(spec), requests.Evidence()
    ask = requests.Ask(net, "post", evidence, 1, arguments, options, sections)
    return list(kind.answer(ask)), evidence


def said(blocks: list[Any], spec: str = "elman") -> str:
    net = rs.model(spec)
    return terminal(Document(("Title",), blocks, "post", net.notations.get("post")))


def good(evidence: requests.Evidence) -> bool:
    return bool(evidence.outcomes) and all(ok for ok, _ in evidence.outcomes)


# ---- networks ----------------------------------------------------------------------------


def test_equations_say_where_they_hold() -> None:
    text = said(asked("equations", "elman:type=encoder-decoder")[0], "elman:type=encoder-decoder")
    assert "a_dec⟨0⟩ = a_enc⟨T_x⟩" in text and "z_" not in text
    assert "For t = 1, …, T_x in the equations of a_enc⟨t⟩; t = 1, …, T_y in" in text
    assert "with a_enc⟨0⟩ given" in text, "the decoder's initial state is computed"
    text = said(asked("equations", "elman:shortcut=3")[0], "elman:shortcut=3")
    assert "what lies before is zero" in text


def test_equations_are_those_of_the_network() -> None:
    """What is printed, read again, is the same network."""
    for spec in ("elman:bidirectional", "gru", "elman:masked", "mlp:steps=3"):
        net = rs.model(spec)
        (display,) = (b for b in asked("equations", spec)[0] if isinstance(b, Display))
        pairs = {r.left: r.right for r in display.rows if r.left != net.total_loss}
        assert set(pairs) == {e.lhs for e in net.source}
        again = rs.Network(
            *pairs.items(), inputs=tuple(net.inputs), output=net.output,
            target_kind=net.target_kind,
        )  # fmt: skip
        assert again.parameters == net.parameters and again.lags == net.lags


def test_the_types_are_those_that_there_are() -> None:
    (table,), _ = asked("types", "elman")
    rows = {row[0][0]: said([Paragraph(cell) for cell in row[1:]]) for row in table.rows}
    assert set(rows) == {"many-to-many", "many-to-one", "one-to-many", "encoder-decoder"}
    assert "y\u0302⟨T⟩" in rows["many-to-one"] and "x⟨1⟩\n\n" in rows["one-to-many"]
    assert "1, …, T_y" in rows["encoder-decoder"]


def test_shapes_are_counted() -> None:
    (table,), _ = asked("shapes", "lstm")
    net = rs.lstm()
    assert len(table.rows) == len(net.parameters) + 1
    assert table.rows[-1][2][0] == sum(w.rows * w.cols for w in net.parameters.values())


def test_every_vector_is_in_the_table() -> None:
    (table,), _ = asked("vectors", "lstm:layers=2")
    net = rs.model("lstm:layers=2")
    names = {row[0][0].name for row in table.rows}
    assert names == set(net.vectors) - set(net.named_by_us)


def test_examples_have_lengths_of_their_own() -> None:
    blocks, evidence = asked("examples")
    text = markdown(Document(("Title",), blocks))
    assert (
        r"\mathscr{L}^{(2)} &= \sum_{t=1}^{T_{y}^{(2)}} \mathscr{L}^{(2)\langle t\rangle}" in text
    )
    assert r"$\mathbf{x}^{(1)\langle t\rangle}$" in text and "$T_{x}^{(1)}$" in text
    assert good(evidence)


def test_gradients_of_a_batch_that_do_not_add_up_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, right = rs.elman(), rs.elman().gradients()

    def mean(params: Any, x: Any, y: Any) -> Any:
        loss, found = right(params, x, y)
        return loss, {n: g / (x.shape[1] if x.ndim == 3 else 1) for n, g in found.items()}

    monkeypatch.setattr(net, "gradients", lambda: mean)
    assert not networks_requests._adds_up(net)


def test_a_weight_of_its_own_for_each_step_learns_from_that_step_only() -> None:
    blocks, evidence = asked("shifted T=3", "mlp:steps=3")
    (table,) = blocks
    zero = [[cell[0] == "0" for cell in row[1:]] for row in table.rows]
    assert zero == [[i != j for j in range(3)] for i in range(3)]
    assert good(evidence)
    blocks, _ = asked("shifted T=3", "elman:type=many-to-one")
    assert all(cell[0] != "0" for row in blocks[0].rows for cell in row[1:])


def test_a_gradient_that_is_not_zero_is_not_said_to_be() -> None:
    net = rs.model("mlp:steps=3")
    assert numbers_requests._vanishes(net, "W_2", 3, at=1)
    assert not numbers_requests._vanishes(net, "W_2", 3, at=2)


def test_neighbours() -> None:
    blocks, evidence = asked("neighbours T=9")
    assert [type(b) for b in blocks] == [Table, Paragraph, Table] and good(evidence)
    with pytest.raises(InputError, match="T=9,x: whole numbers"):
        asked("neighbours T=9,x")


def test_the_numbers_of_a_forward_pass_add_up() -> None:
    blocks, evidence = asked("numbers T=4")
    table, total = blocks
    losses = [float(row[-1][0]) for row in table.rows]
    written = float(re.findall(r"[\d.]+\d", said([total]))[-1])
    assert len(losses) == 4 and abs(sum(losses) - written) < 3e-4 and good(evidence)


def test_compact_equations_have_one_weight_a_gate() -> None:
    blocks, evidence = asked("compact equations", "lstm")
    text = said(blocks, "lstm")
    assert "W_f [a⟨t-1⟩; x⟨t⟩]" in text and "W_fa" not in text and good(evidence)


# ---- proofs ------------------------------------------------------------------------------


def test_lines_are_chosen_by_rule_and_by_section() -> None:
    blocks, evidence = asked("lines W_aa: recurrence, Backpropagation through time")
    derivation = rs.elman().derive("W_aa")
    expected = [
        s for s in derivation.steps
        if s.rule == "recurrence" or s.section == "Backpropagation through time"
    ]  # fmt: skip
    checks = evidence.numbers.checks
    assert [(c.step.before, c.step.after) for c in checks] == [
        (s.before, s.after) for s in expected
    ]
    assert not any(isinstance(b, Heading) for b in blocks)


def test_every_row_has_its_remark_and_its_number() -> None:
    spec = "elman:layers=2"
    blocks, evidence = asked("lines W_aa_l1: recurrence, Sum of Jacobian products, gradient", spec)
    numbers: list[int] = []
    for display, remarks in zip(blocks[::2], blocks[1::2], strict=True):
        assert isinstance(display, Display) and isinstance(remarks, Remarks)
        shown = [row.number for row in display.rows]
        assert shown == [r.number for r in remarks.items]
        numbers += shown
    assert numbers == list(range(1, len(evidence.numbers.checks) + 1))


def test_a_solution_without_its_induction_says_so_and_counts_it() -> None:
    blocks, evidence = asked("lines W_aa: solution")
    assert "the induction was checked" in said(blocks) and "below" not in said(blocks)
    (_, text), *rest = [(ok, what) for ok, what in evidence.outcomes if "inductions" in what]
    assert text.startswith("3 of 3 rows") and not rest
    _, evidence = asked("lines W_aa: solution, base case, induction step")
    assert not any("inductions" in what for _, what in evidence.outcomes)


def test_lines_about_one_vector() -> None:
    _, evidence = asked("lines W_aa: reverse chain rule of a")
    (step,) = (c.step for c in evidence.numbers.checks)
    assert step.before.of.name == "a" and step.rule == "reverse chain rule"
    with pytest.raises(InputError, match="'reverse chain rule of c' is no rule"):
        asked("lines W_aa: reverse chain rule of c")


def test_lines_of_several_derivations_are_shown_once() -> None:
    spec = "elman:bidirectional"
    _, evidence = asked("lines W_aa_fwd,W_aa_bwd: Backpropagation through time", spec)
    shown = [(c.step.before, c.step.after) for c in evidence.numbers.checks]
    assert len(shown) == len(set(shown)) == 7, "four for each direction, the error in common"


def test_unknown_lines_are_refused() -> None:
    with pytest.raises(InputError, match="'magic' is no rule or section; there are Linearity"):
        asked("lines W_aa: magic")
    with pytest.raises(InputError, match="nothing is no rule"):
        asked("lines W_aa")


def test_a_padded_step() -> None:
    blocks, evidence = asked("padded", "gru:masked")
    assert good(evidence) and "∂a⟨t⟩/∂a⟨t-1⟩ = I" in said(blocks, "gru:masked")
    assert any("for 4 steps and 3 padded ones" in what for _, what in evidence.outcomes)


def test_padding_without_a_mask_in_the_loss_is_not_nothing() -> None:
    net = rs.Network(
        "a[t] = m[t] * tanh(W @ a[t-1] + U @ x[t]) + (1 - m[t]) * a[t-1]",
        "y_hat[t] = softmax(V @ a[t])",
        inputs=["x", "m"], sizes={"m": 1},
    )  # fmt: skip
    assert not proofs_requests._padding_is_nothing(net, "W")


@pytest.mark.parametrize(
    ("spec", "name"), [("elman:bidirectional", "W_aa_fwd"), ("gru:bidirectional", "W_ra_fwd")]
)
def test_the_backward_direction_is_the_forward_one_reversed(spec: str, name: str) -> None:
    blocks, evidence = asked(f"reversal {name}", spec)
    assert good(evidence)
    table = blocks[0]
    rows = {row[0][0]: [int(cell[0]) for cell in row[1:]] for row in table.rows}
    assert rows["Recurrence and its solution"] == [5, 0]
    assert rows["Everything in place"] == [0, 1], "the half of the output layer"
    assert len(evidence.numbers.checks) == 2, "a step and its reversal, as an example"


def test_directions_with_different_equations_are_told_apart() -> None:
    net = rs.Network(
        "a_fwd[t] = tanh(W_fwd @ a_fwd[t-1] + U_fwd @ x[t])",
        "a_bwd[t] = sigmoid(W_bwd @ a_bwd[t+1] + U_bwd @ x[t])",
        "y_hat[t] = V @ [a_fwd[t], a_bwd[t]]",
        loss="squared_error",
    )
    evidence = requests.Evidence()
    list(reversal_requests.reversal(requests.Ask(net, "post", evidence, 1, ["W_fwd"])))
    assert not evidence.others[0][0]


def test_reversal_needs_a_forward_direction() -> None:
    with pytest.raises(InputError, match=r"'W_aa' is no weight of a forward direction: .* none"):
        asked("reversal W_aa")


def test_a_layer_of_any_stack() -> None:
    blocks, evidence = asked("layer", "elman:layers=l")
    assert good(evidence) and "δ_a^[l]⟨t⟩" in said(blocks, "elman:layers=l")
    with pytest.raises(InputError, match="layer is about a stack with layers=l"):
        asked("layer", "elman:layers=3")
    with pytest.raises(InputError, match="no section 'x'; there are One step in time"):
        asked("layer: x", "elman:layers=l")


def test_a_residual_connection_adds_the_identity() -> None:
    with_, evidence = asked("jacobian: h_l3, h_l2, a_l1", "elman:layers=3,residual")
    without, other = asked("jacobian: a_l3, a_l2, a_l1", "elman:layers=3")
    assert good(evidence) and good(other)
    rows = [said([b], "elman:layers=3,residual") for b in (with_[0], without[0])]
    assert rows[0].count("= I + diag") == 2 and "I +" not in rows[1]
    product = said(with_, "elman:layers=3,residual")
    assert "∂h^[3]⟨t⟩/∂a^[1]⟨t⟩ = I + diag" in product


def test_a_wrong_jacobian_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    right = proofs_requests._closed
    monkeypatch.setattr(
        proofs_requests, "_closed", lambda *given: [MatMul(2, form) for form in right(*given)]
    )
    _, evidence = asked("jacobian: a_l3, a_l2", "elman:layers=3")
    assert not good(evidence)


def test_a_jacobian_needs_two_vectors() -> None:
    with pytest.raises(InputError, match="two or more of a_l1, a_l2"):
        asked("jacobian: a_l2", "elman:layers=2")
    with pytest.raises(InputError, match="two or more of"):
        asked("jacobian: a_l2, q", "elman:layers=2")


# ---- the chapters ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chapters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chapters")
    for path in CHAPTERS:
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "engine", lambda: None)
        ok, _ = build(folder, folder / "out")
    assert ok, "something in the chapters does not hold"
    return folder / "out"


def test_there_is_a_chapter_for_each_section_of_the_course() -> None:
    assert [path.stem[3:] for path in CHAPTERS] == [
        "notation", "types", "why-not-a-perceptron", "first-glance", "bidirectional", "deep",
        "forward-pass",
    ]  # fmt: skip


def test_each_chapter_says_what_was_checked(chapters: Path) -> None:
    for path in CHAPTERS:
        text = (chapters / path.name).read_text(encoding="utf-8")
        assert "## What was checked" in text and "✗" not in text, path.name


def test_no_chapter_links_to_the_outside() -> None:
    for path in CHAPTERS:
        assert "http" not in path.read_text(encoding="utf-8")


def test_no_formula_is_typed() -> None:
    for path in (*CHAPTERS, SOURCES / "_index.md"):
        prose = re.sub(r"`[^`]*`", "", path.read_text(encoding="utf-8"))
        assert not re.search(r"[$\\∂∇Σ⟨⟩^_]", prose), path.name


def test_no_long_row_is_shown_twice_in_a_chapter(chapters: Path) -> None:
    for path in CHAPTERS:
        text = (chapters / path.name).read_text(encoding="utf-8")
        rows = re.findall(r"^(.*?) && \(", text, re.MULTILINE)
        long = [row for row in rows if len(row) > 100]
        assert len(long) == len(set(long)), path.name


def test_the_documentation_names_every_request() -> None:
    mine = {
        name
        for name, kind in literate.REQUESTS.items()
        if kind.answer.__module__.endswith("_requests")
    }
    assert mine and all(name in (literate.__doc__ or "") for name in mine)
