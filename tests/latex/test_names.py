"""Names: how they are taken apart and written, and that hostile ones do no harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from markdown_it import MarkdownIt
from sympy import MatrixSymbol, Symbol

import rnnsym as rs
from rnnsym.documents.markdown import markdown
from rnnsym.documents.terminal import terminal
from rnnsym.documents.tex import fragment, whole
from rnnsym.latex import PROFILES, LatexPrinter, TextPrinter
from rnnsym.latex.profiles import Name, parse
from rnnsym.nodes import Adjoint, Apply, Softmax, TimeVector, t
from tests.latex.printed import formulas, network, unchecked
from tests.portability.harness import (
    katex_accepts,
    latex_compiles,
    math_core_accepts,
    mathjax_accepts,
)


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("a", Name("a")),
        ("W_aa", Name("W", "", (Name("aa"),))),
        ("y_hat", Name("y", "hat")),
        ("z_c_tilde", Name("z", "", (Name("c", "tilde"),))),
        ("W^f", Name("W", "", (), "f")),
        ("not a name", Name("not a name")),
        (r"\input{x}", Name(r"\input{x}")),
        ("a_l2", Name("a", layer="2")),
        ("W_aa_lag3_fwd_l12", Name("W", "", (Name("aa"),), lag="3", direction="fwd", layer="12")),
        ("z_c_tilde_bwd_", Name("z", "", (Name("c", "tilde"),), primes=1, direction="bwd")),
        ("a_enc_l1", Name("a", "", (Name("enc"),), layer="1")),
        ("l2", Name("l2")),
        ("W_l2_fwd", Name("W", "", (Name("l2"),), direction="fwd")),
        ("W_l02", Name("W", "", (Name("l02"),))),
        ("W_l0", Name("W", "", (Name("l0"),))),
        ("W_level2", Name("W", "", (Name("level2"),))),
        ("_fwd", Name("fwd")),
        ("a\n_l2", Name("a\n_l2")),
    ],
)
def test_names_are_taken_apart(name: str, parsed: Name) -> None:
    assert parse(name) == parsed


@pytest.mark.parametrize(
    ("name", "latex", "text"),
    [
        ("y_hat", r"\hat{\mathbf{y}}_{t}", "ŷ⟨t⟩"),
        ("c_tilde", r"\tilde{\mathbf{c}}_{t}", "c̃⟨t⟩"),
        ("alpha", r"\boldsymbol{\alpha}_{t}", "α⟨t⟩"),
        ("hidden", r"\boldsymbol{\mathrm{hidden}}_{t}", "hidden⟨t⟩"),
        ("z_c_tilde", r"\mathbf{z}_{\tilde{c},t}", "z_c̃⟨t⟩"),
        ("a^f", r"\mathbf{a}_{t}^{f}", "a^f⟨t⟩"),
        ("a_l2", r"\mathbf{a}_{t}^{[2]}", "a^[2]⟨t⟩"),
        ("z_c_tilde_fwd", r"\overrightarrow{\mathbf{z}}_{\tilde{c},t}", "z→_c̃⟨t⟩"),
        ("y_hat_bwd_l2", r"\overleftarrow{\hat{\mathbf{y}}}_{t}^{[2]}", "ŷ←^[2]⟨t⟩"),
        ("a_lag3_l2_", r"\mathbf{a}_{t}^{\prime [2](3)}", "a′^[2](3)⟨t⟩"),
    ],
)
def test_names_are_written(name: str, latex: str, text: str) -> None:
    v = TimeVector(name, Symbol("n"), t)
    assert LatexPrinter("d2l")(v) == latex
    assert TextPrinter()(v).replace("y\u0302", "ŷ").replace("c\u0303", "c̃") == text


COPY = {"a": "h", "W_fa": "W^f", "z_a": "z", "W_aa": "W_hh"}


@pytest.mark.parametrize(
    ("profile", "name", "vector", "weight"),
    [
        ("post", "a_fwd_l2", r"\overrightarrow{\mathbf{h}}^{[2]\langle t\rangle}", None),
        ("goodfellow", "a_l2", r"\boldsymbol{h}^{[2](t)}", None),
        ("pytorch", "a_bwd", r"\overleftarrow{h}_{t}", None),
        ("post", "W_aa_l2", None, r"\mathbf{W}_{hh}^{[2]}"),
        ("post", "W_aa_lag3", None, r"\mathbf{W}_{hh}^{(3)}"),
        ("post", "W_aa_lag3_fwd_l2", None, r"\overrightarrow{\mathbf{W}}_{hh}^{[2](3)}"),
        ("post", "W_fa_l2", None, r"\mathbf{W}^{f [2]}"),
    ],
)
def test_a_copy_has_the_name_of_its_original_with_its_marks(
    profile: str, name: str, vector: str | None, weight: str | None
) -> None:
    n = Symbol("n")
    tex = LatexPrinter(profile, COPY)
    e = TimeVector(name, n, t) if vector else MatrixSymbol(name, n, n)
    assert tex(e) == (vector or weight)
    math_core_accepts(tex(e))
    math_core_accepts(tex.transpose(e))


def test_layers_are_written_as_in_the_post() -> None:
    """a^{[l]⟨t⟩} = g(W_a^{[l]} [a^{[l]⟨t-1⟩}, a^{[l-1]⟨t⟩}] + b_a^{[l]}), section 2.2.3."""
    printed = rs.elman(layers=2).latex()
    assert (
        r"\mathbf{a}^{[2]\langle t\rangle} &= \tanh\left(\mathbf{z}^{[2]\langle t\rangle}\right)"
    ) in printed
    assert r"\mathbf{W}_{aa}^{[2]} \mathbf{a}^{[2]\langle t-1\rangle}" in printed
    assert r"\mathbf{W}_{ax}^{[2]} \mathbf{a}^{[1]\langle t\rangle}" in printed
    both = rs.elman(bidirectional=True).latex()
    assert (
        r"\overrightarrow{\mathbf{W}}_{aa} \overrightarrow{\mathbf{a}}^{\langle t-1\rangle}" in both
    )
    assert (
        r"\overleftarrow{\mathbf{W}}_{aa} \overleftarrow{\mathbf{a}}^{\langle t+1\rangle}" in both
    )


def test_adjoints_of_copies_have_one_subscript_and_one_superscript() -> None:
    delta = Adjoint(TimeVector("z_a_fwd_l2", Symbol("n"), t))
    tex = LatexPrinter("post", {"z_a": "z"})
    assert tex(delta) == (r"\boldsymbol{\delta}_{\overrightarrow{z}}^{[2]\langle t\rangle}")
    assert tex.transpose(delta).endswith(r"^{[2]\langle t\rangle \top}")
    assert TextPrinter("post", {"z_a": "z"})(delta) == "δ_z→^[2]⟨t⟩"
    for notation in PROFILES:
        math_core_accepts(LatexPrinter(notation)(delta))


def test_the_name_of_a_copy_goes_before_the_name_of_its_original() -> None:
    tex = LatexPrinter("pytorch", {"a": "h", "a_l2": "q"})
    assert tex(TimeVector("a_l2", Symbol("n"), t)) == "q_{t}"


def test_sizes_of_copies_are_written_like_their_vectors() -> None:
    tex = LatexPrinter()
    assert tex.scalar(Symbol("n_a_fwd_l2")) == r"\overrightarrow{n}_{a}^{[2]}"
    math_core_accepts(tex.scalar(Symbol("n_a_l2") ** 2 * Symbol("n_a_l1")))


COPIES = (
    "elman:layers=3,residual",
    "elman:layers=3,bidirectional,dense,residual,shortcut=2",
    "lstm:layers=2,bidirectional,residual,shortcut=3",
    "gru:layers=2,bidirectional,residual",
    "gru:reset=after,layers=2,residual,shortcut=2",
)
#: names that look like those of copies, and are not, beside some that are
LOOKALIKES = (
    "h", "h_l2", "h_l_2", "h_l02", "h_2", "h^2", "h_fwd", "h_vec", "h_bwd", "h_lag2", "h_lag_2",
    "h_l2_fwd", "h_fwd_l2", "h_l2_", "h__l2", "h_l2_l2", "h_l2_lag2", "h_lag2_l2", "l2", "h_enc",
    "h_enc_l2", "h_hat_l2", "h_hat", "h_", "h_h_l2", "h_l22", "h_fwdl2", "h_lagl2", "h_l2l2",
)  # fmt: skip


@pytest.mark.parametrize("notation", PROFILES)
def test_names_that_look_like_copies_are_told_apart(notation: str) -> None:
    n = Symbol("n")
    for printer in (LatexPrinter(notation), TextPrinter(notation)):
        for kind in (lambda name: TimeVector(name, n, t), lambda name: MatrixSymbol(name, n, n)):
            written: dict[str, str] = {}
            for name in LOOKALIKES:
                text = printer(kind(name))
                assert written.setdefault(text, name) == name, f"{name}: {text}"
                if isinstance(printer, LatexPrinter):
                    math_core_accepts(text)


def test_every_formula_of_copies_is_portable() -> None:
    for spec in COPIES[:3]:
        net = network(spec)
        wanted = [*list(net.parameters)[:2], *list(net.parameters)[-3:], *list(net.states)[:2]]
        found = [net.derive(wrt) for wrt in wanted]
        for notation in PROFILES:
            for formula in formulas(unchecked(found, notation)):
                math_core_accepts(formula)
                assert not re.search(r"_l[0-9]|fwd|bwd|lag|\?", formula), formula
        text = terminal(unchecked(found[:1]))
        assert not re.search(r"_l[0-9]|fwd|bwd|lag|\?", text.partition("\n")[2]), text


@pytest.mark.node
@pytest.mark.parametrize("accepts", [katex_accepts, mathjax_accepts])
def test_browsers_take_formulas_of_copies(accepts: Callable[[list[str]], None]) -> None:
    net = network(COPIES[1])
    found = [net.derive("W_aa_lag2_bwd_l2"), net.derive("b_a_fwd_l1")]
    accepts([formula for notation in PROFILES for formula in formulas(unchecked(found, notation))])


@pytest.mark.tex
def test_formulas_of_copies_compile() -> None:
    latex_compiles(whole(unchecked([network(COPIES[1]).derive("W_aa_lag2_fwd_l2")])))


def test_a_notation_renames_a_network() -> None:
    printed = rs.elman().latex("karpathy")
    assert "W_{hh} h_{t-1}" in printed and "W_{xh} x_{t}" in printed


def test_no_two_quantities_of_a_model_are_written_alike() -> None:
    for model in ("elman", "lstm", "gru", "gru:reset=after", *COPIES):
        net = network(model)
        for notation, names in net.notations.items():
            quantities = [*net.parameters.values(), *net.vectors.values()]
            quantities += [Adjoint(v) for v in net.vectors.values()]
            for printer in (LatexPrinter(notation, names), TextPrinter(notation, names)):
                written = [printer(q) for q in quantities]
                assert len(set(written)) == len(written), f"{model} in {notation}"


HOSTILE = [
    r"\input{/etc/passwd}",
    r"\write18{id}",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a\"b'c",
    "$x$",
    "50%",
    "a\nb\n\n# c",
    "a\\\\b",
    "`c`",
    "{",
    "}}",
    "a_b^c^d",
    "[x](javascript:alert(1))",
    "\x1b[31mred",
    "~#&",
    "a\u202eb",
    "",
]


def hostile(name: str) -> rs.Network:
    """A recurrent network whose vectors, parameters, function and sizes bear a hostile name."""
    n = Symbol(name + "n", integer=True, positive=True)
    m = Symbol(name + "m", integer=True, positive=True)
    state, given = TimeVector(name, n, t), TimeVector(name + " x", m, t)
    rhs = MatrixSymbol(name + " W", n, n) * state.at(t - 1)
    rhs += MatrixSymbol(name + " U", n, m) * given
    return rs.Network(
        (state, Apply("tanh", rhs)),
        (TimeVector("y_hat", n, t), Softmax(state)),
        loss="L[t] = y[t].T @ log(y_hat[t])",
        inputs=[given.name],
    )


def documents(net: rs.Network) -> Any:
    return unchecked([net.derive(wrt) for wrt in (*net.parameters, *net.states)])


COMMANDS = re.compile(r"\\(?:input|write)\b")
CONTROL = re.compile("[\x1b\u202e]")
TAGS = {"h1", "h2", "p", "ul", "li", "em", "strong"}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_inject_nothing_into_latex(name: str) -> None:
    document = documents(hostile(name))
    for formula in formulas(document):
        math_core_accepts(formula)
        assert not re.search(r"[`<>%#$]", formula), formula
    for text in (fragment(document), whole(document).partition(r"\begin{document}")[2]):
        assert not COMMANDS.search(text) and not CONTROL.search(text)
        assert not re.search(r"(?<!\\)%", text)
        assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_inject_nothing_into_markdown_or_the_terminal(name: str) -> None:
    net = hostile(name)
    document = unchecked([net.derive(f"{name} W")])
    text = markdown(document)
    page = MarkdownIt("commonmark").render(text)
    assert set(re.findall(r"<(\w+)", page)) <= TAGS
    assert page.count("<h1>") == 1
    assert not CONTROL.search(text)
    assert not CONTROL.search(terminal(document))


@pytest.mark.tex
def test_hostile_names_compile() -> None:
    for name in (HOSTILE[0], HOSTILE[1], "a\nb\n\n# c", "50%", "}}", "~#&", "a_b^c^d"):
        latex_compiles(whole(documents(hostile(name))))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_functions_inject_nothing(name: str) -> None:
    n = Symbol("n", integer=True, positive=True)
    e = Apply(name, TimeVector("a", n, t))
    printed, text = LatexPrinter()(e), TextPrinter()(e)
    math_core_accepts(printed)
    assert not re.search(r"\\(?:input|write)|[`\x1b\u202e<>%#$]", printed)
    assert not re.search(r"[\\`\x1b\u202e<>%#$]", text)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_of_the_network_is_text(name: str) -> None:
    net = rs.Network(
        "a[t] = tanh(W @ a[t-1] + U @ x[t])", "y_hat[t] = softmax(V @ a[t])", name=name
    )
    document = unchecked([net.derive("U")])
    page = MarkdownIt("commonmark").render(markdown(document))
    assert set(re.findall(r"<(\w+)", page)) <= TAGS and page.count("<h1>") == 1
    title = re.search(r"\\LARGE.*", whole(document))
    assert title and title[0].endswith(r"\par}") and not COMMANDS.search(title[0])
    assert not CONTROL.search(terminal(document) + whole(document) + page)


def test_letters_of_other_alphabets_are_told_apart() -> None:
    tex = LatexPrinter()
    assert tex(TimeVector("α", Symbol("n"), t)) != tex(TimeVector("β", Symbol("n"), t))


def test_names_made_new_are_told_apart() -> None:
    net = rs.Network(
        "z_a[t] = W @ a[t-1]",
        "a[t] = tanh(V @ z_a[t] + U @ x[t])",
        "y_hat[t] = softmax(W_y @ a[t])",
    )
    left = [line.partition("&=")[0] for line in net.latex().splitlines() if "&=" in line]
    assert len(set(left)) == len(left)
