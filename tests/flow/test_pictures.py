"""Pictures, tables and pages of a flow show its numbers."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.documents.content import Figure
from rnnsym.documents.tex import whole
from rnnsym.errors import InputError
from rnnsym.flow import compare, picture
from rnnsym.flow.pictures import MOST, names
from rnnsym.flow.report import as_json, document, pairs, save
from tests.portability.harness import latex_compiles

XML = "{http://www.w3.org/2000/svg}"
FLOWS = [rs.model(name).flow(steps=8) for name in ("elman", "lstm", "gru")]


def parsed(figure: Figure) -> ElementTree.Element:
    return ElementTree.fromstring(figure.svg)


def words(figure: Figure) -> list[str]:
    return ["".join(e.itertext()) for e in parsed(figure).iter(XML + "text")]


def test_a_heat_map_has_a_cell_for_each_pair() -> None:
    figure = FLOWS[0].heat_map()
    boxes = [e for e in parsed(figure).iter(XML + "rect") if e.get("class") is None]
    assert len(boxes) - 48 == 36  # 48 of the colour bar
    assert "step k" in words(figure) and "loss t" in words(figure)


def test_decay_shows_the_bound_where_there_is_one() -> None:
    assert [w for w in words(FLOWS[0].decay()) if w in ("largest", "median", "bound")] == [
        "largest", "median", "bound",
    ]  # fmt: skip
    assert "bound" not in words(FLOWS[1].decay())


def test_comparison_has_a_line_for_each_and_the_bounds() -> None:
    shown = words(compare(FLOWS))
    for name in ("elman, W_aa", "lstm, W_fa", "gru, W_ua", "bound, elman, W_aa"):
        assert name in shown
    with pytest.raises(InputError, match="compares 1 to 6 networks, not 7"):
        compare([*FLOWS, *FLOWS, FLOWS[0]])


def test_bounds_without_room_are_left_out() -> None:
    figure = compare([FLOWS[0]] * 5)
    assert "; 4 bounds are left out" in figure.caption
    assert names([FLOWS[0]] * 2) == ["elman, W_aa (1)", "elman, W_aa (2)"]


def test_several_pictures_in_one() -> None:
    figure = picture(FLOWS)
    root = parsed(figure)
    inner = root.findall(XML + "svg")
    assert len(inner) == 4 and {"elman, W_aa", "norms against the distance"} <= set(words(figure))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for part in inner:
        assert 0 <= float(part.get("x", -1)) <= width - float(part.get("width", 0)) + 1e-6
        assert 0 <= float(part.get("y", -1)) <= height - float(part.get("height", 0)) + 1e-6


def test_long_sequences_are_thinned_out_and_say_so() -> None:
    flow = rs.elman().flow(steps=MOST + 1, sizes={"n_a": 2})
    assert "; one t in 2 and one k in 2 is shown" in flow.heat_map().caption
    parsed(flow.heat_map())


def test_pictures_of_exploding_and_of_truncated_gradients_render() -> None:
    for name, given in (
        ("elman:activation=identity,output=identity", {"radius": 40.0}),
        ("elman:truncate=3", {}),
        ("elman:type=encoder-decoder", {}),
        ("elman:layers=2,bidirectional", {}),
        ("elman:type=many-to-one", {}),
    ):
        parsed(picture([rs.model(name).flow(steps=12, **given)]))


@pytest.mark.tex
def test_pictures_compile() -> None:
    assert latex_compiles(whole(document(FLOWS))) is None


@pytest.mark.parametrize("suffix", [".svg", ".png", ".html", ".md", ".tex", ".ipynb"])
def test_files(tmp_path: Path, suffix: str) -> None:
    path = save(FLOWS, tmp_path / f"flow{suffix}")
    data = path.read_bytes()
    if suffix == ".svg":
        ElementTree.fromstring(data)
    elif suffix == ".png":
        assert data.startswith(b"\x89PNG")
    else:
        text = data.decode()
        assert "the terms add up to the gradient" in text.replace("\\n", "\n")
        assert "How gradients flow" in text
    assert rs.elman().flow(steps=3).save(tmp_path / f"one{suffix}").exists()


def test_bad_paths_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown format '.gif'; choose from .svg, .png"):
        save(FLOWS, tmp_path / "flow.gif")
    with pytest.raises(InputError, match="does not exist"):
        save(FLOWS, tmp_path / "none" / "flow.svg")
    assert not list(tmp_path.iterdir())


def test_the_page_has_both_pictures_the_table_and_the_checks() -> None:
    blocks = [type(b).__name__ for b in FLOWS[0].document().blocks]
    assert blocks.count("Figure") == 2 and blocks.count("Table") == 2
    assert blocks.count("Display") == 1 and blocks.count("Bullets") == 2


def test_a_notebook_shows_both_pictures() -> None:
    html = FLOWS[0]._repr_html_()
    assert html.count("<svg") == 2 and "✓ the terms add up" in html
    assert repr(FLOWS[0]).startswith("<Flow of dL/dW_aa, elman: 8 losses × 8 uses, ×")


def test_json_holds_the_numbers() -> None:
    table = json.loads(json.dumps(as_json(FLOWS[0])))
    found = np.array([[np.nan if v is None else v for v in row] for row in table["norms"]])
    np.testing.assert_array_equal(found, FLOWS[0].norms)
    assert table["bound"]["weight"] == "W_aa" and table["no_bound_because"] is None
    assert len(table["lyapunov"]) == 16 and table["ok"] is True
    assert as_json(FLOWS[1])["bound"] is None and as_json(FLOWS[1])["no_bound_because"]
    lost = as_json(rs.elman(truncate=2).flow(steps=6))
    assert set(lost["lyapunov"]) == {None}
    json.dumps(lost, allow_nan=False)


def test_which_flows_are_asked_for() -> None:
    a, b = rs.elman(), rs.gru()
    assert pairs([a, b], []) == [(a, None), (b, None)]
    assert pairs([a], ["W_aa", "b_a"]) == [(a, "W_aa"), (a, "b_a")]
    assert pairs([a, b], ["W_aa"]) == [(a, "W_aa"), (b, "W_aa")]
    assert pairs([a, b], ["b_a", "b_u"]) == [(a, "b_a"), (b, "b_u")]
    with pytest.raises(InputError, match="3 parameters for 2 models"):
        pairs([a, b], ["b_a", "b_u", "b_y"])
    with pytest.raises(InputError, match="7 flows side by side: choose at most 6"):
        pairs([a] * 7, [])
