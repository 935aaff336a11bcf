"""Pictures of the graph: what they show, and that no name breaks them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from rnnsym.errors import InputError
from rnnsym.graph import Graph, Node, draw, unroll
from rnnsym.graph.layout import layout
from tests.graph.nets import hostile, nets
from tests.portability.harness import latex_compiles, math_core_accepts

NETS = nets()
HOSTILE = [
    'a"];\nb[label="',
    "a--b",
    "a -> b",
    "<b>a</b>&amp;&",
    "a\\N\\",
    "a%$#_{}^~",
    "]|end|a`<!-- -->",
    "end",
    "\u202eα\u0000\ud800é",
    "_",
    "__",
    "}\\input{/etc/passwd}",
    "click",
]
FORMS: dict[str, Callable[[Graph], str]] = {
    "text": lambda g: g.text(),
    "dot": lambda g: g.dot(),
    "dot, labelled": lambda g: g.dot(parameters=False),
    "mermaid": lambda g: g.mermaid(),
    "mermaid, labelled": lambda g: g.mermaid(parameters=False),
    "tikz": lambda g: g.tikz(),
    "svg": lambda g: g.svg(),
}


def document(*pictures: str) -> str:
    return (
        "\\documentclass{article}\\usepackage{tikz}\\usetikzlibrary{arrows.meta}\n"
        "\\usepackage[paperwidth=90cm,paperheight=90cm,margin=1cm]{geometry}\n"
        "\\begin{document}\n" + "\n\n".join(pictures) + "\n\\end{document}\n"
    )


def test_text() -> None:
    lines = unroll(NETS["elman"], 3).reduced().text().splitlines()
    assert lines[0] == "elman, unrolled over T = 3: 22 nodes, 33 edges"
    assert "  W_ax: parameter, n_a × n_x" in lines
    assert "  a⟨0⟩: initial state, n_a" in lines
    assert "  a⟨2⟩ ← a⟨1⟩ (lag 1), x⟨2⟩, W_aa, W_ax, b_a" in lines
    assert lines[-1] == "  L ← L⟨1⟩, L⟨2⟩, L⟨3⟩"
    assert (
        "  z_r⟨3⟩ ← r⟨4⟩ (lag -1), x⟨3⟩, W_r, U_r, b_r" in unroll(NETS["bidirectional"], 3).text()
    )


@pytest.mark.parametrize("name", NETS)
def test_nodes_keep_apart(name: str) -> None:
    for graph in (unroll(NETS[name], 3), unroll(NETS[name], 3).reduced()):
        where = layout(graph)
        places = where.places
        assert len(set(places.values())) == len(places)
        assert set(places) == {n for n, kind in graph.nodes.items() if kind != "parameter"}
        assert min(min(place) for place in places.values()) == 0
        for edge in graph.edges:
            if edge.lag == 0:  # upwards within a time step
                assert places[edge.source][1] < places[edge.target][1]
            elif edge.lag is not None:
                forward = places[edge.target][0] - places[edge.source][0]
                assert forward * edge.lag > 0


def test_the_picture_of_the_textbook() -> None:
    places = layout(unroll(NETS["elman"], 3).reduced()).places
    x, a, y_hat, loss = (places[Node(name, 2)] for name in ("x", "a", "y_hat", "L"))
    assert x[0] == a[0] == y_hat[0] == loss[0] and x[1] < a[1] < y_hat[1] < loss[1]
    assert [places[Node("a", k)][1] for k in range(4)] == [a[1]] * 4
    tikz = unroll(NETS["elman"], 3).reduced().tikz()
    assert tikz.count("node[weight] {$W_{aa}$}") == 3
    assert r"{$\hat{y}^{\langle 2 \rangle}$}" in tikz


def test_tikz_takes_labels() -> None:
    tikz = unroll(NETS["elman"], 1).tikz(label=lambda e: rf"\mathbf{{{e.name[0]}}}")
    assert r"{$\mathbf{W}$}" in tikz and "langle" not in tikz


def test_tikz_is_not_wider_than_tex_can_draw() -> None:
    assert unroll(NETS["elman"], 100).tikz()
    with pytest.raises(InputError, match="fewer time steps"):
        unroll(NETS["elman"], 300).tikz()


def test_names_in_latex() -> None:
    names = {
        "W_aa": "W_{aa}",
        "y_hat": r"\hat{y}",
        "z_y_hat": r"z_{\hat{y}}",
        "a_tilde_1": r"\tilde{a}_{1}",
        "alpha": r"\alpha",
        "z_": "{z'}",
        "state_in": r"\mathrm{state}_{in}",
        "α": r"{\alpha}",
    }
    for name, expected in names.items():
        assert draw._latex_name(name) == expected
    for name in HOSTILE:
        math_core_accepts(draw._latex_name(name))


@pytest.mark.parametrize("form", FORMS)
def test_no_name_breaks_out(form: str) -> None:
    """Whatever the names, the picture is the same up to what is written in it."""

    def skeleton(picture: str) -> str:
        if form == "text":
            return str(picture.count("\n"))
        if form == "svg":
            root = ElementTree.fromstring(picture)
            return " ".join(element.tag for element in root.iter())
        if form == "tikz":
            return re.sub(r"\{\$.*\$\}", "{}", picture)
        return re.sub(r'"([^"\\]|\\.)*"', '""', picture)

    plain = skeleton(FORMS[form](unroll(hostile("a"), 2)))
    for name in HOSTILE:
        assert skeleton(FORMS[form](unroll(hostile(name), 2))) == plain, name


def test_mermaid_writes_only_plain_characters() -> None:
    for name in HOSTILE:
        for label in re.findall(r'"(.*)"', unroll(hostile(name), 2).mermaid()):
            assert re.fullmatch(r"(\w|[⟨⟩ ,]|t = \d|#\d+;)*", label)


def test_svg_names_the_ends_of_edges() -> None:
    root = ElementTree.fromstring(unroll(NETS["elman"], 2).reduced().svg())
    groups = root.findall("{http://www.w3.org/2000/svg}g")
    assert {"a⟨1⟩"} == {g.get("data-from") for g in groups if g.get("data-to") == "a⟨2⟩"} - {"x⟨2⟩"}
    assert "a⟨2⟩" in {g.get("data-node") for g in groups}


@pytest.mark.parametrize("form", FORMS)
def test_output_is_the_same_in_every_process(form: str) -> None:
    code = (
        "from tests.graph.test_draw import FORMS, NETS, unroll\n"
        "import hashlib\n"
        f"text = FORMS[{form!r}](unroll(NETS['lstm'], 3))\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1


def test_graphviz_reads_every_picture() -> None:
    dot = shutil.which("dot")
    if dot is None:
        pytest.skip("Graphviz is not installed")
    graphs = [unroll(net, k) for net in NETS.values() for k in (1, 3)]
    graphs += [g.reduced() for g in graphs] + [unroll(hostile(name), 2) for name in HOSTILE]
    for graph in graphs:
        for parameters in (True, False):
            run = subprocess.run(
                [dot, "-Tplain"], input=graph.dot(parameters), capture_output=True, encoding="utf-8"
            )
            assert run.returncode == 0 and not run.stderr, run.stderr
            drawn = len(re.findall("^node ", run.stdout, re.MULTILINE))
            hidden = 0 if parameters else len(graph.net.parameters)
            assert drawn == len(graph.nodes) - hidden


@pytest.mark.tex
def test_tikz_compiles() -> None:
    graphs = [g for net in NETS.values() for g in (unroll(net, 3), unroll(net, 3).reduced())]
    graphs += [unroll(hostile(name), 1) for name in HOSTILE]
    latex_compiles(document(*(graph.tikz() for graph in graphs)))
