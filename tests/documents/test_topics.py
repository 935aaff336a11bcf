"""The requests on flows, proofs, remedies and errata: what they say is checked, and so are they."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from sympy import Eq, Matrix, Piecewise, Symbol

from rnnsym.documents import files
from rnnsym.documents.content import Bullets, Display, Figure, Paragraph, Table
from rnnsym.documents.literate import build
from rnnsym.documents.literate.plain import Plain, shown
from rnnsym.documents.literate.reading import Source
from rnnsym.documents.literate.topics import chosen, stored
from rnnsym.documents.mathml import converter
from rnnsym.errors import InputError
from rnnsym.experiments import compare, experiment
from rnnsym.latex import LatexPrinter, TextPrinter
from tests.conftest import ROOT

DATA = ROOT / "derivations" / "data" / "memory.json"


@pytest.fixture(autouse=True)
def no_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "engine", lambda: None)


def source(tmp_path: Path, *requests: str, model: str = "elman") -> Source:
    """A source of some requests."""
    path = tmp_path / "s.md"
    lines = "\n".join(requests)
    path.write_text(f"---\nmodel: {model}\n---\n\n# T\n\n```rnnsym\n{lines}\n```\n")
    return Source(path)


def blocks(tmp_path: Path, *requests: str, model: str = "elman") -> list[object]:
    """What requests stand for; everything that they check holds."""
    read = source(tmp_path, *requests, model=model)
    found = list(read.document().blocks)
    assert read.evidence.outcomes and all(ok for ok, _ in read.evidence.outcomes)
    return found


def kinds(found: list[object]) -> list[type]:
    return [type(b) for b in found if not isinstance(b, Paragraph)]


def test_a_flow_shows_the_parts_that_were_asked_for(tmp_path: Path) -> None:
    found = blocks(tmp_path, "flow W_aa T=6 n=3: term, decay, table, facts, map")
    assert [k for k in kinds(found)[:5]] == [Display, Figure, Table, Bullets, Figure]
    with pytest.raises(InputError, match=r"s\.md:8: no part 'colour'"):
        source(tmp_path, "flow W_aa T=6: colour").document()


def test_the_same_flow_twice_is_one_check(tmp_path: Path) -> None:
    read = source(tmp_path, "flow W_aa T=6 n=3: map", "flow W_aa T=6 n=3: decay")
    read.document()
    assert len(read.evidence.others) == 1


def test_flows_and_exponents_have_a_row_for_each_model(tmp_path: Path) -> None:
    found = blocks(tmp_path, "flows T=8 n=3: elman, gru", "lyapunov T=40 n=3: elman, gru, lstm")
    figure, first, second = (b for b in found if isinstance(b, Figure | Table))
    assert isinstance(figure, Figure) and isinstance(first, Table) and isinstance(second, Table)
    assert len(first.rows) == 2 and [r[1] for r in second.rows] == [("3",), ("3",), ("6",)]


def test_what_is_proved_is_shown_with_its_proof_or_without(tmp_path: Path) -> None:
    long = blocks(tmp_path, "statements clipping: direction kept")
    short = blocks(tmp_path, "statements clipping brief: direction kept, bounded")
    assert isinstance(long[1], Bullets) and len(long[1].items) == 5
    assert isinstance(short[0], Bullets) and len(short[0].items) == 2


def test_words_must_name_one_statement() -> None:
    from rnnsym.remedies import properties

    records = properties()
    assert [p.name for p in chosen(records, ["length"])] == ["length"]
    assert chosen(records, []) == records
    for words in ("groups", "nothing of the kind"):
        with pytest.raises(InputError, match="is the name of"):
            chosen(records, [words])


def test_truncation_is_cut_bounded_and_counted(tmp_path: Path) -> None:
    found = blocks(
        tmp_path, "truncation W_aa K", "window W_aa 2 3", "reach chunk=2 T=4",
        "bias W_aa T=6 n=2: 1, 2, 6", "costs T=100 chunk=10 every=2 back=5",
    )  # fmt: skip
    tables = [b for b in found if isinstance(b, Table)]
    marks = {(i + 2, k + 1): row[k + 1][0] for i, row in enumerate(tables[0].rows)
             for k in range(3)}  # fmt: skip
    assert marks[2, 1] == marks[4, 3] == "✓" and marks[3, 2] == marks[4, 1] == "0"
    assert [row[1][0] for row in tables[1].rows][:2] == ["99", "90"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ("bias W_aa T=6: 0", "numbers of steps"),
        ("flows T=6", "name the models"),
        ("flow W_aa T=6 sigma=big", "a number was expected"),
        ("flow W_aa T=6 seed=-1", "a whole number was expected"),
        ("statements weather", "nothing is proved"),
        ("erratum nothing", "choose from"),
        ("roots T=5: 1 2", "no network of one state with one shortcut"),
        ("roots T=5 model=elman:shortcut=2,activation=identity: one two", "a pair of numbers"),
        ("direct path c", "no state of elman"),
        ("gates a T=5 bias=b_q: 1", "b_q"),
        ("memory task=adding results=nowhere.json", "no stored results"),
    ],
)
def test_what_cannot_be_answered_is_said_with_its_line(
    tmp_path: Path, request_: str, message: str
) -> None:
    with pytest.raises(InputError, match=rf"s\.md:8: .*{message}"):
        source(tmp_path, request_).document()


def test_paths_are_fibonacci_numbers_where_the_shortcut_is_over_two(tmp_path: Path) -> None:
    found = blocks(tmp_path, "paths T=12: elman, elman:shortcut=2")
    (table,) = (b for b in found if isinstance(b, Table))
    header = [h[0] for h in table.header]
    assert [row[header.index("12")][0] for row in table.rows] == ["1", "233"]


def test_the_largest_root_is_the_golden_ratio_where_every_path_counts_one(tmp_path: Path) -> None:
    found = blocks(
        tmp_path, "roots T=12: 1 1, 0.5 0.25", model="elman:shortcut=2,activation=identity"
    )
    (table,) = (b for b in found if isinstance(b, Table))
    assert table.rows[0][2] == (f"{(1 + math.sqrt(5)) / 2:.4f}",)
    assert float(table.rows[0][3][0]) == 233
    root = (0.5 + math.sqrt(0.25 + 1)) / 2
    assert table.rows[1][2] == (f"{root:.4f}",)


@pytest.mark.parametrize(
    ("state", "model", "text"),
    [("c", "lstm", "diag(f⟨t⟩)"), ("a", "gru", "diag(u⟨t⟩)")],
)
def test_the_direct_path_is_the_gate_alone(
    tmp_path: Path, state: str, model: str, text: str
) -> None:
    found = blocks(tmp_path, f"direct path {state} full", model=model)
    displays = [b for b in found if isinstance(b, Display)]
    assert TextPrinter()(displays[1].rows[0].right) == text
    assert TextPrinter()(displays[1].rows[1].right).startswith("Π_{i=k+1..t} diag(")


def test_the_carousel_hands_on_all_of_its_memory(tmp_path: Path) -> None:
    path = tmp_path / "s.md"
    path.write_text(
        "---\nmodel: elman\n---\n\n# T\n\n```network carousel\n"
        "c[t] = c[t-1] + i[t] * g[t]\ni[t] = sigmoid(W @ x[t])\ng[t] = tanh(V @ x[t])\n"
        "y_hat[t] = softmax(U @ c[t])\n```\n\n```rnnsym\ndirect path c model=carousel\n```\n"
    )
    found = [b for b in Source(path).document().blocks if isinstance(b, Display)]
    assert found[1].rows[0].right.expr.is_Identity


def test_gates_with_an_open_gate_keep_more(tmp_path: Path) -> None:
    found = blocks(tmp_path, "gates c T=20 n=4 bias=b_f: 0, 4", model="lstm")
    (table,) = (b for b in found if isinstance(b, Table))
    closed, open_ = (float(row[2][0]) for row in table.rows)
    assert open_ > 1e3 * closed


def test_clipping_is_drawn_and_refuted(tmp_path: Path) -> None:
    found = blocks(tmp_path, "clipping picture", "counterexamples: clipping by value")
    assert isinstance(found[0], Figure) and isinstance(found[1], Paragraph)


def test_errata_are_shown_with_what_is_printed_and_meant(tmp_path: Path) -> None:
    found = blocks(tmp_path, "errata", "erratum symbol")
    assert isinstance(found[0], Table) and len(found[0].rows) == 12
    words = [b.text[0] for b in found if isinstance(b, Paragraph)]
    assert [w for w in words if w.endswith(":")] == ["Printed:", "What that comes to:", "Meant:"]


# ---- how statements about numbers are printed ------------------------------------------------


def test_statements_of_sympy_keep_their_names() -> None:
    norm = Symbol(r"{\lVert d\theta\rVert}", positive=True)
    plain = Plain(Eq(Symbol("c"), Piecewise((1 / norm, norm > 1), (1, True))))
    text = LatexPrinter()(plain)
    assert r"\lVert d\theta\rVert" in text and "?" not in text and r"\begin{cases}" in text
    assert TextPrinter()(Plain(Eq(norm, 2))) == "Eq(‖dθ‖,2)"
    assert "<math" in converter()(text, True)


def test_what_belongs_to_the_calculus_is_printed_in_its_notation() -> None:
    from rnnsym.api import elman

    net = elman()
    assert shown(net.parameters["W_aa"]) is net.parameters["W_aa"]
    assert shown(net.loss) is net.loss
    assert isinstance(shown(Matrix([1, 2])), Plain) and shown("text") == "text"


# ---- stored results --------------------------------------------------------------------------


def test_stored_results_are_plotted(tmp_path: Path) -> None:
    found = list(source(tmp_path, f"memory task=adding results={DATA}").document().blocks)
    assert kinds(found) == [Figure, Figure, Table]


def test_stored_results_that_are_none_are_refused(tmp_path: Path) -> None:
    for text, message in (("{", "no JSON"), ("{}", "are missing")):
        path = tmp_path / "r.json"
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            stored(path)


@pytest.mark.slow
def test_the_command_makes_the_stored_results_again() -> None:
    """The first 50 updates to the digits that are stored. Training amplifies rounding, which
    differs between machines; of the end it is who has learned that must be the same."""
    record = json.loads(DATA.read_text(encoding="utf-8"))
    assert record["command"] == "python -m rnnsym.experiments --task adding --seed 0 --json"
    runs = compare(experiment("adding"), seed=0)
    for run, kept in zip(runs, record["results"]["adding"], strict=True):
        assert (run.network, run.steps, run.seed, run.parameters) == tuple(
            kept[key] for key in ("network", "steps", "seed", "parameters")
        )
        np.testing.assert_allclose(run.losses[:50], kept["losses"][:50], rtol=1e-5)
        np.testing.assert_allclose(run.norms[:50], kept["norms"][:50], rtol=1e-5)
        for state, norms in kept["looks"][0]["flow"].items():
            np.testing.assert_allclose(run.looks[0].flow[state], norms, rtol=1e-5)
        learned = kept["looks"][-1]["loss"] < kept["baseline"] / 10
        assert (run.looks[-1].loss < run.baseline / 10) == learned


@pytest.mark.slow
def test_the_second_half_of_the_book_holds(tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    shutil.copytree(DATA.parent, folder / "data")
    chapters = sorted((ROOT / "derivations").glob("*.md"))
    second = [path for path in chapters if path.name >= "08"]
    second = [path for path in second if path.name[:2].isdecimal()]
    assert len(second) == 8
    for path in second:
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    ok, _ = build(folder, tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "build.json").read_text())
    assert ok and summary["checked"] > 150
