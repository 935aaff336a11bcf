"""Names: how they are taken apart and written, and that hostile ones do no harm."""

from __future__ import annotations

import re
from typing import Any

import pytest
from markdown_it import MarkdownIt
from sympy import MatrixSymbol, Symbol

import rnnsym as rs
from rnnsym.documents.markdown import markdown
from rnnsym.documents.terminal import terminal
from rnnsym.documents.tex import fragment, whole
from rnnsym.latex import LatexPrinter, TextPrinter
from rnnsym.latex.profiles import Name, parse
from rnnsym.nodes import Apply, Softmax, TimeVector, t
from tests.latex.printed import formulas, network, unchecked
from tests.portability.harness import latex_compiles, math_core_accepts


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
    ],
)
def test_names_are_written(name: str, latex: str, text: str) -> None:
    v = TimeVector(name, Symbol("n"), t)
    assert LatexPrinter("d2l")(v) == latex
    assert TextPrinter()(v).replace("y\u0302", "ŷ").replace("c\u0303", "c̃") == text


def test_a_notation_renames_a_network() -> None:
    printed = rs.elman().latex("karpathy")
    assert "W_{hh} h_{t-1}" in printed and "W_{xh} x_{t}" in printed


def test_no_two_quantities_of_a_model_are_written_alike() -> None:
    for model in ("elman", "lstm", "gru", "gru:reset=after"):
        net = network(model)
        for notation, names in net.notations.items():
            tex = LatexPrinter(notation, names)
            quantities = [*net.parameters.values(), *net.vectors.values()]
            written = [tex(q) for q in quantities]
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
